/* Readers of Liberty, RTLIL and elaboration JSON; hierarchical area; buffer trees. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "report/area.h"
#include "report/elab.h"
#include "report/liberty.h"
#include "report/netbuf.h"
#include "report/netlist.h"
#include "report/techmap.h"

static lt_err err;

/* ---- Liberty ---- */

typedef struct {
    char log[1024];
} trace;

static lt_code on_begin(void *ctx, int depth, text_t type, text_t name, lt_err *e)
{
    trace *t = ctx;
    (void)e;
    sprintf(t->log + strlen(t->log), "%d+%.*s(%.*s) ", depth, (int)type.len, type.s, (int)name.len, name.s);
    return LT_OK;
}

static lt_code on_attr(void *ctx, int depth, text_t name, text_t value, lt_err *e)
{
    trace *t = ctx;
    if (text_is(name, "stop")) return lt_fail(e, LT_EINPUT, "stopped");
    sprintf(t->log + strlen(t->log), "%d:%.*s=%.*s ", depth, (int)name.len, name.s, (int)value.len, value.s);
    return LT_OK;
}

static lt_code on_end(void *ctx, int depth, lt_err *e)
{
    trace *t = ctx;
    (void)e;
    sprintf(t->log + strlen(t->log), "%d- ", depth);
    return LT_OK;
}

static const lib_events events = {on_begin, on_attr, on_end};

static lt_code parse(const char *text, trace *t)
{
    t->log[0] = '\0';
    return lib_parse("x.lib", text, strlen(text), &events, t, &err);
}

static void liberty_forms(void **state)
{
    (void)state;
    trace t;
    assert_int_equal(
        parse("/* c */ library(l) {\n a : 1.5 ;\n b : \"x;y\";\n c : word // no semicolon\n"
              " d (1, pf);\n values ( \\\n \"1, 2\", \\\n \"3\" );\n cell (\"A\") { area : 2; pin(Y) {} }\n e : 7 }\n",
              &t),
        LT_OK);
    assert_string_equal(
        t.log, "0+library(l) 0:a=1.5 0:b=x;y 0:c=word // no semicolon 0:d=1, pf 0:values=\\\n \"1, 2\", \\\n \"3\" "
               "1+cell(A) 1:area=2 2+pin(Y) 2- 1- 0:e=7 0- ");
}

static void liberty_errors_name_the_line(void **state)
{
    (void)state;
    trace t;
    assert_int_equal(parse("library (l) {\n\n cell (A) {\n", &t), LT_EINPUT);
    assert_non_null(strstr(err.msg, "x.lib:4: the file ends inside a group"));
    assert_int_equal(parse("library (l) {\n}\n}\n", &t), LT_EINPUT);
    assert_non_null(strstr(err.msg, "x.lib:3:"));
    assert_int_equal(parse("library (l) {\n a : \"open\n", &t), LT_EINPUT);
    assert_int_equal(parse("library (l", &t), LT_EINPUT);
    assert_int_equal(parse("", &t), LT_EINPUT);
    assert_int_equal(parse("plain text", &t), LT_EINPUT);
    assert_int_equal(parse("library (l) {\n stop : 1;\n}", &t), LT_EINPUT);
    assert_string_equal(err.msg, "x.lib:2: stopped");
    /* every prefix of a good file is an error or a library, never a crash */
    const char *good =
        "library(l) { a : \"b\"; cell(C) { area : 1; pin(Y) { f : \"(A&B)\"; } values(\"1\", \"2\"); } /* x */ }";
    for (size_t n = 0; n < strlen(good); n++) {
        char *cut = strndup(good, n);
        (void)parse(cut, &t);
        free(cut);
    }
}

/* ---- cell library: the facts of osu018 on a small Liberty ---- */

