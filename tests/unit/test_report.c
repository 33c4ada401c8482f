/* Timing log, result rows, comparison tables, rules. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "report/compare.h"
#include "report/fpga.h"
#include "report/results.h"
#include "report/rules.h"
#include "report/synth.h"

static lt_err err;
static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "lutra_report_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[256], folder[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(lt_make_dirs(folder, &err), LT_OK);
    assert_int_equal(lt_write_file(path, text, strlen(text), &err), LT_OK);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

/* ---- timing log ---- */

static const char log_text[] =
    "Warning: something\nLUTRA first_period 2000\nLUTRA first_slack -300\nLUTRA tries 0\nLUTRA min_period 2300\n"
    "LUTRA begin path\nStartpoint: a/_1_\n\n"
    "   0.06    0.09    0.21    0.21 v a/_1_/Q (DFFX1)\n   0.06    0.09    0.21    0.42 ^ a/_2_/Y (INVX1)\n"
    "           0.06    0.00    3.26 ^ a/_3_/D (DFFX1)\n        0.00 2.3  2.3 ^ a/_3_/CLK (DFFX1)\n LUTRA is only a "
    "tag at the line's start\n"
    "LUTRA end\nLUTRA startpoint a/_1_/Q\nLUTRA endpoint a/y[3]\\\\DFFX1/D\n"
    "LUTRA begin power\nGroup  Internal\nSequential  1.0e-3 2.0e-3 3.0e-9 3.0e-03 60.0%\n"
    "Combinational 1.0e-3 1.0e-3 4.0e-9 2.0e-03 40.0%\nTotal 2.0e-3 3.0e-3 7.0e-9 5.0e-03 100.0%\n   40.0% "
    "60.0%\nLUTRA end\n"
    "LUTRA register_period 2200\nLUTRA done 1\n";

static void timing_log(void **state)
{
    (void)state;
    sta_result r;
    assert_int_equal(sta_parse("sta.log", log_text, strlen(log_text), 0.001, &r, &err), LT_OK);
    assert_true(near(r.min_period, 2.3) && near(r.register_period, 2.2) && near(r.first_slack, -0.3));
    assert_string_equal(r.start, "a/_1_/Q");
    assert_string_equal(r.end, "a/y[3]"); /* registers are named signal\\cell */
    assert_true(near(r.power_total, 5e-3) && near(r.power_sequential, 3e-3) && near(r.power_leakage, 7e-9));
    assert_non_null(strstr(r.path.data, "Startpoint: a/_1_"));
    assert_null(strstr(r.path.data, "Sequential"));
    sta_free(&r);
}

static void timing_log_must_be_whole(void **state)
{
    (void)state;
    sta_result r;
    for (size_t n = 0; n < strlen(log_text) - 7; n += 3) {
        assert_int_equal(sta_parse("sta.log", log_text, n, 1, &r, &err), LT_EINPUT);
        sta_free(&r);
    }
    const char *bad = "LUTRA min_period oops\nError: sta.tcl, 3 no such port\nLUTRA done 1\n";
    assert_int_equal(sta_parse("sta.log", bad, strlen(bad), 1, &r, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "Error: sta.tcl, 3 no such port"));
    sta_free(&r);
}

/* ---- rows ---- */

#define AREA(hash)                                                                                                     \
    "{\"fingerprint\": \"0x0000beef\", \"input_hash\": \"" hash                                                        \
    "\", \"logic_um2\": 3e6, \"sram_um2\": 1e6, \"sram_um2_by_nand2\": 2e6,"                                           \
    " \"blocks\": {\"core\": {\"logic_um2\": 1.5e6, \"sram_um2\": 0.5e6}, \"post\": {\"total_um2\": 0.5e6}}, "         \
    "\"command\": \"make synth CONFIG=x\"}"
#define TIMING                                                                                                         \
    "{\"fingerprint\": \"beef\", \"input_hash\": \"h\", \"fmax_mhz\": 200, \"power\": {\"cells_w\": 0.5, \"sram_w\": " \
    "0.25}}"
