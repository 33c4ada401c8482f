/* lutra report compare | check: results of several configurations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd_report.h"
#include "report/celllib.h"
#include "report/compare.h"
#include "report/rules.h"

enum { MAX_ROWS = 64, MAX_PATH = 4096 };

#define RESULT_OPTIONS                                                                                                 \
    {"build", 'b', CLI_TEXT, "DIR", "build", 0, 0, "folder with one subfolder per configuration"},                     \
        {"model", 'm', CLI_TEXT, "NAME", "resnet20", 0, 0, "network that was simulated"},                              \
    {                                                                                                                  \
        "library", 'l', CLI_TEXT, "NAME|FILE", "osu018", 0, 0,                                                         \
            "library, as the folders under synth/ are named, or its Liberty file"                                      \
    }

/* The library's name: --library itself, or what the Liberty file that it names is called in the table. */
static lt_code library_name(const cli *c, char *name, size_t size, lt_err *err)
{
    const char *s = cli_text(c, "library");
    celllib lib;

    if (!strchr(s, '/') && !strstr(s, ".lib")) {
        if (snprintf(name, size, "%s", s) >= (int)size) return lt_fail(err, LT_EINPUT, "%s: name too long", s);
        return LT_OK;
    }
    lt_code code = celllib_load(s, &lib, err);
    if (code == LT_OK) snprintf(name, size, "%s", lib.name);
    celllib_free(&lib);
    return code;
}

static lt_code load_rows(const cli *c, const char *const *configs, size_t n, const char *baseline, result_row *rows,
                         lt_err *err)
{
    char library[64];

    LT_TRY(library_name(c, library, sizeof library, err));
    for (size_t i = 0; i < n; i++)
        LT_TRY(results_load(cli_text(c, "build"), configs[i], library, cli_text(c, "model"), &rows[i], err));
    results_derive(rows, n, baseline);
    return LT_OK;
}

static lt_code put(const char *dir, const char *name, const lt_buf *b, lt_err *err)
{
    char path[MAX_PATH];
    if (!lt_buf_ok(b)) return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return lt_fail(err, LT_EINPUT, "%s: path too long", dir);
    LT_TRY(lt_write_file(path, b->data, b->len, err));
    printf("%s\n", path);
    return LT_OK;
}

/* Runs gnuplot on a script. Without gnuplot there is no plot: said, not failed. */
static lt_code draw(const result_row *rows, size_t n, const char *dir, lt_err *err)
{
    char svg[MAX_PATH], tmp[MAX_PATH + 16], *data = NULL;
    lt_buf script = {0}, out = {0};
    size_t len;

    if (snprintf(svg, sizeof svg, "%s/compare.svg", dir) >= (int)sizeof svg || strchr(svg, '\''))
        return lt_fail(err, LT_EINPUT, "%s: not a usable path", dir);
    unlink(svg);
    if (system("command -v gnuplot >/dev/null 2>&1") != 0) {
        fprintf(stderr, "no plot: gnuplot is not installed\n");
        return LT_OK;
    }
    snprintf(tmp, sizeof tmp, "%s.tmp%ld", svg, (long)getpid());
    compare_gnuplot(rows, n, tmp, &script);
    lt_code code = lt_buf_ok(&script) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
    FILE *p = code == LT_OK ? popen("gnuplot -", "w") : NULL;
    if (code == LT_OK && !p) code = lt_fail(err, LT_EIO, "gnuplot could not be started");
    if (p) {
        size_t done = fwrite(script.data, 1, script.len, p);
        if (pclose(p) != 0 || done != script.len) code = lt_fail(err, LT_EIO, "gnuplot failed");
    }
    if (code == LT_OK) code = lt_read_file(tmp, 16 << 20, &data, &len, err);
    if (code == LT_OK) {
        lt_buf_add(&out, data, len);
        code = put(dir, "compare.svg", &out, err);
    }
    unlink(tmp);
    free(data);
    lt_buf_free(&out);
    lt_buf_free(&script);
    return code;
}

static lt_code write_all(const cli *c, const result_row *rows, size_t n, lt_err *err)
{
    const char *dir = cli_text(c, "out");
    compare_origin o = {cli_text(c, "baseline"), cli_text(c, "command")};
    lt_buf md = {0}, csv = {0}, json = {0};

    compare_markdown(rows, n, &o, &md);
    compare_csv(rows, n, &csv);
    lt_code code = compare_json(rows, n, &o, &json, err);
    if (code == LT_OK) code = lt_make_dirs(dir, err);
    if (code == LT_OK) code = put(dir, "compare.md", &md, err);
    if (code == LT_OK) code = put(dir, "compare.csv", &csv, err);
    if (code == LT_OK) code = put(dir, "compare.json", &json, err);
    if (code == LT_OK) code = draw(rows, n, dir, err);
    lt_buf_free(&md);
    lt_buf_free(&csv);
    lt_buf_free(&json);
    return code;
}