static const char osu[] =
    "library (osu018_stdcells) {\n time_unit : \"1ns\";\n capacitive_load_unit (1,pf);\n nom_voltage : 1.8;\n"
    " cell (NAND2X1) { area : 24; pin(A) { direction : input; capacitance : 0.01; } pin(B) { direction : input; "
    "capacitance : 0.01; }\n"
    "  pin(Y) { direction : output; } }\n"
    " cell (DFFPOSX1) { area : 96; ff (I,N) { clocked_on : \"CLK\"; } pin(D) { direction : input; capacitance : 0.01; "
    "}\n"
    "  pin(CLK) { direction : input; clock : true; capacitance : 0.02; } pin(Q) { direction : output; } }\n"
    " cell (LATCH) { area : 0; latch (I,N) { enable : \"CLK\"; } pin(D) { direction : input; capacitance : 0.01; }\n"
    "  pin(CLK) { direction : input; capacitance : 0.02; } pin(Q) { direction : output; } }\n"
    " cell (BUFX4) { area : 32; pin(A) { direction : input; capacitance : 0.02; } pin(Y) { direction : output; } }\n"
    " cell (MUX2X1) { area : 48; }\n cell (FAX1) { area : 120; }\n}\n";

static celllib lib;
static char lib_path[64];

static int open_lib(void **state)
{
    (void)state;
    sprintf(lib_path, "lutra_netlist_%ld.lib", (long)getpid());
    if (lt_write_file(lib_path, osu, strlen(osu), &err) != LT_OK) return -1;
    return celllib_load(lib_path, &lib, &err) == LT_OK ? 0 : -1;
}

static int close_lib(void **state)
{
    (void)state;
    celllib_free(&lib);
    unlink(lib_path);
    return 0;
}

static void library_facts(void **state)
{
    (void)state;
    assert_string_equal(lib.name, "osu018");
    assert_true(lib.node_nm == 180 && lib.nand2_area == 24 && lib.voltage == 1.8 && lib.cap_ff == 1000);
    assert_true(celllib_area(&lib, "LATCH") == 56); /* the Liberty says 0 */
    assert_true(celllib_area(&lib, "NOSUCH") == 0 && celllib_area(&lib, NULL) == 0);
    const celllib_cell *ff = celllib_find(&lib, "DFFPOSX1");
    assert_true(ff->is_ff && !ff->is_latch && ff->n_pins == 3);
    assert_true(celllib_pin_of(&lib, ff, (text_t){"CLK", 3})->is_clock);
    assert_true(fabs(celllib_pin_of(&lib, ff, (text_t){"D", 1})->cap_ff - 10) < 1e-9);
    assert_null(celllib_pin_of(&lib, ff, (text_t){"X", 1}));

    lt_buf b = {0};
    techmap_write(&lib, &b);
    assert_non_null(strstr(b.data, "FAX1 u (.A(a), .B(b), .C(c), .YS(s), .YC(co));"));
    assert_non_null(strstr(b.data, "module \\$_DLATCH_N_ (input E, input D, output Q);\n    LATCH u (.CLK(~E)"));
    lt_buf_free(&b);
}

static void unknown_library(void **state)
{
    (void)state;
    static const char text[] = "library (mine) { cell (NAND2) { area : 3; } cell (LAT) { area : 0; latch (a,b) {} } }";
    celllib other;
    assert_int_equal(lt_write_file(lib_path, text, strlen(text), &err), LT_OK);
    assert_int_equal(celllib_load(lib_path, &other, &err), LT_OK);
    assert_null(other.facts);
    assert_string_equal(other.name, "mine");
    assert_true(other.node_nm == 0 && celllib_area(&other, "LAT") == 0);
    celllib_free(&other);
    assert_int_equal(lt_write_file(lib_path, "library (x) { }", 15, &err), LT_OK);
    assert_int_equal(celllib_load(lib_path, &other, &err), LT_EINPUT);
    celllib_free(&other);
    assert_int_equal(lt_write_file(lib_path, osu, strlen(osu), &err), LT_OK);
}

/* ---- RTLIL and area ---- */