#define SIM(cycles, steady, exact)                                                                                     \
    "{\"fingerprint\": \"0000BEEF\", \"cycles_per_image\": " cycles ", \"steady_cycles_per_image\": " steady           \
    ", \"macs_per_image\": 4e7, \"bit_exact\": " exact                                                                 \
    ", \"images\": 4, \"layers\": [{\"cycles\": 100, \"utilisation\": 0.5},"                                           \
    " {\"cycles\": 300, \"utilisation\": 0.9}, {\"cycles\": 50, \"utilisation\": null}],"                              \
    " \"axi\": {\"bus_bits\": 128, \"read_bytes\": 300000, \"write_bytes\": 100000, \"latency\": 20, \"bandwidth\": "  \
    "0, \"stall_percent\": 0}}"

static void put_config(const char *name, const char *sim)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s.json", name, name);
    put(path, "{\"fingerprint\": \"0x0000beef\"}");
    snprintf(path, sizeof path, "%s/sim/net.json", name);
    put(path, sim);
    snprintf(path, sizeof path, "%s/synth/lib/area.json", name);
    put(path, AREA("h"));
    snprintf(path, sizeof path, "%s/synth/lib/timing.json", name);
    put(path, TIMING);
}

static result_row load(const char *name)
{
    result_row r;
    assert_int_equal(results_load(dir, name, "lib", "net", &r, &err), LT_OK);
    return r;
}

static void a_row_is_computed(void **state)
{
    (void)state;
    put_config("ws16", SIM("210000", "200000", "true"));
    put_config("pq16", SIM("100000", "null", "true"));
    put("pq16/accuracy.json", "{\"float\": 91.73, \"integer\": 89.5, \"images\": 10000}");
    result_row r[2] = {load("ws16"), load("pq16")};
    results_derive(r, 2, "ws16");
    assert_true(r[0].steady && near(r[0].cycles, 200000));
    assert_true(near(r[0].inferences, 1000) && near(r[0].gmac, 40));
    assert_true(near(r[0].total_um2, 4e6) && near(r[0].core_um2, 2e6));
    assert_true(near(r[0].per_mm2, 250) && near(r[0].per_core_mm2, 500) && near(r[0].per_core_logic_mm2, 1000 / 1.5));
    assert_true(near(r[0].ratio, 1) && near(r[1].ratio, 2) && near(r[1].core_ratio, 2));
    assert_true(near(r[1].post_um2, 0.5e6) && near(r[1].datapath_ratio, 2));
    assert_true(near(r[0].bus_gbs, 3.2) && near(r[0].used_gbs, 0.4));
    assert_true(near(r[0].energy_mj, 0.75) && near(r[0].utilisation, (50 + 270) / 400.0));
    assert_true(isnan(r[0].accuracy_integer) && near(r[1].accuracy_integer, 89.5));
    assert_string_equal(r[0].notes, "no accuracy");
    assert_true(!r[1].steady);
    assert_non_null(strstr(r[1].notes, "not the steady state"));
}

static void what_is_missing_stays_open(void **state)
{
    (void)state;
    result_row r = load("ghost");
    results_derive(&r, 1, "ws16");
    for (size_t i = 0; i < n_result_columns; i++) assert_true(isnan(result_value(&r, &result_columns[i])));
    assert_string_equal(r.notes, "no manifest; no simulation; no accuracy; no area; no timing");

    put("ghost/accuracy.json", "{\"float\": \"high\", \"integer\": [1]}");
    put("ghost/sim/net.json", "{\"cycles_per_image\": ");
    put("ghost/synth/lib/area.json", "[]");
    r = load("ghost");
    assert_true(isnan(r.accuracy_float) && isnan(r.accuracy_integer) && isnan(r.cycles) && isnan(r.logic_um2));
    assert_non_null(strstr(r.notes, "simulation: line 1"));
    assert_non_null(strstr(r.notes, "area: line 1: not an object"));
    assert_int_equal(results_load(dir, "../x", "lib", "net", &r, &err), LT_EINPUT);
    assert_int_equal(results_load(dir, "x", "a/b", "net", &r, &err), LT_EINPUT);
    assert_int_equal(results_load(dir, "x", "lib", "../net", &r, &err), LT_EINPUT);
}

