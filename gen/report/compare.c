#include "report/compare.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char not_counted[] = "wires, clock tree, placement and routing (published designs grow by about a third "
                                  "in layout), pads, the memory outside "
                                  "the accelerator, the processor that drives it";

/* Do all rows that have this column agree on it? */
static bool agree(const result_row *rows, size_t n, const char *key, double *value)
{
    const result_column *c = result_find_column(key);
    *value = NAN;
    for (size_t i = 0; i < n; i++) {
        double v = result_value(&rows[i], c);
        if (!isfinite(v)) continue;
        if (isfinite(*value) && v != *value) return false;
        *value = v;
    }
    return true;
}

/* The rule of the comparison, from the rows themselves: what was the same for all, and what was not. */
static void write_conditions(const result_row *rows, size_t n, lt_buf *b)
{
    static const struct {
        const char *key, *text, *unit;
    } same[] = {{"bus_bits", "memory bus", " bits"},
                {"bus_latency", "memory latency", " cycles"},
                {"bus_bandwidth", "bandwidth limit (0: the bus)", " bytes per cycle"},
                {"stall_percent", "random stalls", " %"},
                {"macs", "dense MACs per image", ""}};

    double batch;
    if (agree(rows, n, "batch", &batch))
        lt_buf_printf(b, "Conditions: batch %.0f", isfinite(batch) ? batch : 1);
    else
        lt_buf_puts(b, "Conditions: **batch differs between rows**");
    lt_buf_puts(b, "; every configuration at its own Fmax, so the bus runs at Fmax too");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        double v;
        bool ok = agree(rows, n, same[i].key, &v);
        if (!ok)
            lt_buf_printf(b, "; **%s differs between rows**", same[i].text);
        else if (isfinite(v))
            lt_buf_printf(b, "; %s %.0f%s", same[i].text, v, same[i].unit);
        else
            lt_buf_printf(b, "; %s n/a", same[i].text);
    }
    lt_buf_puts(b, ".\n");
}

static void write_sensitivity(const result_row *rows, size_t n, const char *baseline, lt_buf *b)
{
    double base = NAN;

    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].config, baseline) == 0)
            base = rows[i].inferences / (rows[i].logic_um2 + rows[i].sram_um2_by_nand2);
    lt_buf_puts(
        b, "\nSensitivity: ratio of inf/s/mm2 (whole accelerator) if SRAM macros scaled with NAND2 area instead of "
           "node^2 (docs/sram-model.md):");
    for (size_t i = 0; i < n; i++) {
        double r = rows[i].inferences / (rows[i].logic_um2 + rows[i].sram_um2_by_nand2) / base;
        if (isfinite(r))
            lt_buf_printf(b, "%s %s %.2f", i ? "," : "", rows[i].config, r);
        else
            lt_buf_printf(b, "%s %s n/a", i ? "," : "", rows[i].config);
    }
    lt_buf_puts(b, ".\n");
}

void compare_markdown(const result_row *rows, size_t n, const compare_origin *o, lt_buf *b)
{
    char cell[64];

    lt_buf_printf(b, "# Performance per area: %s on %s\n\nRegenerate with `%s`.\n\n", n ? rows[0].network : "n/a",
                  n ? rows[0].library : "n/a", o->command);
    lt_buf_puts(b, "| configuration |");
    for (size_t c = 0; c < n_result_columns; c++)
        if (result_columns[c].in_table) lt_buf_printf(b, " %s |", result_columns[c].title);
    lt_buf_puts(b, "\n| --- |");
    for (size_t c = 0; c < n_result_columns; c++)
        if (result_columns[c].in_table) lt_buf_puts(b, " ---: |");
    for (size_t i = 0; i < n; i++) {
        lt_buf_printf(b, "\n| %s |", rows[i].config);
        for (size_t c = 0; c < n_result_columns; c++)
            if (result_columns[c].in_table)
                lt_buf_printf(b, " %s |", result_text(&rows[i], &result_columns[c], cell, sizeof cell));
    }
    lt_buf_printf(b, "\n\nRatios are to %s. `n/a`: not computed. ", o->baseline);
    write_conditions(rows, n, b);
    lt_buf_printf(b, "\nNot counted: %s.\n", not_counted);
    write_sensitivity(rows, n, o->baseline, b);

    lt_buf_puts(b, "\n## Columns\n");
    for (size_t c = 0; c < n_result_columns; c++)
        if (result_columns[c].in_table) lt_buf_printf(b, "- %s: %s\n", result_columns[c].title, result_columns[c].help);
    lt_buf_puts(b, "\n## Rows\n");
    for (size_t i = 0; i < n; i++) {
        lt_buf_printf(b, "- %s: fingerprint %s, `%s`, %s", rows[i].config,
                      rows[i].fingerprint[0] ? rows[i].fingerprint : "n/a",
                      rows[i].synth_command[0] ? rows[i].synth_command : "n/a",
                      rows[i].synth_tools[0] ? rows[i].synth_tools : "tools n/a");
        lt_buf_printf(b, "%s%s\n", rows[i].notes[0] ? ". Missing or odd: " : "", rows[i].notes);
    }
}

/* Quotes text for CSV where it must be. */
static void csv_text(const char *s, lt_buf *b)
{
    if (!strpbrk(s, ",\"\n")) {
        lt_buf_puts(b, s);
        return;
    }
    lt_buf_puts(b, "\"");
    for (; *s; s++) lt_buf_printf(b, *s == '"' ? "\"%c" : "%c", *s);
    lt_buf_puts(b, "\"");
}

void compare_csv(const result_row *rows, size_t n, lt_buf *b)
{
    char cell[64];

    lt_buf_puts(b, "config,model,library,fingerprint");
    for (size_t c = 0; c < n_result_columns; c++) lt_buf_printf(b, ",%s", result_columns[c].key);
    lt_buf_puts(b, ",notes\n");
    for (size_t i = 0; i < n; i++) {
        lt_buf_printf(b, "%s,%s,%s,%s", rows[i].config, rows[i].network, rows[i].library, rows[i].fingerprint);
        for (size_t c = 0; c < n_result_columns; c++)
            lt_buf_printf(b, ",%s", result_text(&rows[i], &result_columns[c], cell, sizeof cell));
        lt_buf_puts(b, ",");
        csv_text(rows[i].notes, b);
        lt_buf_puts(b, "\n");
    }
}

lt_code compare_json(const result_row *rows, size_t n, const compare_origin *o, lt_buf *b, lt_err *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *r = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "config", rows[i].config, "model", rows[i].network,
                              "library", rows[i].library, "fingerprint", rows[i].fingerprint, "command",
                              rows[i].synth_command, "tools", rows[i].synth_tools, "notes", rows[i].notes);
        for (size_t c = 0; c < n_result_columns; c++) {
            double v = result_value(&rows[i], &result_columns[c]);
            json_object_set_new(r, result_columns[c].key, isfinite(v) ? json_real(v) : json_null());
        }
        json_array_append_new(list, r);
    }
    json_t *root = json_pack("{s:s, s:s, s:s, s:o}", "command", o->command, "baseline", o->baseline, "not_counted",
                             not_counted, "rows", list);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!text) return lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_printf(b, "%s\n", text);
    free(text);
    return LT_OK;
}