static const char netlist[] =
    "# Generated by Yosys\nautoidx 9\n"
    "attribute \\blackbox 1\nmodule \\lutra_ram_1rw_16x64\n  wire width 6 input 4 \\addr\n  wire input 1 \\clk\n"
    "  wire width 16 output 6 \\rdata\nend\n"
    "module \\lutra_post_2\n  wire input 1 \\clk\n  wire input 2 \\d\n  wire output 3 \\q\n"
    "  cell \\DFFPOSX1 \\r\n    connect \\CLK \\clk\n    connect \\D \\d\n    connect \\Q \\q\n  end\n"
    "  cell \\LATCH \\l\n    connect \\CLK \\clk\n    connect \\D \\q\n  end\nend\n"
    "module \\lutra_exec_x\n  wire input 1 \\clk\n  wire input 2 \\a\n  wire output 3 \\y\n  wire \\n\n"
    "  cell \\NAND2X1 \\g\n    connect \\A \\a\n    connect \\B 1'1\n    connect \\Y \\n\n  end\n"
    "  cell \\lutra_post_2 \\u_post\n    connect \\clk \\clk\n    connect \\d \\n\n    connect \\q \\y\n  end\n"
    "  cell \\lutra_ram_1rw_16x64 \\u_mem\n    connect \\addr { \\a \\a 2'00 \\n 1'x }\n    connect \\clk \\clk\n  "
    "end\nend\n"
    "attribute \\src \"module \\\\fake\"\nmodule \\lutra_top\n  wire input 1 \\clk\n  wire input 2 \\a\n  wire output "
    "3 \\y\n"
    "  wire width 4 offset 1 \\v\n"
    "  cell \\lutra_exec_x \\u_exec\n    parameter \\X 3\n    connect \\clk \\clk\n    connect \\a \\v [2]\n    "
    "connect \\y \\y\n  end\n"
    "  cell \\lutra_exec_x \\u_exec2\n    connect \\clk \\clk\n    connect \\a \\v [3:3]\n  end\n"
    "  cell \\NAND2X1 $abc$12\n    connect \\A \\a\n    connect \\B \\a\n    connect \\Y \\v [0]\n  end\n"
    "  connect \\v [3:1] { \\a \\a \\v [0] }\nend\n";

static void netlist_is_read(void **state)
{
    (void)state;
    nl_design d;
    assert_int_equal(nl_parse("n.il", netlist, strlen(netlist), &d, &err), LT_OK);
    assert_int_equal(d.n_modules, 4);
    const nl_module *top = &d.modules[nl_find(&d, "lutra_top")];
    assert_int_equal(top->n_cells, 3);
    assert_int_equal(top->n_nets, 7);
    assert_true(d.modules[nl_find(&d, "lutra_ram_1rw_16x64")].blackbox && !top->blackbox);
    /* v[1] is v[0]; v[2] and v[3] are a */
    assert_int_equal(nl_root(top, 4), nl_root(top, 3));
    assert_int_equal(nl_root(top, 5), nl_root(top, 6));
    assert_int_equal(nl_root(top, 5), nl_root(top, 1));
    const nl_module *x = &d.modules[nl_find(&d, "lutra_exec_x")];
    assert_int_equal(x->cells[2].n_pins, 7);
    int order[4];
    assert_int_equal(nl_bottom_up(&d, order, &err), LT_OK);
    assert_int_equal(order[3], nl_find(&d, "lutra_top"));
    nl_free(&d);
}

static void expect_netlist_error(const char *text, const char *message)
{
    nl_design d;
    err.msg[0] = '\0';
    assert_int_equal(nl_parse("n.il", text, strlen(text), &d, &err), LT_EINPUT);
    if (!strstr(err.msg, message)) fail_msg("got '%s', expected '%s'", err.msg, message);
    nl_free(&d);
}

