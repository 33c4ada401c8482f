/* lutra report fpga | harness: steps of flows/fpga.sh. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd_report.h"
#include "report/fpga.h"
#include "report/synth.h"

enum { MAX_JSON = 1 << 30 };

lt_code report_harness(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {{"top", 't', CLI_TEXT, "MODULE", "lutra_top", 0, 0, "module to wrap"}, {0}};
    static const cli_spec spec = {"report harness",
                                  "PORTS.json OUT.v",
                                  2,
                                  2,
                                  "Wraps a design so that it needs three pins. PORTS.json is Yosys' write_json.",
                                  options};
    char *text = NULL;
    size_t len;
    lt_buf b = {0};
    int pins;
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code code = lt_read_file(c.args[0], MAX_JSON, &text, &len, err);
    if (code == LT_OK) code = fpga_harness(c.args[0], text, len, cli_text(&c, "top"), &b, &pins, err);
    if (code == LT_OK) code = lt_write_file(c.args[1], b.data, b.len, err);
    if (code == LT_OK) printf("PINS=%d\n", pins);
    free(text);
    lt_buf_free(&b);
    cli_free(&c);
    return code;
}

static json_t *text_or_null(const char *s)
{
    return s && *s ? json_string(s) : json_null();
}

static lt_code write_result(const cli *c, fpga_family f, const fpga_counts *n, double mhz, lt_err *err)
{
    const char *why = cli_text(c, "no-fmax");
    json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "config",
                          text_or_null(cli_text(c, "config")), "fingerprint", text_or_null(cli_text(c, "fingerprint")),
                          "command", text_or_null(cli_text(c, "command")), "tools", text_or_null(cli_text(c, "tools")),
                          "family", fpga_names[f], "luts", (json_int_t)n->luts, "flip_flops", (json_int_t)n->flip_flops,
                          "block_rams", (json_int_t)n->block_rams, "dsps", (json_int_t)n->dsps, "carries",
                          (json_int_t)n->carries, "lut_rams", (json_int_t)n->lut_rams, "cells", (json_int_t)n->cells,
                          "fmax_mhz", isfinite(mhz) ? json_real(mhz) : json_null(), "fmax_missing", text_or_null(why));
    printf("%s: %lld LUTs, %lld flip-flops, %lld block RAMs, %lld DSPs, %lld carries, %lld LUT RAMs\n", fpga_names[f],
           n->luts, n->flip_flops, n->block_rams, n->dsps, n->carries, n->lut_rams);
    if (isfinite(mhz))
        printf("Fmax %.1f MHz after place and route\n", mhz);
    else
        printf("Fmax n/a: %s\n", why ? why : "not placed");
    return synth_write_json(j, c->args[1], err);
}

lt_code report_fpga(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        {"family", 'f', CLI_CHOICE, "ice40|ecp5|xc7", "ice40", 0, 0, "FPGA family"},
        {"top", 't', CLI_TEXT, "MODULE", "lutra_top", 0, 0, "top module"},
        {"pnr", 0, CLI_TEXT, "FILE", NULL, 0, 0, "nextpnr's report"},
        {"no-fmax", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "why there is no place and route"},
        {"config", 0, CLI_TEXT, "NAME", NULL, 0, 0, "configuration's name"},
        {"fingerprint", 0, CLI_TEXT, "HEX", NULL, 0, 0, "configuration's fingerprint"},
        {"command", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "command that regenerates this run"},
        {"tools", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "versions of the tools"},
        {0}};
    static const cli_spec spec = {"report fpga",
                                  "STAT.json OUT.json",
                                  2,
                                  2,
                                  "FPGA resources from Yosys' stat -json and, if there is one, nextpnr's report.",
                                  options};
    char *text = NULL;
    size_t len;
    fpga_counts n;
    double mhz = NAN;
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    fpga_family f = (fpga_family)cli_choice(&c, "family");
    lt_code code = lt_read_file(c.args[0], MAX_JSON, &text, &len, err);
    if (code == LT_OK) code = fpga_count(c.args[0], text, len, cli_text(&c, "top"), f, &n, err);
    free(text);
    text = NULL;
    const char *pnr = cli_text(&c, "pnr");
    if (code == LT_OK && pnr) {
        code = lt_read_file(pnr, MAX_JSON, &text, &len, err);
        if (code == LT_OK) code = fpga_read_fmax(pnr, text, len, &mhz, err);
        free(text);
    }
    if (code == LT_OK) code = write_result(&c, f, &n, mhz, err);
    cli_free(&c);
    return code;
}