/* The short table for the terminal. */
static void print_table(const result_row *rows, size_t n)
{
    static const char *const keys[] = {"accuracy_integer", "cycles",  "fmax_mhz", "logic_um2",    "sram_um2",
                                       "inferences",       "per_mm2", "ratio",    "per_core_mm2", "core_ratio"};
    enum { N_KEYS = sizeof keys / sizeof *keys };
    char cell[64];

    printf("\n%-10s", "");
    for (int k = 0; k < N_KEYS; k++) printf(" %14s", result_find_column(keys[k])->title);
    for (size_t i = 0; i < n; i++) {
        printf("\n%-10s", rows[i].config);
        for (int k = 0; k < N_KEYS; k++)
            printf(" %14s", result_text(&rows[i], result_find_column(keys[k]), cell, sizeof cell));
    }
    puts("");
    for (size_t i = 0; i < n; i++)
        if (rows[i].notes[0]) printf("%s: %s\n", rows[i].config, rows[i].notes);
    puts("");
}

lt_code report_compare(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        RESULT_OPTIONS,
        {"out", 'o', CLI_TEXT, "DIR", "reports", 0, 0, "folder for compare.md, .csv, .json, .svg"},
        {"baseline", 'r', CLI_TEXT, "CONFIG", "ws16", 0, 0, "configuration that ratios are to"},
        {"command", 'c', CLI_TEXT, "TEXT", "make compare", 0, 0, "command that regenerates the report"},
        {0}};
    static const cli_spec spec = {"report compare",
                                  "CONFIG...",
                                  1,
                                  MAX_ROWS,
                                  "Performance per area of configurations, from the results in their build folders.",
                                  options};
    result_row *rows = calloc(MAX_ROWS, sizeof *rows);
    cli c;

    if (!rows) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code code = cli_parse(&c, &spec, argc, argv, err);
    if (code == LT_OK) {
        size_t n = (size_t)c.n_args;
        code = load_rows(&c, (const char *const *)c.args, n, cli_text(&c, "baseline"), rows, err);
        if (code == LT_OK) print_table(rows, n);
        if (code == LT_OK) code = write_all(&c, rows, n, err);
        cli_free(&c);
    }
    free(rows);
    return code;
}

/* One configuration against its rules; with --update the rules are made from the results. */
static lt_code check_one(const cli *c, const char *config, lt_buf *out, int *failed, int *missing, lt_err *err)
{
    char path[MAX_PATH];
    rule_set rules;
    result_row row;
    int f = 0, m = 0;

    if (snprintf(path, sizeof path, "%s/%s.json", cli_text(c, "rules"), config) >= (int)sizeof path)
        return lt_fail(err, LT_EINPUT, "%s: path too long", cli_text(c, "rules"));
    char given[64];
    LT_TRY(library_name(c, given, sizeof given, err));
    const char *library = given, *model = cli_text(c, "model");
    if (!cli_flag(c, "update")) {
        LT_TRY(rules_read(path, &rules, err));
        if (strcmp(rules.config, config) != 0)
            return lt_fail(err, LT_EINPUT, "%s: config: got '%s', expected '%s'", path, rules.config, config);
        if (!cli_given(c, "library")) library = rules.library;
        if (!cli_given(c, "model")) model = rules.model;
        if (strcmp(library, rules.library) != 0 || strcmp(model, rules.model) != 0)
            return lt_fail(err, LT_EINPUT, "%s: the rules are for %s on %s", path, rules.model, rules.library);
    }
    LT_TRY(results_load(cli_text(c, "build"), config, library, model, &row, err));
    results_derive(&row, 1, config);
    if (cli_flag(c, "update")) {
        rules_from(&row, &rules);
        if (!rules.n) return lt_fail(err, LT_EINPUT, "%s: no results to make rules of (%s)", config, row.notes);
        LT_TRY(lt_make_dirs(cli_text(c, "rules"), err));
        lt_buf_printf(out, "%s: %zu rules\n", path, rules.n);
        return rules_write(&rules, path, err);
    }
    rules_check(&rules, &row, out, &f, &m);
    *failed += f;
    *missing += m;
    return LT_OK;
}

lt_code report_check(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        RESULT_OPTIONS,
        {"rules", 'r', CLI_TEXT, "DIR", "flows/rules", 0, 0, "folder with CONFIG.json"},
        {"update", 'u', CLI_FLAG, NULL, NULL, 0, 0, "write the rules from the present results"},
        {"partial", 'p', CLI_FLAG, NULL, NULL, 0, 0, "metrics without a result do not fail"},
        {0}};
    static const cli_spec spec = {"report check",
                                  "CONFIG...",
                                  1,
                                  MAX_ROWS,
                                  "Compares results with the limits in the rules; exit code 2 if one is not met.",
                                  options};
    int failed = 0, missing = 0;
    lt_buf out = {0};
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code code = LT_OK;
    for (int i = 0; i < c.n_args && code == LT_OK; i++) code = check_one(&c, c.args[i], &out, &failed, &missing, err);
    if (out.len) fputs(out.data, stdout);
    bool partial = cli_flag(&c, "partial");
    lt_buf_free(&out);
    cli_free(&c);
    if (code == LT_OK && (failed || (missing && !partial)))
        code = lt_fail(err, LT_EINPUT, "lutra report check: %d limits not met, %d without a result", failed, missing);
    return code;
}