static void netlist_errors(void **state)
{
    (void)state;
    expect_netlist_error("", "no modules");
    expect_netlist_error("hello world\n", "n.il:1: expected a module");
    expect_netlist_error("module \\a\n  wire \\x\n", "ends inside a module");
    expect_netlist_error("module \\a\n  wire \\x\n  wire \\x\nend\n", "n.il:3: second wire");
    expect_netlist_error("module \\a\n  process $p\nend\n", "not a mapped netlist: found 'process'");
    expect_netlist_error("module \\a\n  cell \\B \\b\n    connect \\X \\nowire\n  end\nend\n",
                         "n.il:3: unknown wire '\\nowire'");
    expect_netlist_error("module \\a\n  wire width 2 \\v\n  cell \\B \\b\n    connect \\X \\v [2]\n  end\nend\n",
                         "bad bit");
    expect_netlist_error("module \\a\n  cell \\B \\b\n    connect \\X { 1'0\n  end\nend\n", "expected a signal");
    expect_netlist_error("module \\a\nend\nmodule \\a\nend\n", "second module");
    expect_netlist_error("module \\a\n  wire width 99999999 \\v\nend\n", "bad width");

    const char *loop = "module \\a\n  cell \\b \\x\n  end\nend\nmodule \\b\n  cell \\a \\x\n  end\nend\n";
    nl_design d;
    int order[2];
    assert_int_equal(nl_parse("n.il", loop, strlen(loop), &d, &err), LT_OK);
    assert_int_equal(nl_bottom_up(&d, order, &err), LT_EINPUT);
    nl_free(&d);
    for (size_t n = 0; n < strlen(netlist); n++) { /* truncated anywhere: an error or a smaller design */
        char *cut = strndup(netlist, n);
        (void)nl_parse("n.il", cut, n, &d, &err);
        nl_free(&d);
        free(cut);
    }
}

static void area_by_hand(void **state)
{
    (void)state;
    static const elab_ram rams[] = {{"lutra_ram_1rw_16x64", 16, 64, SRAM_1RW, 0}};
    nl_design d;
    area_report a;
    sram_estimate ram;
    assert_int_equal(nl_parse("n.il", netlist, strlen(netlist), &d, &err), LT_OK);
    assert_int_equal(area_measure(&d, "lutra_top", &lib, rams, 1, &a, &err), LT_OK);
    assert_int_equal(sram_estimate_memory(16, 64, SRAM_1RW, &lib, &ram, &err), LT_OK);
    /* two exec: NAND2 + (flip-flop + latch at its real 56) + RAM each; one NAND2 in the top */
    assert_true(a.total.logic == 2 * (24 + 96 + 56) + 24);
    assert_true(fabs(a.total.sram - 2 * ram.area) < 1e-6);
    assert_int_equal(a.total.cells, 7);
    assert_int_equal(a.total.flip_flops, 2);
    assert_int_equal(a.total.latches, 2);
    assert_int_equal(a.total.sram_bits, 2 * 16 * 64);
    assert_true(a.block[BLOCK_CORE].logic == 48 && fabs(a.block[BLOCK_CORE].sram - 2 * ram.area) < 1e-6);
    assert_true(a.block[BLOCK_POST].logic == 2 * 152 && a.block[BLOCK_GLUE].logic == 24);
    assert_int_equal(a.n_rams, 1);
    assert_int_equal(a.rams[0].ram.count, 2);
    assert_int_equal(a.rams[0].block_count[BLOCK_CORE], 2);
    assert_int_equal(a.n_modules, 3);
    assert_string_equal(a.modules[0].name, "lutra_post_2"); /* the largest share first */
    assert_int_equal(a.modules[0].instances, 2);
    assert_int_equal(a.n_cells, 3);
    area_free(&a);

    assert_int_equal(area_measure(&d, "lutra_top", &lib, rams, 0, &a, &err), LT_EINPUT); /* a RAM nobody planned */
    assert_non_null(strstr(err.msg, "lutra_ram_1rw_16x64"));
    area_free(&a);
    assert_int_equal(area_measure(&d, "nosuch", &lib, rams, 1, &a, &err), LT_EINPUT);
    area_free(&a);
    nl_free(&d);

    static const char unmapped[] = "module \\lutra_top\n  cell $_AND_ \\x\n  end\n  cell \\FOO \\y\n  end\nend\n";
    assert_int_equal(nl_parse("n.il", unmapped, strlen(unmapped), &d, &err), LT_OK);
    assert_int_equal(area_measure(&d, "lutra_top", &lib, rams, 0, &a, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "2 cell types are not mapped to library osu018: $_AND_, FOO"));
    area_free(&a);
    nl_free(&d);
}