static void wrong_results_are_not_used(void **state)
{
    (void)state;
    put_config("ws16", SIM("210000", "200000", "false"));
    result_row r = load("ws16");
    results_derive(&r, 1, "ws16");
    assert_true(isnan(r.cycles) && isnan(r.inferences) && near(r.fmax_mhz, 200));
    assert_non_null(strstr(r.notes, "NOT bit-exact"));
    put("ws16/accuracy.json", "{\"integer\": 90, \"model\": \"othernet\"}");
    r = load("ws16");
    assert_true(isnan(r.accuracy_integer));
    assert_non_null(strstr(r.notes, "accuracy is of othernet"));
    put("ws16/sim/net.json", "{\"model\": \"othernet\"}"); /* what net.onnx calls itself */
    r = load("ws16");
    assert_true(near(r.accuracy_integer, 90));
    assert_string_equal(r.network, "othernet");
    assert_string_equal(r.model, "net");
    /* another configuration's simulation, another netlist's timing */
    put_config("ws16", SIM("210000", "200000", "true"));
    put("ws16/ws16.json", "{\"fingerprint\": \"0x0000dead\"}");
    put("ws16/synth/lib/area.json", "{\"input_hash\": \"other\", \"logic_um2\": 5}");
    put("ws16/synth/lib/timing.json", "{\"input_hash\": \"h\", \"fmax_mhz\": 200}");
    r = load("ws16");
    assert_true(isnan(r.cycles) && isnan(r.fmax_mhz) && r.logic_um2 == 5);
    assert_non_null(strstr(r.notes, "simulation is stale (fingerprint 0000BEEF, configuration 0x0000dead)"));
    assert_non_null(strstr(r.notes, "timing is of another netlist than area"));
}

/* ---- tables ---- */

static void tables(void **state)
{
    (void)state;
    compare_origin o = {"ws16", "make compare"};
    lt_buf md = {0}, csv = {0}, json = {0}, plot = {0};
    put_config("ws16", SIM("210000", "200000", "true"));
    put_config("pq16", SIM("100000", "100000", "true"));
    put("pq16/accuracy.json", "{\"float\": 91.73, \"integer\": 89.5, \"images\": 10000}");
    result_row r[3] = {load("ws16"), load("pq16"), load("ghost")};
    results_derive(r, 3, "ws16");
    strcpy(r[2].notes, "odd, \"quoted\"");

    compare_markdown(r, 3, &o, &md);
    assert_non_null(strstr(md.data, "Regenerate with `make compare`"));
    assert_non_null(strstr(md.data, "| ws16 | n/a | n/a | 200000 | 200.0 |"));
    assert_non_null(strstr(md.data, "| pq16 | 91.73 | 89.50 | 100000 | 200.0 |"));
    assert_non_null(strstr(md.data, "| ghost | n/a | n/a | n/a |"));
    assert_null(strstr(md.data, "nan"));
    assert_non_null(strstr(md.data, "memory bus 128 bits"));
    assert_non_null(strstr(md.data, "Not counted: wires"));
    r[1].bus_bits = 64;
    lt_buf_free(&md);
    compare_markdown(r, 3, &o, &md);
    assert_non_null(strstr(md.data, "**memory bus differs between rows**"));

    compare_csv(r, 3, &csv);
    assert_non_null(strstr(csv.data, "\"odd, \"\"quoted\"\"\"\n"));
    int lines = 0, commas = 0, first = 0;
    for (const char *p = csv.data; *p; p++) {
        commas += *p == ',';
        if (*p != '\n') continue;
        if (lines++ == 0)
            first = commas;
        else if (lines < 4)
            assert_int_equal(commas, first);
        commas = 0;
    }
    assert_int_equal(lines, 4);

    assert_int_equal(compare_json(r, 3, &o, &json, &err), LT_OK);
    json_t *root = json_loads(json.data, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(root, "rows")), 3);
    json_t *row = json_array_get(json_object_get(root, "rows"), 1);
    assert_true(near(json_real_value(json_object_get(row, "ratio")), 2));
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "rows"), 2), "ratio")));
    json_decref(root);

    compare_gnuplot(r, 3, "x.svg", &plot);
    assert_non_null(strstr(plot.data, "\"ws16\" 250 500"));
    assert_non_null(strstr(plot.data, "\"pq16\" 500 89.5"));
    assert_null(strstr(plot.data, "\"ghost\""));
    assert_non_null(strstr(plot.data, "(n/a: ghost)"));
    assert_non_null(strstr(plot.data, "(n/a: ws16, ghost)")); /* no accuracy, so no point */
    lt_buf_free(&md);
    lt_buf_free(&csv);
    lt_buf_free(&json);
    lt_buf_free(&plot);
}

