#include "emit/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/emit_config.h"
#include "emit/emit_regs.h"
#include "emit/emit_rtl.h"
#include "emit/outputs.h"
#include "emit/template.h"

static lt_code emit_headers(const lt_config *cfg, lt_outputs *out, lt_err *err)
{
    lt_buf *config = lt_outputs_add(out, "include/lutra_config.h");
    lt_buf *hw = lt_outputs_add(out, "include/lutra_hw.h");
    lt_buf *check = lt_outputs_add(out, "include/lutra_hw_check.c");

    if (!check) return lt_fail(err, LT_EINTERNAL, "too many output files");
    lt_emit_config_h(cfg, config);
    lt_emit_hw_h(hw);
    lt_emit_hw_check(check);
    return LT_OK;
}

static lt_code emit_constraints(const lt_config *cfg, const lt_emit_options *o, lt_outputs *out, lt_err *err)
{
    static const char *const kinds[] = {"sdc", "xdc", "lpf", "pcf"};
    lt_values v;
    char name[32];

    lt_values_init(&v, cfg);
    lt_values_add(&v, "PERIOD_NS", "%.3f", o->period_ns);
    lt_values_add(&v, "FREQUENCY_MHZ", "%.3f", 1000.0 / o->period_ns);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        lt_buf *b = lt_outputs_add(out, "constraints/%s.%s", cfg->name, kinds[i]);
        if (!b) return lt_fail(err, LT_EINTERNAL, "too many output files");
        snprintf(name, sizeof name, "constraints/lutra.%s.in", kinds[i]);
        LT_TRY(lt_expand_file(o->share, name, &v, b, err));
    }
    return LT_OK;
}

static lt_code emit_packages(const lt_config *cfg, lt_outputs *out, lt_err *err)
{
    const char *rtl[LT_MAX_OUTPUTS];
    int n = 0;

    for (int i = 0; i < out->n && i < LT_MAX_OUTPUTS; i++)
        if (out->file[i].path && strncmp(out->file[i].path, "rtl/", 4) == 0) rtl[n++] = out->file[i].path;
    lt_buf *core = lt_outputs_add(out, "%s.core", cfg->name);
    lt_buf *manifest = lt_outputs_add(out, "%s.json", cfg->name);
    if (!manifest) return lt_fail(err, LT_EINTERNAL, "too many output files");
    lt_emit_core(cfg, rtl, n, core);
    return lt_emit_manifest(cfg, out, manifest, err);
}

lt_code lt_emit(const lt_config *cfg, const lt_emit_options *o, lt_err *err)
{
    lt_outputs *out = calloc(1, sizeof *out);
    char manifest[sizeof cfg->name + 8];

    if (!out) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code code = lt_emit_rtl(cfg, o->share, out, err);
    if (code == LT_OK) code = emit_headers(cfg, out, err);
    if (code == LT_OK) code = emit_constraints(cfg, o, out, err);
    if (code == LT_OK) code = emit_packages(cfg, out, err);
    snprintf(manifest, sizeof manifest, "%s.json", cfg->name);
    if (code == LT_OK) code = lt_outputs_write(out, o->out, manifest, err);
    lt_outputs_free(out);
    free(out);
    return code;
}