/* ---- elaboration ---- */

#define MEM(name, w, d, wr)                                                                                            \
    "\"" name "\": {\"type\": \"$mem_v2\", \"parameters\": {\"WIDTH\": \"" w "\", \"SIZE\": \"" d                      \
    "\", \"WR_PORTS\": \"" wr "\"}}"

static const char elab_json[] =
    "{\"modules\": {\"lutra_top\": {\"cells\": {"
    "\"a\": {\"type\": \"$paramod$1\\\\pe\"}, \"b\": {\"type\": \"$paramod$2\\\\pe\"}, \"c\": {\"type\": "
    "\"$paramod$2\\\\pe\"}}},"
    "\"$paramod$1\\\\pe\": {\"parameter_default_values\": {\"W\": \"1001\"}, \"cells\": {"
    "\"m\": {\"type\": \"$paramod$3\\\\lutra_ram_1rw\"}}},"
    "\"$paramod$2\\\\pe\": {\"parameter_default_values\": {\"W\": \"0011\"}, \"cells\": {" MEM(
        "rf", "1000", "10", "1") ", " MEM("rom", "10000", "10000",
                                          "0") "}},"
                                               "\"$paramod$3\\\\lutra_ram_1rw\": {\"cells\": {" MEM(
                                                   "mem", "100000", "1000000",
                                                   "1") "}},"
                                                        "\"unused\": {\"cells\": {" MEM("big", "11111111", "11111111",
                                                                                        "1") "}}}}";

static lt_code read_elab(const char *json, long long each, long long total, elab *e)
{
    return elab_read("e.json", json, strlen(json), "lutra_top", (elab_limits){each, total}, e, &err);
}

static void elaboration(void **state)
{
    (void)state;
    elab *e = malloc(sizeof *e);
    assert_int_equal(read_elab(elab_json, 16, 32, e), LT_OK);
    assert_int_equal(e->n_rams, 1);
    assert_string_equal(e->rams[0].module, "lutra_ram_1rw_32x64");
    assert_int_equal(e->rams[0].count, 1);
    assert_int_equal(e->ram_bits, 2048);
    assert_int_equal(e->ff_memory_bits,
                     32); /* two instances of 8 x 2; the ROM is logic; the unused module does not count */
    assert_non_null(strstr(e->memories.data, ".rf: 2 x 8 bits, 2 times"));

    static const char il[] = "attribute \\hdlname \"\\\\pe\"\nmodule $paramod$2\\pe\n  parameter \\W 3\nend\n"
                             "module \\lutra_top\n  cell $paramod$1\\pe \\a\n    connect \\cell \\x\n  end\nend";
    lt_buf out = {0};
    assert_int_equal(elab_rename(e, il, strlen(il), &out, &err), LT_OK);
    assert_string_equal(out.data, "attribute \\hdlname \"\\\\pe\"\nmodule \\pe_1\n  parameter \\W 3\nend\n"
                                  "module \\lutra_top\n  cell \\pe_2 \\a\n    connect \\cell \\x\n  end\nend");
    lt_buf_free(&out);
    elab_free(e);
    free(e);
}

static void memory_guard(void **state)
{
    (void)state;
    elab *e = malloc(sizeof *e);
    assert_int_equal(read_elab(elab_json, 15, 1000, e), LT_EINPUT);
    assert_non_null(strstr(err.msg, "about to become flip-flops"));
    assert_non_null(strstr(err.msg, "pe_1.rf: 2 words x 8 bits = 16 bits"));
    elab_free(e);
    assert_int_equal(read_elab(elab_json, 1000, 31, e), LT_EINPUT);
    assert_non_null(strstr(err.msg, "32 bits of memory are about to become flip-flops"));
    elab_free(e);
    const char *wrong = "{\"modules\": {\"lutra_top\": {\"cells\": {\"m\": {\"type\": \"lutra_ram_2r2w\"}}},"
                        "\"lutra_ram_2r2w\": {\"cells\": {" MEM("mem", "1000", "1000", "1") "}}}}";
    assert_int_equal(read_elab(wrong, 1000, 1000, e), LT_EINPUT);
    assert_non_null(strstr(err.msg, "lutra_ram_2r2w"));
    elab_free(e);
    assert_int_equal(read_elab("{\"modules\": {}}", 1, 1, e), LT_EINPUT);
    elab_free(e);
    assert_int_equal(read_elab("{\"modules\": {\"x\": {}}}", 1, 1, e), LT_EINPUT);
    elab_free(e);
    assert_int_equal(read_elab("{\"modules\": {\"x\":\n ", 1, 1, e), LT_EINPUT);
    assert_non_null(strstr(err.msg, "e.json:2:"));
    elab_free(e);
    free(e);
}