static void no_results_at_all(void **state)
{
    (void)state;
    compare_origin o = {"ws16", "make compare"};
    lt_buf md = {0}, plot = {0};
    result_row r = load("ghost2");
    results_derive(&r, 1, "ws16");
    compare_markdown(&r, 1, &o, &md);
    assert_null(strstr(md.data, "nan"));
    compare_gnuplot(&r, 1, "x.svg", &plot);
    assert_non_null(strstr(plot.data, "performance per area: n/a"));
    lt_buf_free(&md);
    lt_buf_free(&plot);
}

/* ---- rules ---- */

static void rules(void **state)
{
    (void)state;
    char path[256];
    rule_set s, again;
    lt_buf b = {0};
    int failed, missing;
    put_config("ws16", SIM("210000", "200000", "true"));
    result_row r = load("ws16");
    results_derive(&r, 1, "ws16");
    rules_from(&r, &s);
    assert_true(s.n >= 6);
    snprintf(path, sizeof path, "%s/rules.json", dir);
    assert_int_equal(rules_write(&s, path, &err), LT_OK);
    assert_int_equal(rules_read(path, &again, &err), LT_OK);
    assert_int_equal(again.n, s.n);
    assert_string_equal(again.config, "ws16");
    rules_check(&again, &r, &b, &failed, &missing);
    assert_int_equal(failed + missing, 0);
    assert_null(strstr(b.data, "FAIL"));

    r.logic_um2 *= 1.019; /* inside the tolerance of 2 % */
    rules_check(&again, &r, &b, &failed, &missing);
    assert_int_equal(failed + missing, 0);
    r.logic_um2 *= 1.005;
    r.fmax_mhz *= 0.94;
    r.cycles += 1;
    rules_check(&again, &r, &b, &failed, &missing);
    assert_int_equal(failed, 3);
    assert_non_null(strstr(b.data, "FAIL  ws16       logic_um2"));
    r.cycles = NAN;
    rules_check(&again, &r, &b, &failed, &missing);
    assert_int_equal(failed, 2);
    assert_int_equal(missing, 1);
    lt_buf_free(&b);
}

static void bad_rules(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{", "rules.json:1:"},
        {"{\"config\": 1}", "config: expected a name"},
        {"{\"config\": \"a\", \"library\": \"b\", \"model\": \"c\", \"rules\": []}", "1 to 64 rules"},
        {"{\"config\": \"a\", \"library\": \"b\", \"model\": \"c\", \"rules\": [{\"metric\": \"speed\"}]}",
         "rule 1: metric: got 'speed'"},
        {"{\"config\": \"a\", \"library\": \"b\", \"model\": \"c\", \"rules\": [{\"metric\": \"cycles\", \"compare\": "
         "\"<\"}]}",
         "compare: got '<'"},
        {"{\"config\": \"a\", \"library\": \"b\", \"model\": \"c\", \"rules\": [{\"metric\": \"cycles\", \"compare\": "
         "\"<=\"}]}",
         "value is not a number"},
        {"{\"config\": \"a\", \"library\": \"b\", \"model\": \"c\", \"rules\": [{\"metric\": \"cycles\", \"compare\": "
         "\"<=\", "
         "\"value\": 1, \"tolerance\": 2}]}",
         "tolerance"},
    };
    rule_set s;
    char path[256];
    snprintf(path, sizeof path, "%s/rules.json", dir);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("rules.json", bad[i][0]);
        assert_int_equal(rules_read(path, &s, &err), LT_EINPUT);
        if (!strstr(err.msg, bad[i][1])) fail_msg("got '%s', expected '%s'", err.msg, bad[i][1]);
    }
    assert_int_equal(rules_read("/nonexistent/rules.json", &s, &err), LT_EIO);
}

/* ---- FPGA ---- */

static lt_code count(const char *cells, fpga_family f, fpga_counts *c)
{
    char json[512];
    snprintf(json, sizeof json, "{\"modules\": {\"\\\\lutra_top\": {\"num_cells_by_type\": {%s}}}}", cells);
    return fpga_count("stat.json", json, strlen(json), "lutra_top", f, c, &err);
}

