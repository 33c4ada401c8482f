/* The RAM side of report/elab.h: rams.json, and the Liberty and Verilog of the RAMs. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/elab.h"

enum { MAX_JSON = 16 << 20 };

lt_code elab_write_rams(const elab *e, const char *path, lt_err *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < e->n_rams; i++) {
        const elab_ram *r = &e->rams[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:s, s:I}", "module", r->module, "width", r->width, "depth",
                                        r->depth, "ports", sram_ports_name(r->ports), "count", (json_int_t)r->count));
    }
    char *text = list && json_array_size(list) == e->n_rams ? json_dumps(list, JSON_INDENT(2)) : NULL;
    lt_code code = text ? lt_write_file(path, text, strlen(text), err) : lt_fail(err, LT_EMEM, "out of memory");
    free(text);
    json_decref(list);
    return code;
}

lt_code elab_read_rams(const char *path, elab_ram *rams, size_t *n, lt_err *err)
{
    json_error_t jerr;
    char *text;
    size_t len, i;
    json_t *item;
    lt_code code = LT_OK;

    *n = 0;
    LT_TRY(lt_read_file(path, MAX_JSON, &text, &len, err));
    json_t *list = json_loadb(text, len, 0, &jerr);
    free(text);
    if (!json_is_array(list)) {
        json_decref(list);
        return lt_fail(err, LT_EINPUT, "%s: not a list of RAMs", path);
    }
    json_array_foreach(list, i, item)
    {
        elab_ram *r = &rams[*n];
        const char *module, *ports;
        json_int_t count;
        if (*n == ELAB_MAX_RAMS ||
            json_unpack(item, "{s:s, s:i, s:i, s:s, s:I}", "module", &module, "width", &r->width, "depth", &r->depth,
                        "ports", &ports, "count", &count) != 0 ||
            strlen(module) >= sizeof r->module || r->width < 1 || r->depth < 1 ||
            (strcmp(ports, "1rw") != 0 && strcmp(ports, "1r1w") != 0)) {
            code = lt_fail(err, LT_EINPUT, "%s: entry %zu is not a RAM", path, i);
            break;
        }
        strcpy(r->module, module);
        r->ports = strcmp(ports, "1rw") == 0 ? SRAM_1RW : SRAM_1R1W;
        r->count = count;
        ++*n;
    }
    json_decref(list);
    return code;
}

static int address_bits(int depth)
{
    int n = 1;
    while (depth > 1 << n) n++;
    return n;
}

typedef struct {
    lt_buf *b;
    const sram_estimate *e;
    double in_pf, clock_pf, max_pf, max_slew;
} liberty_ram;

static void input(const liberty_ram *r, const char *pin, int width)
{
    if (width)
        lt_buf_printf(r->b, "    bus (%s) {\n      bus_type : bits%d;\n", pin, width);
    else
        lt_buf_printf(r->b, "    pin (%s) {\n", pin);
    lt_buf_printf(r->b, "      direction : input;\n      capacitance : %.6f;\n", r->in_pf);
    lt_buf_printf(r->b,
                  "      timing () {\n        related_pin : \"clk\";\n        timing_type : setup_rising;\n"
                  "        rise_constraint (scalar) { values (\"%.5f\"); }\n"
                  "        fall_constraint (scalar) { values (\"%.5f\"); }\n      }\n    }\n",
                  r->e->setup_ns, r->e->setup_ns);
}

/* The access time is for a light load; the load that one buffer may drive adds one setup time. */
static void output(const liberty_ram *r, const char *pin, int width)
{
    static const char *const delays[] = {"cell_rise", "cell_fall"};
    static const char *const slews[] = {"rise_transition", "fall_transition"};

    lt_buf_printf(r->b,
                  "    bus (%s) {\n      bus_type : bits%d;\n      direction : output;\n      max_capacitance : %.6f;\n"
                  "      timing () {\n        related_pin : \"clk\";\n        timing_type : rising_edge;\n"
                  "        timing_sense : non_unate;\n",
                  pin, width, r->max_pf);
    for (int i = 0; i < 2; i++)
        lt_buf_printf(r->b, "        %s (by_load) { index_1 (\"0, %.6f\"); values (\"%.5f, %.5f\"); }\n", delays[i],
                      r->max_pf, r->e->access_ns, r->e->access_ns + r->e->setup_ns);
    for (int i = 0; i < 2; i++)
        lt_buf_printf(r->b, "        %s (by_load) { index_1 (\"0, %.6f\"); values (\"%.5f, %.5f\"); }\n", slews[i],
                      r->max_pf, r->max_slew / 10, r->max_slew);
    lt_buf_puts(r->b, "      }\n    }\n");
}

static void bus_types(lt_buf *b, const elab_ram *rams, size_t n)
{
    for (size_t i = 0; i < 2 * n; i++) {
        int w = i & 1 ? address_bits(rams[i / 2].depth) : rams[i / 2].width;
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = w == (j & 1 ? address_bits(rams[j / 2].depth) : rams[j / 2].width);
        if (!seen)
            lt_buf_printf(b,
                          "  type (bits%d) {\n    base_type : array;\n    data_type : bit;\n    bit_width : %d;\n"
                          "    bit_from : %d;\n    bit_to : 0;\n    downto : true;\n  }\n",
                          w, w, w - 1);
    }
}