static void rams_round_trip(void **state)
{
    (void)state;
    elab *e = malloc(sizeof *e), *again = malloc(sizeof *again);
    char path[80], *text;
    size_t n, len;
    assert_int_equal(read_elab(elab_json, 16, 32, e), LT_OK);
    sprintf(path, "%s.json", lib_path);
    assert_int_equal(elab_write_rams(e, path, &err), LT_OK);
    assert_int_equal(elab_read_rams(path, again->rams, &n, &err), LT_OK);
    assert_int_equal(n, 1);
    assert_string_equal(again->rams[0].module, e->rams[0].module);
    assert_true(again->rams[0].width == 32 && again->rams[0].depth == 64 && again->rams[0].ports == SRAM_1RW);
    assert_int_equal(lt_write_file(path, "[{\"module\": \"x\"}]", 17, &err), LT_OK);
    assert_int_equal(elab_read_rams(path, again->rams, &n, &err), LT_EINPUT);
    /* the Liberty of the RAMs is Liberty, with the model's times */
    assert_int_equal(elab_write_liberty(e->rams, e->n_rams, &lib, path, &err), LT_OK);
    assert_int_equal(lt_read_file(path, 1 << 20, &text, &len, &err), LT_OK);
    static const lib_events none = {NULL, NULL, NULL};
    assert_int_equal(lib_parse(path, text, len, &none, NULL, &err), LT_OK);
    sram_estimate s;
    char number[32];
    assert_int_equal(sram_estimate_memory(32, 64, SRAM_1RW, &lib, &s, &err), LT_OK);
    sprintf(number, "(\"%.5f, %.5f\")", s.access_ns, s.access_ns + s.setup_ns);
    assert_non_null(strstr(text, "cell (lutra_ram_1rw_32x64)"));
    assert_non_null(strstr(text, number));
    free(text);
    unlink(path);
    elab_free(e);
    free(e);
    free(again);
}

/* ---- buffer trees ---- */

/* A module whose input drives `sinks` flip-flop inputs, and a top that drives two of these modules from one gate. */
static void fanout_netlist(int sinks, lt_buf *b)
{
    lt_buf_puts(b, "module \\leaf\n  wire input 1 \\clk\n  wire input 2 \\d\n");
    for (int i = 0; i < sinks; i++)
        lt_buf_printf(b, "  cell \\DFFPOSX1 \\r%d\n    connect \\CLK \\clk\n    connect \\D \\d\n  end\n", i);
    lt_buf_puts(b, "end\nmodule \\lutra_top\n  wire input 1 \\clk\n  wire input 2 \\a\n  wire \\n\n"
                   "  cell \\NAND2X1 \\g\n    connect \\A \\a\n    connect \\B \\a\n    connect \\Y \\n\n  end\n");
    for (int i = 0; i < 2; i++)
        lt_buf_printf(b, "  cell \\leaf \\u%d\n    connect \\clk \\clk\n    connect \\d \\n\n  end\n", i);
    lt_buf_puts(b, "end\n");
}

static netbuf_stats run_netbuf(const lt_buf *in, lt_buf *out)
{
    nl_design d;
    netbuf_stats s;
    assert_int_equal(nl_parse("in.il", in->data, in->len, &d, &err), LT_OK);
    assert_int_equal(netbuf_run(&d, in->data, in->len, "lutra_top", "clk", &lib, &s, out, &err), LT_OK);
    nl_free(&d);
    return s;
}

