/* The SRAM model: robust fit, reading of macros, estimates. */
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
#include "report/lsq.h"
#include "report/sram.h"
#include "report/sramfit.h"

static bool near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * fabs(b);
}

/* ---- least squares ---- */

enum { POINTS = 20 };

static void plane(double *x, double *y)
{
    for (int i = 0; i < POINTS; i++) {
        x[3 * i] = 10 + i * i;
        x[3 * i + 1] = 5 + 3 * (i % 7);
        x[3 * i + 2] = 1;
        y[i] = 0.5 * x[3 * i] + 2 * x[3 * i + 1] + 7;
    }
}

static void fit_is_exact(void **state)
{
    (void)state;
    double x[3 * POINTS], y[POINTS], k[3], r[POINTS];
    lt_err err;
    plane(x, y);
    assert_int_equal(lsq_fit(POINTS, 3, x, y, 0.1, k, r, &err), LT_OK);
    assert_true(near(k[0], 0.5, 1e-9) && near(k[1], 2, 1e-9) && near(k[2], 7, 1e-9));
    for (int i = 0; i < POINTS; i++) assert_true(fabs(r[i]) < 1e-9);
}

static void fit_shrugs_off_odd_points(void **state)
{
    (void)state;
    double x[3 * POINTS], y[POINTS], k[3], r[POINTS];
    lt_err err;
    plane(x, y);
    y[4] *= 2.5;
    y[11] *= 3;
    y[17] *= 0.4;
    assert_int_equal(lsq_fit(POINTS, 3, x, y, 0.02, k, r, &err), LT_OK);
    assert_true(near(k[0], 0.5, 0.05) && near(k[1], 2, 0.05));
    assert_true(r[4] < -0.5 && r[11] < -0.6 && r[17] > 1);
}

static void fit_keeps_coefficients_positive(void **state)
{
    (void)state;
    double x[2 * POINTS], y[POINTS], k[2];
    lt_err err;
    for (int i = 0; i < POINTS; i++) {
        x[2 * i] = i + 1;
        x[2 * i + 1] = 1;
        y[i] = 3 * (i + 1) - 2; /* wants a negative constant */
    }
    assert_int_equal(lsq_fit(POINTS, 2, x, y, 0.1, k, NULL, &err), LT_OK);
    assert_true(k[0] > 0 && k[1] == 0);
}

static void fit_refuses_nonsense(void **state)
{
    (void)state;
    double x[4] = {1, 2, 3, 4}, y[2] = {1, 0}, k[3];
    lt_err err;
    assert_int_equal(lsq_fit(2, 2, x, y, 0.1, k, NULL, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "point 1"));
    assert_int_equal(lsq_fit(1, 2, x, y, 0.1, k, NULL, &err), LT_EINPUT);
    assert_int_equal(lsq_fit(2, 9, x, y, 0.1, k, NULL, &err), LT_EINTERNAL);
}

/* ---- macros in files ---- */

static char dir[] = "lutra_sram_XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[128];
    lt_err err;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(lt_write_file(path, text, strlen(text), &err), LT_OK);
}

static void put_macro(const char *name, int width, double area, double access, double energy)
{
    char text[1024], file[128];
    snprintf(text, sizeof text,
             "library (%s) {\n  nom_voltage : 1.0;\n  capacitive_load_unit (1,ff);\n  /* a comment */\n"
             "  cell (%s) {\n    area : %.6f;\n    memory () { type : ram; word_width : %d; }\n"
             "    pin (clk) { direction : input; clock : true;\n"
             "      internal_power () { rise_power (scalar) { values (\"%.6f\") } } }\n"
             "    bus (q) { direction : output; timing () { cell_rise (scalar) { values (\"%.6f\"); } } }\n  }\n}\n",
             name, name, area, width, energy * 1000, access);
    snprintf(file, sizeof file, "%s.lib", name);
    put(file, text);
}

static void macros_are_read_and_fitted(void **state)
{
    (void)state;
    static const int sizes[][2] = {{8, 64},    {16, 256}, {32, 128}, {64, 512},
                                   {48, 1024}, {128, 64}, {24, 32},  {96, 2048}};
    enum { N = sizeof sizes / sizeof *sizes };
    static sram_macro m[SRAMFIT_MAX_MACROS];
    static sram_fit fit;
    size_t n;
    lt_err err;

    for (int i = 0; i < N; i++) {
        char name[64];
        double w = sizes[i][0], d = sizes[i][1];
        snprintf(name, sizeof name, i % 2 ? "ram_%dx%d" : "ram_%dx%d_v2", sizes[i][i % 2], sizes[i][1 - i % 2]);
        put_macro(name, sizes[i][0], 0.6 * w * d + 9 * w + 0.5 * d, 0.2 + 0.001 * sqrt(w * d),
                  0.02 * w + 0.003 * w * sqrt(d));
    }
    put("cells.lib", "library (cells) { cell (INV) { area : 1; } }");
    put("notes.txt", "not a library");
    assert_int_equal(sramfit_read(dir, m, &n, &err), LT_OK);
    assert_int_equal(n, N);
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (int k = 0; k < N; k++) found |= m[i].width == sizes[k][0] && m[i].depth == sizes[k][1];
        assert_true(found);
    }
    assert_int_equal(sramfit_run(m, n, &fit, &err), LT_OK);
    assert_true(near(fit.k.area_bit, 0.6, 1e-4) && near(fit.k.area_width, 9, 1e-3) &&
                near(fit.k.area_depth, 0.5, 1e-2));
    assert_true(near(fit.k.access_0, 0.2, 1e-3) && near(fit.k.access_size, 0.001, 1e-3));
    assert_true(near(fit.k.energy_width, 0.02, 1e-3) && near(fit.k.energy_bitline, 0.003, 1e-3));
    assert_true(fit.k.voltage == 1.0);
}

