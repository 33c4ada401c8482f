/* lutra report sram | sram-fit: the memory model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_report.h"
#include "report/celllib.h"
#include "report/sram.h"
#include "report/sramfit.h"

static void print_area(const char *what, double um2, double bits)
{
    if (isfinite(um2))
        printf("  %-28s %14.1f um2  %8.3f um2/bit\n", what, um2, um2 / bits);
    else
        printf("  %-28s            n/a\n", what);
}

lt_code report_sram(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        {"liberty", 'l', CLI_TEXT, "FILE", "/usr/share/qflow/tech/osu018/osu018_stdcells.lib", 0, 0, "cell library"},
        {"node", 0, CLI_REAL, "NM", "0", 0, 1000, "node of a library that is not in the table; 0: not known"},
        {"width", 'w', CLI_INT, "BITS", "128", 1, 1 << 20, "bits per word"},
        {"depth", 'd', CLI_INT, "WORDS", "512", 1, 1 << 26, "words"},
        {"ports", 'p', CLI_CHOICE, "1rw|1r1w", "1rw", 0, 0, "ports"},
        {0}};
    static const cli_spec spec = {"report sram", NULL, 0, 0, "Area, access time and energy of one memory.", options};
    celllib lib = {0};
    sram_estimate e;
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    int w = (int)cli_int(&c, "width"), d = (int)cli_int(&c, "depth");
    lt_code code = celllib_load(cli_text(&c, "liberty"), &lib, err);
    if (code == LT_OK && !(lib.node_nm > 0)) lib.node_nm = cli_real(&c, "node");
    if (code == LT_OK) code = sram_estimate_memory(w, d, (sram_ports)cli_choice(&c, "ports"), &lib, &e, err);
    if (code == LT_OK) {
        double bits = (double)w * d;
        printf("%d bits x %d words, %s, %s (%g nm)\n", w, d, cli_text(&c, "ports"), lib.name, lib.node_nm);
        printf("  built as %s\n", sram_kind_name(e.kind));
        print_area("macro", e.area_kind[SRAM_MACRO], bits);
        print_area("macro, scaled by NAND2 area", e.area_by_nand2, bits);
        print_area("flip-flops", e.area_kind[SRAM_FLIPFLOPS], bits);
        print_area("latches", e.area_kind[SRAM_LATCHES], bits);
        printf("  macro tiling                 %d x %d of %d bits x %d words\n", e.slices, e.banks, e.slice_width,
               e.bank_depth);
        printf("  access %.3f ns, setup %.3f ns\n", e.access_ns, e.setup_ns);
        if (isfinite(e.energy_pj))
            printf("  energy %.2f pJ per access\n", e.energy_pj);
        else
            puts("  energy n/a");
    }
    celllib_free(&lib);
    cli_free(&c);
    return code;
}

static void print_fit(const sram_macro *m, const sram_fit *f, double node)
{
    printf("area   = %.4f w*d + %.3f w + %.4f d  um2\n", f->k.area_bit, f->k.area_width, f->k.area_depth);
    printf("access = %.4f + %.6f sqrt(w*d)  ns\n", f->k.access_0, f->k.access_size);
    printf("energy = %.5f w + %.6f w*sqrt(d)  pJ\n", f->k.energy_width, f->k.energy_bitline);
    printf("(w: bits rounded up to bytes, d: words; %g nm, %g V; %zu macros; residual = model / published - 1)\n\n",
           node, f->k.voltage, f->n);
    puts("macro                         bits  words       um2  um2/bit    area  access  energy");
    double sum[3] = {0};
    for (size_t i = 0; i < f->n; i++) {
        printf("%-28s %5d %6d %9.1f %8.3f %+6.1f%% %+6.1f%% %+6.1f%%\n", m[i].name, m[i].width, m[i].depth, m[i].area,
               m[i].area / m[i].width / m[i].depth, 100 * f->area_err[i], 100 * f->access_err[i],
               100 * f->energy_err[i]);
        sum[0] += fabs(f->area_err[i]);
        sum[1] += fabs(f->access_err[i]);
        sum[2] += fabs(f->energy_err[i]);
    }
    printf("mean of the absolute residuals %33s %5.1f%% %6.1f%% %6.1f%%\n", "", 100 * sum[0] / (double)f->n,
           100 * sum[1] / (double)f->n, 100 * sum[2] / (double)f->n);
}

static double off(double a, double b)
{
    return b > 0 ? fabs(a / b - 1) : fabs(a);
}

/* Does the table in sram.c still say what this fit says? */
static void compare_with_table(const sram_coefficients *k)
{
    const sram_coefficients *t = &sram_model;
    double worst = 0;
    const double pairs[][2] = {{k->area_bit, t->area_bit},
                               {k->area_width, t->area_width},
                               {k->area_depth, t->area_depth},
                               {k->access_0, t->access_0},
                               {k->access_size, t->access_size},
                               {k->energy_width, t->energy_width},
                               {k->energy_bitline, t->energy_bitline}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) worst = fmax(worst, off(pairs[i][0], pairs[i][1]));
    printf("\ncoefficients in use (gen/report/sram.c) differ by at most %.2f%%\n", 100 * worst);
}