static void light_nets_are_left_alone(void **state)
{
    (void)state;
    lt_buf in = {0}, out = {0};
    fanout_netlist(10, &in); /* 100 fF per leaf, 200 fF on the gate: below 0.6 * 400 */
    netbuf_stats s = run_netbuf(&in, &out);
    assert_int_equal(s.buffers, 0);
    assert_true(fabs(s.worst_ff - 200) < 1e-6);
    assert_int_equal(out.len, in.len);
    assert_memory_equal(out.data, in.data, in.len);
    lt_buf_free(&in);
    lt_buf_free(&out);
}

static void heavy_nets_get_trees(void **state)
{
    (void)state;
    lt_buf in = {0}, out = {0};
    fanout_netlist(1000, &in); /* 10 pF: 25 buffers of 400 fF, these are 500 fF: 2 more, 40 fF remain */
    netbuf_stats s = run_netbuf(&in, &out);
    assert_int_equal(s.buffers, 27);
    assert_int_equal(s.nets, 1);
    assert_true(fabs(s.worst_ff - 10000) < 1e-6);

    nl_design d;
    assert_int_equal(nl_parse("out.il", out.data, out.len, &d, &err), LT_OK);
    const nl_module *leaf = &d.modules[nl_find(&d, "leaf")];
    assert_int_equal(leaf->n_cells, 1000 + 27);
    /* every flip-flop hangs on a buffer, every net carries at most 400 fF, the clock is as it was */
    double load[2000] = {0};
    int clock_pins = 0, direct = 0;
    for (size_t c = 0; c < leaf->n_cells; c++) {
        bool ff = text_is(d.types[leaf->cells[c].type].name, "DFFPOSX1");
        for (size_t i = 0; i < leaf->cells[c].n_pins; i++) {
            const nl_pin *p = &leaf->pins[leaf->cells[c].first_pin + i];
            if (text_is(p->port, "D")) load[p->net] += 10;
            if (text_is(p->port, "A")) load[p->net] += 20;
            if (text_is(p->port, "CLK")) clock_pins += text_is(leaf->nets[p->net].name, "\\clk");
            direct += ff && text_is(p->port, "D") && text_is(leaf->nets[p->net].name, "\\d");
        }
    }
    assert_int_equal(clock_pins, 1000);
    assert_int_equal(direct, 0);
    double total = 0;
    for (size_t i = 0; i < leaf->n_nets; i++) {
        assert_true(load[i] <= 400);
        total += load[i];
    }
    assert_true(fabs(total - (10000 + 27 * 20)) < 1e-6);
    nl_free(&d);

    /* a second pass finds nothing to do */
    lt_buf again = {0};
    s = run_netbuf(&out, &again);
    assert_int_equal(s.buffers, 0);
    lt_buf_free(&again);
    lt_buf_free(&in);
    lt_buf_free(&out);
}

static void wide_signals_are_refused(void **state)
{
    (void)state;
    static const char text[] = "module \\lutra_top\n  wire width 2 \\v\nend\n";
    nl_design d;
    netbuf_stats s;
    lt_buf out = {0};
    assert_int_equal(nl_parse("x", text, strlen(text), &d, &err), LT_OK);
    assert_int_equal(netbuf_run(&d, text, strlen(text), "lutra_top", "clk", &lib, &s, &out, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "splitnets"));
    lt_buf_free(&out);
    nl_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(liberty_forms),
        cmocka_unit_test(liberty_errors_name_the_line),
        cmocka_unit_test(library_facts),
        cmocka_unit_test(unknown_library),
        cmocka_unit_test(netlist_is_read),
        cmocka_unit_test(netlist_errors),
        cmocka_unit_test(area_by_hand),
        cmocka_unit_test(elaboration),
        cmocka_unit_test(memory_guard),
        cmocka_unit_test(rams_round_trip),
        cmocka_unit_test(light_nets_are_left_alone),
        cmocka_unit_test(heavy_nets_get_trees),
        cmocka_unit_test(wide_signals_are_refused),
    };
    return cmocka_run_group_tests(tests, open_lib, close_lib);
}