static void bad_macros_are_refused(void **state)
{
    (void)state;
    static sram_macro m[SRAMFIT_MAX_MACROS];
    size_t n;
    lt_err err;

    assert_int_equal(sramfit_read(dir, m, &n, &err), LT_EINPUT); /* empty */
    assert_int_equal(sramfit_read("/nonexistent/folder", m, &n, &err), LT_EIO);
    put("a.lib", "library (x) { cell (ram_8x8) { memory () { word_width : 8; } } }");
    assert_int_equal(sramfit_read(dir, m, &n, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "no area"));
    put("a.lib", "library (x) { cell (ram_9x8) { area : 5; memory () { word_width : 16; } } }");
    assert_int_equal(sramfit_read(dir, m, &n, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "ram_9x8"));
    put("a.lib", "library (x) { cell (ram_8x8) { area : 5; ");
    assert_int_equal(sramfit_read(dir, m, &n, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "a.lib:1:"));
}

/* The coefficients in use come from the published macros, if these are at hand. */
static void table_is_the_fit(void **state)
{
    (void)state;
    static sram_macro m[SRAMFIT_MAX_MACROS];
    static sram_fit fit;
    const char *data = getenv("DATA");
    char path[4096];
    size_t n, used = 0;
    lt_err err;

    if (!data || !*data) {
        print_message("skipped: DATA is not set, so the published macros are not there\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/liberty/sram", data);
    assert_int_equal(sramfit_read(path, m, &n, &err), LT_OK);
    for (size_t i = 0; i < n; i++)
        if (strncmp(m[i].name, "fakeram45_", 10) == 0) m[used++] = m[i];
    assert_true(used >= 20);
    assert_int_equal(sramfit_run(m, used, &fit, &err), LT_OK);
    assert_true(near(sram_model.area_bit, fit.k.area_bit, 0.01));
    assert_true(near(sram_model.area_width, fit.k.area_width, 0.01));
    assert_true(near(sram_model.area_depth, fit.k.area_depth, 0.01));
    assert_true(near(sram_model.access_0, fit.k.access_0, 0.01));
    assert_true(near(sram_model.access_size, fit.k.access_size, 0.01));
    assert_true(near(sram_model.energy_bitline, fit.k.energy_bitline, 0.01));
    assert_true(near(sram_model.voltage, fit.k.voltage, 1e-6));
}

/* ---- estimates ---- */

static celllib_cell cells[] = {{.name = "DFFPOSX1", .area = 96},
                               {.name = "LATCH", .area = 56},
                               {.name = "MUX2X1", .area = 48},
                               {.name = "NAND2X1", .area = 24}};

static celllib library(double node)
{
    celllib lib = {
        .facts = &celllib_table[0], .node_nm = node, .nand2_area = 24, .voltage = 1.1, .n_cells = 4, .cells = cells};
    strcpy(lib.name, "test");
    return lib;
}

static sram_estimate estimate(int w, int d, sram_ports p, const celllib *lib)
{
    sram_estimate e;
    lt_err err;
    assert_int_equal(sram_estimate_memory(w, d, p, lib, &e, &err), LT_OK);
    return e;
}

static void macro_area_by_hand(void **state)
{
    (void)state;
    celllib lib = library(45);
    const sram_coefficients *k = &sram_model;
    sram_estimate e = estimate(64, 512, SRAM_1RW, &lib);
    assert_int_equal(e.kind, SRAM_MACRO);
    assert_int_equal(e.slices * e.banks, 1);
    assert_true(near(e.area, k->area_bit * 64 * 512 + k->area_width * 64 + k->area_depth * 512, 1e-12));
    assert_true(near(e.access_ns, k->access_0 + k->access_size * sqrt(64 * 512), 1e-12));
    assert_true(near(e.energy_pj, k->energy_width * 64 + k->energy_bitline * 64 * sqrt(512), 1e-12));
    /* widths are rounded up to bytes */
    assert_true(estimate(57, 512, SRAM_1RW, &lib).area == e.area);
    assert_true(estimate(56, 512, SRAM_1RW, &lib).area < e.area);
    /* the second port costs 30 % of the cells and a second decoder */
    double two = 1.3 * k->area_bit * 64 * 512 + k->area_width * 64 + 2 * k->area_depth * 512;
    assert_true(near(estimate(64, 512, SRAM_1R1W, &lib).area, two, 1e-12));
}

static void scales_with_node_and_voltage(void **state)
{
    (void)state;
    celllib a = library(45), b = library(180);
    b.voltage = 2.2;
    sram_estimate x = estimate(64, 512, SRAM_1RW, &a), y = estimate(64, 512, SRAM_1RW, &b);
    assert_true(near(y.area, 16 * x.area, 1e-12));
    assert_true(near(y.access_ns, 4 * x.access_ns, 1e-12));
    assert_true(near(y.setup_ns, 4 * x.setup_ns, 1e-12));
    assert_true(near(y.energy_pj, 16 * x.energy_pj, 1e-12));
    assert_true(near(y.area_by_nand2, x.area * 24 / 0.798, 1e-12));
}

static void large_memories_are_tiled(void **state)
{
    (void)state;
    celllib lib = library(180);
    sram_estimate e = estimate(512, 16384, SRAM_1RW, &lib);
    assert_true(e.slices >= 4 && e.banks > 1);
    assert_true(e.slice_width <= SRAM_MAX_WIDTH && e.bank_depth <= SRAM_MAX_DEPTH);
    assert_true(e.slice_width * e.bank_depth <= SRAM_MAX_BITS);
    assert_true(e.slices * e.slice_width >= 512 && e.banks * e.bank_depth >= 16384);
    /* only one bank works at a time */
    assert_true(e.energy_pj <
                0.5 * e.slices * e.banks * 16 * sram_macro_energy(&sram_model, e.slice_width, e.bank_depth));
}

static void grows_with_size(void **state)
{
    (void)state;
    celllib lib = library(180);
    for (int p = 0; p < 2; p++) {
        double last = 0;
        for (int d = 8; d <= 32768; d *= 2) {
            sram_estimate e = estimate(64, d, (sram_ports)p, &lib);
            assert_true(e.area >= last);
            last = e.area;
        }
    }
    assert_true(estimate(64, 16, SRAM_1RW, &lib).area ==
                estimate(64, 32, SRAM_1RW, &lib).area); /* compilers start at 32 words */
}

static void small_memories_are_registers(void **state)
{
    (void)state;
    celllib lib = library(180);
    sram_estimate e = estimate(16, 4, SRAM_1RW, &lib);
    double mux = 48, ff = 96, latch = 56, nand = 24, both = 16 * (ff + mux) + 4 * 2 * nand + 16 * 3 * mux;
    assert_true(near(e.area_kind[SRAM_FLIPFLOPS], both + 64 * (ff + mux), 1e-12));
    assert_true(near(e.area_kind[SRAM_LATCHES], both + 64 * latch + 4 * (latch + 2 * nand) + 16 * ff, 1e-12));
    assert_int_equal(e.kind, SRAM_LATCHES);
    assert_true(e.area == e.area_kind[SRAM_LATCHES]);
    assert_true(isnan(e.area_kind[SRAM_MACRO]) && isnan(e.energy_pj));
    e = estimate(8, 1, SRAM_1RW, &lib); /* one word: the write-data row of latches costs more than it saves */
    assert_int_equal(e.kind, SRAM_FLIPFLOPS);
    assert_string_equal(sram_kind_name(e.kind), "flip-flops");
    assert_int_equal(estimate(16, 64, SRAM_1RW, &lib).kind, SRAM_MACRO);
}

static void unknown_things_are_refused(void **state)
{
    (void)state;
    celllib lib = library(0);
    sram_estimate e;
    lt_err err;
    assert_int_equal(sram_estimate_memory(8, 64, SRAM_1RW, &lib, &e, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "node"));
    lib = library(45);
    assert_int_equal(sram_estimate_memory(0, 64, SRAM_1RW, &lib, &e, &err), LT_EINPUT);
    assert_int_equal(sram_estimate_memory(8, 0, SRAM_1RW, &lib, &e, &err), LT_EINPUT);
    assert_int_equal(sram_estimate_memory(1 << 20, 1 << 20, SRAM_1RW, &lib, &e, &err), LT_EINPUT);
    lib.facts = NULL; /* a library that is not in the table still has macros, if its node is given */
    lib.nand2_area = 0;
    assert_int_equal(sram_estimate_memory(8, 4, SRAM_1RW, &lib, &e, &err), LT_OK);
    assert_int_equal(e.kind, SRAM_MACRO);
    assert_true(isnan(e.area_by_nand2) && isnan(e.area_kind[SRAM_FLIPFLOPS]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_is_exact),
        cmocka_unit_test(fit_shrugs_off_odd_points),
        cmocka_unit_test(fit_keeps_coefficients_positive),
        cmocka_unit_test(fit_refuses_nonsense),
        cmocka_unit_test_setup_teardown(macros_are_read_and_fitted, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(bad_macros_are_refused, make_dir, remove_dir),
        cmocka_unit_test(table_is_the_fit),
        cmocka_unit_test(macro_area_by_hand),
        cmocka_unit_test(scales_with_node_and_voltage),
        cmocka_unit_test(large_memories_are_tiled),
        cmocka_unit_test(grows_with_size),
        cmocka_unit_test(small_memories_are_registers),
        cmocka_unit_test(unknown_things_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