lt_code elab_write_liberty(const elab_ram *rams, size_t n, const celllib *lib, const char *path, lt_err *err)
{
    lt_buf b = {0};
    lt_code code = LT_OK;
    double shrink = lib->node_nm / sram_model.node_nm;
    double max_pf = lib->facts ? lib->facts->buf_max_ff / 1000 : 0.06 * shrink;

    lt_buf_printf(&b,
                  "/* RAM timing from the SRAM model (docs/sram-model.md); areas are for information. */\n"
                  "library (lutra_rams) {\n  delay_model : table_lookup;\n  time_unit : \"1ns\";\n"
                  "  voltage_unit : \"1V\";\n  current_unit : \"1mA\";\n  pulling_resistance_unit : \"1kohm\";\n"
                  "  leakage_power_unit : \"1nW\";\n  capacitive_load_unit (1, pf);\n  nom_voltage : %.3f;\n"
                  "  nom_temperature : 25;\n  nom_process : 1;\n"
                  "  slew_lower_threshold_pct_rise : 20;\n  slew_upper_threshold_pct_rise : 80;\n"
                  "  slew_lower_threshold_pct_fall : 20;\n  slew_upper_threshold_pct_fall : 80;\n"
                  "  input_threshold_pct_rise : 50;\n  input_threshold_pct_fall : 50;\n"
                  "  output_threshold_pct_rise : 50;\n  output_threshold_pct_fall : 50;\n"
                  "  lu_table_template (by_load) {\n    variable_1 : total_output_net_capacitance;\n"
                  "    index_1 (\"0, 1\");\n  }\n",
                  lib->voltage > 0 ? lib->voltage : sram_model.voltage);
    bus_types(&b, rams, n);
    for (size_t i = 0; i < n && code == LT_OK; i++) {
        sram_estimate e;
        code = sram_estimate_memory(rams[i].width, rams[i].depth, rams[i].ports, lib, &e, err);
        if (code != LT_OK) break;
        liberty_ram r = {&b, &e, 0.005 * shrink, 0.025 * shrink, max_pf, 2 * e.setup_ns};
        int addr = address_bits(rams[i].depth), width = rams[i].width;
        lt_buf_printf(&b,
                      "  cell (%s) {\n    area : %.1f;\n    interface_timing : true;\n    pin (clk) {\n"
                      "      direction : input;\n      clock : true;\n      capacitance : %.6f;\n    }\n",
                      rams[i].module, e.area, r.clock_pf);
        if (rams[i].ports == SRAM_1RW) {
            input(&r, "en", 0);
            input(&r, "we", 0);
            input(&r, "addr", addr);
        } else {
            input(&r, "we", 0);
            input(&r, "re", 0);
            input(&r, "waddr", addr);
            input(&r, "raddr", addr);
        }
        input(&r, "wdata", width);
        output(&r, "rdata", width);
        lt_buf_puts(&b, "  }\n");
    }
    lt_buf_puts(&b, "}\n");
    if (code == LT_OK && !lt_buf_ok(&b)) code = lt_fail(err, LT_EMEM, "out of memory");
    if (code == LT_OK) code = lt_write_file(path, b.data, b.len, err);
    lt_buf_free(&b);
    return code;
}

lt_code elab_write_verilog(const elab_ram *rams, size_t n, const char *path, lt_err *err)
{
    lt_buf b = {0};

    lt_buf_puts(&b, "// The memories of a mapped netlist, to simulate it together with the RAM wrappers.\n");
    for (size_t i = 0; i < n; i++) {
        const elab_ram *r = &rams[i];
        int a = address_bits(r->depth) - 1, w = r->width - 1;
        bool two = r->ports == SRAM_1R1W;
        lt_buf_printf(&b, "\nmodule %s (input clk, input we, input %s, ", r->module, two ? "re" : "en");
        if (two)
            lt_buf_printf(&b, "input [%d:0] waddr, input [%d:0] raddr, ", a, a);
        else
            lt_buf_printf(&b, "input [%d:0] addr, ", a);
        lt_buf_printf(&b, "input [%d:0] wdata, output [%d:0] rdata);\n", w, w);
        lt_buf_printf(
            &b,
            "    lutra_ram_%s #(.WIDTH(%d), .DEPTH(%d)) u (.clk(clk), .we(we), %s, .wdata(wdata), .rdata(rdata));\n",
            sram_ports_name(r->ports), r->width, r->depth,
            two ? ".re(re), .waddr(waddr), .raddr(raddr)" : ".en(en), .addr(addr)");
        lt_buf_puts(&b, "endmodule\n");
    }
    lt_code code = lt_buf_ok(&b) ? lt_write_file(path, b.data, b.len, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    return code;
}