static void fpga_resources(void **state)
{
    (void)state;
    fpga_counts c;
    assert_int_equal(
        count("\"SB_LUT4\": 5, \"SB_DFF\": 2, \"SB_DFFESR\": 3, \"SB_RAM40_4K\": 1, \"SB_CARRY\": 4", FPGA_ICE40, &c),
        LT_OK);
    assert_true(c.luts == 5 && c.flip_flops == 5 && c.block_rams == 1 && c.carries == 4 && c.dsps == 0 &&
                c.cells == 15);
    assert_int_equal(
        count("\"LUT6\": 5, \"LUT2\": 1, \"FDRE\": 2, \"RAMB36E1\": 3, \"RAM32M\": 4, \"DSP48E1\": 5, \"MUXF7\": 9",
              FPGA_XC7, &c),
        LT_OK);
    assert_true(c.luts == 6 && c.flip_flops == 2 && c.block_rams == 3 && c.lut_rams == 4 && c.dsps == 5 &&
                c.cells == 29);
    assert_int_equal(
        count("\"LUT4\": 5, \"CCU2C\": 2, \"TRELLIS_FF\": 3, \"DP16KD\": 1, \"MULT18X18D\": 2", FPGA_ECP5, &c), LT_OK);
    assert_true(c.luts == 5 && c.carries == 2 && c.flip_flops == 3 && c.block_rams == 1 && c.dsps == 2);
    assert_int_equal(count("\"SB_LUT4\": 5, \"sub\": 1", FPGA_ICE40, &c), LT_EINPUT);
    assert_non_null(strstr(err.msg, "sub is no cell of ice40"));
    assert_int_equal(count("\"$_AND_\": 5", FPGA_XC7, &c), LT_EINPUT);
    assert_non_null(strstr(err.msg, "$_AND_ is not mapped"));
    assert_int_equal(count("\"SB_LUT4\": \"five\"", FPGA_ICE40, &c), LT_EINPUT);
    assert_int_equal(fpga_count("s", "{}", 2, "lutra_top", FPGA_ICE40, &c, &err), LT_EINPUT);
    assert_int_equal(fpga_count("s", "{", 1, "lutra_top", FPGA_ICE40, &c, &err), LT_EINPUT);

    double mhz;
    const char *pnr = "{\"fmax\": {\"clk\": {\"achieved\": 81.5}, \"b\": {\"achieved\": 70.25}}}";
    assert_int_equal(fpga_read_fmax("pnr.json", pnr, strlen(pnr), &mhz, &err), LT_OK);
    assert_true(near(mhz, 70.25)); /* the slowest clock */
    assert_int_equal(fpga_read_fmax("pnr.json", "{\"fmax\": {}}", 12, &mhz, &err), LT_EINPUT);
    assert_true(isnan(mhz));
}

static void fpga_wrapper(void **state)
{
    (void)state;
    lt_buf b = {0};
    int pins;
    const char *ports =
        "{\"modules\": {\"lutra_top\": {\"ports\": {\"clk\": {\"direction\": \"input\", \"bits\": [2]},"
        "\"a\": {\"direction\": \"input\", \"bits\": [3, 4]}, \"q\": {\"direction\": \"output\", \"bits\": [5, 6, 7]},"
        "\"b\": {\"direction\": \"input\", \"bits\": [8]}}}}}";
    assert_int_equal(fpga_harness("p", ports, strlen(ports), "lutra_top", &b, &pins, &err), LT_OK);
    assert_int_equal(pins, 7);
    assert_non_null(strstr(b.data, "reg  [2:0] from"));
    assert_non_null(strstr(b.data, ".a(from[1:0])"));
    assert_non_null(strstr(b.data, ".b(from[2:2])"));
    assert_non_null(strstr(b.data, ".q(to[2:0])"));
    lt_buf_free(&b);
    const char *none =
        "{\"modules\": {\"lutra_top\": {\"ports\": {\"a\": {\"direction\": \"input\", \"bits\": [2]}}}}}";
    assert_int_equal(fpga_harness("p", none, strlen(none), "lutra_top", &b, &pins, &err), LT_EINPUT);
    lt_buf_free(&b);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timing_log),
        cmocka_unit_test(timing_log_must_be_whole),
        IN_DIR(a_row_is_computed),
        IN_DIR(what_is_missing_stays_open),
        IN_DIR(wrong_results_are_not_used),
        IN_DIR(tables),
        IN_DIR(no_results_at_all),
        IN_DIR(rules),
        IN_DIR(bad_rules),
        cmocka_unit_test(fpga_resources),
        cmocka_unit_test(fpga_wrapper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