/* Macros of other processes against the fit, scaled to their node. */
static void print_others(const sram_macro *m, size_t n, const sram_coefficients *k)
{
    static const struct {
        const char *prefix;
        double node, nand2; /* nand2: area of the process' library, um2 */
        sram_ports ports;
    } known[] = {{"fakeram7_", 7, 0.05832, SRAM_1RW}, {"sky130_sram_1rw1r_", 130, 3.7536, SRAM_1R1W}};
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < sizeof known / sizeof *known; p++) {
            if (strncmp(m[i].name, known[p].prefix, strlen(known[p].prefix)) != 0) continue;
            if (!any) puts("\nNot fitted: published / model, scaled by node^2 and by NAND2 area");
            any = true;
            double s = known[p].node / k->node_nm;
            double model = sram_macro_area(k, m[i].width, m[i].depth, known[p].ports);
            printf("%-34s %5d x %5d %11.1f um2  %6.2f  %6.2f\n", m[i].name, m[i].width, m[i].depth, m[i].area,
                   m[i].area / (model * s * s), m[i].area / (model * known[p].nand2 / 0.798));
        }
    }
}

lt_code report_sram_fit(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        {"prefix", 'p', CLI_TEXT, "TEXT", "fakeram45_", 0, 0, "fit the macros whose names start so"},
        {"node", 'n', CLI_REAL, "NM", "45", 1, 1000, "their node"},
        {0}};
    static const cli_spec spec = {
        "report sram-fit",
        "DIR",
        1,
        1,
        "Fits area, access time and energy to the macros (*.lib) in DIR and prints residuals.",
        options};
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    sram_macro *all = calloc(SRAMFIT_MAX_MACROS, sizeof *all), *used = calloc(SRAMFIT_MAX_MACROS, sizeof *used);
    sram_fit *fit = calloc(1, sizeof *fit);
    size_t n = 0, n_used = 0;

    lt_code code = all && used && fit ? sramfit_read(c.args[0], all, &n, err) : lt_fail(err, LT_EMEM, "out of memory");
    const char *prefix = cli_text(&c, "prefix");
    for (size_t i = 0; code == LT_OK && i < n; i++)
        if (strncmp(all[i].name, prefix, strlen(prefix)) == 0) used[n_used++] = all[i];
    if (code == LT_OK && !n_used)
        code = lt_fail(err, LT_EINPUT, "%s: none of %zu macros starts with '%s'", c.args[0], n, prefix);
    if (code == LT_OK) code = sramfit_run(used, n_used, fit, err);
    if (code == LT_OK) {
        fit->k.node_nm = cli_real(&c, "node");
        print_fit(used, fit, fit->k.node_nm);
        compare_with_table(&fit->k);
        print_others(all, n, &fit->k);
    }
    free(all);
    free(used);
    free(fit);
    cli_free(&c);
    return code;
}
