#include "emit/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config_table.h"
#include "emit/csa_tree.h"
#include "emit/emit_config.h"
#include "emit/emit_csr.h"
#include "emit/emit_regs.h"
#include "emit/expand.h"
#include "emit/outputs.h"
#include "emit/rtl_scan.h"

enum { MAX_PATH = 4096, MAX_TEMPLATE = 1 << 20, MAX_SUBST = LT_MAX_KEYS + 8, VALUE_LEN = 64 };

typedef struct {
    const lt_config *cfg;
    const lt_emit_options *o;
    lt_subst subst[MAX_SUBST];
    char value[MAX_SUBST][VALUE_LEN];
    size_t n_subst;
    lt_rtl_set rtl;
    lt_outputs out;
    lt_err *err;
} emitter;

static char *add_subst(emitter *e, const char *name)
{
    char *v = e->value[e->n_subst];
    e->subst[e->n_subst++] = (lt_subst){name, v, true};
    return v;
}

/* Placeholders that every template may use. */
static void collect_values(emitter *e)
{
    snprintf(add_subst(e, "NAME"), VALUE_LEN, "%s", e->cfg->name);
    snprintf(add_subst(e, "FINGERPRINT"), VALUE_LEN, "32'h%08x", (unsigned)lt_config_fingerprint(e->cfg));
    snprintf(add_subst(e, "PERIOD_NS"), VALUE_LEN, "%.3f", e->o->period_ns);
    snprintf(add_subst(e, "FREQUENCY_MHZ"), VALUE_LEN, "%.3f", 1000.0 / e->o->period_ns);
    for (int i = 0; i < lt_n_keys; i++) {
        const lt_key *k = &lt_keys[i];
        if (k->verilog) snprintf(add_subst(e, k->verilog), VALUE_LEN, "%d", lt_key_get(k, e->cfg));
    }
}

/* Reads a template below the share folder; messages name it relative to that. */
static lt_code read_template(emitter *e, const char *name, char **text)
{
    char path[MAX_PATH];
    size_t len;

    if (snprintf(path, sizeof path, "%s/%s", e->o->share, name) >= (int)sizeof path)
        return lt_fail(e->err, LT_EINPUT, "%s: path too long", e->o->share);
    return lt_read_file(path, MAX_TEMPLATE, text, &len, e->err);
}

static lt_code expand_template(emitter *e, const char *name, lt_buf *b)
{
    char *text = NULL;

    LT_TRY(read_template(e, name, &text));
    lt_code code = lt_expand(name, text, e->subst, e->n_subst, b, e->err);
    free(text);
    return code;
}

/* ---- Verilog ---- */

static lt_code put_rtl(emitter *e, const char *file, lt_buf *b, lt_code code)
{
    if (code == LT_OK)
        code = lt_buf_ok(b) ? lt_rtl_put(&e->rtl, file, b->data, e->err) : lt_fail(e->err, LT_EMEM, "out of memory");
    lt_buf_free(b);
    return code;
}

/* Modules and includes that are generated rather than copied. */
static lt_code make_rtl(emitter *e)
{
    static const char *const tops[LT_N_CORES] = {"rtl_templates/lutra_top_mac.v.in", "rtl_templates/lutra_top_mac.v.in",
                                                 "rtl_templates/lutra_top_pq.v.in"};
    char *text;
    lt_buf b = {0};

    lt_emit_desc_vh(&b);
    LT_TRY(put_rtl(e, "lutra_desc.vh", &b, LT_OK));
    LT_TRY(read_template(e, "rtl_templates/lutra_csr.v.in", &text));
    lt_code code = lt_emit_csr("rtl_templates/lutra_csr.v.in", text, &b, e->err);
    free(text);
    LT_TRY(put_rtl(e, "lutra_csr.v", &b, code));
    return put_rtl(e, "lutra_top.v", &b, expand_template(e, tops[e->cfg->core], &b));
}

/* Copies what the top needs, in dependency order, and lists it. */
static lt_code emit_rtl(emitter *e)
{
    char dir[MAX_PATH];
    lt_buf *b;

    if (snprintf(dir, sizeof dir, "%s/rtl_templates", e->o->share) >= (int)sizeof dir)
        return lt_fail(e->err, LT_EINPUT, "%s: path too long", e->o->share);
    LT_TRY(lt_rtl_read(dir, &e->rtl, e->err));
    LT_TRY(make_rtl(e));

    int *order = malloc((size_t)e->rtl.n * sizeof *order), n;
    if (!order) return lt_fail(e->err, LT_EMEM, "out of memory");
    lt_code code = lt_rtl_order(&e->rtl, "lutra_top", order, &n, e->err);
    for (int i = 0; i < n && code == LT_OK; i++) {
        const lt_rtl_file *f = &e->rtl.file[order[i]];
        b = lt_outputs_add(&e->out, "rtl/%s", f->file);
        if (b) lt_buf_puts(b, f->text);
    }
    free(order);
    return code;
}

static bool emits(const emitter *e, const char *path)
{
    for (int i = 0; i < e->out.n && i < LT_MAX_OUTPUTS; i++)
        if (e->out.file[i].path && strcmp(e->out.file[i].path, path) == 0) return true;
    return false;
}

/* Structural versions of arithmetic modules that synthesis uses instead of those in rtl/. */
static lt_code emit_synth(emitter *e)
{
    const lt_config *c = e->cfg;
    lt_buf *b;

    if (emits(e, "rtl/lutra_dot.v")) {
        b = lt_outputs_add(&e->out, "synth/lutra_dot.v");
        if (b) LT_TRY(lt_csa_emit_dot("lutra_dot", c->lanes, 8, 8, c->dot_stages, b, e->err));
    }
    if (emits(e, "rtl/lutra_recode.v")) {
        b = lt_outputs_add(&e->out, "synth/lutra_recode.v");
        if (b) LT_TRY(lt_csa_emit_recode("lutra_recode", c->lanes, 8, 8, c->dot_stages, b, e->err));
    }
    return LT_OK;
}

/* ---- the rest ---- */

static lt_code emit_headers(emitter *e)
{
    lt_buf *config = lt_outputs_add(&e->out, "include/lutra_config.h");
    lt_buf *hw = lt_outputs_add(&e->out, "include/lutra_hw.h");
    lt_buf *check = lt_outputs_add(&e->out, "include/lutra_hw_check.c");

    if (!check) return lt_fail(e->err, LT_EINTERNAL, "too many output files");
    lt_emit_config_h(e->cfg, config);
    lt_emit_hw_h(hw);
    lt_emit_hw_check(check);
    return LT_OK;
}

static lt_code emit_constraints(emitter *e)
{
    static const char *const kinds[] = {"sdc", "xdc", "lpf", "pcf"};
    char name[32];

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        lt_buf *b = lt_outputs_add(&e->out, "constraints/%s.%s", e->cfg->name, kinds[i]);
        if (!b) return lt_fail(e->err, LT_EINTERNAL, "too many output files");
        snprintf(name, sizeof name, "constraints/lutra.%s.in", kinds[i]);
        LT_TRY(expand_template(e, name, b));
    }
    return LT_OK;
}

static lt_code emit_lists(emitter *e)
{
    const char *rtl[LT_MAX_OUTPUTS];
    int n = 0;

    for (int i = 0; i < e->out.n && i < LT_MAX_OUTPUTS; i++)
        if (strncmp(e->out.file[i].path, "rtl/", 4) == 0) rtl[n++] = e->out.file[i].path;
    lt_buf *list = lt_outputs_add(&e->out, "%s.f", e->cfg->name);
    lt_buf *core = lt_outputs_add(&e->out, "%s.core", e->cfg->name);
    lt_buf *manifest = lt_outputs_add(&e->out, "%s.json", e->cfg->name);
    if (!manifest) return lt_fail(e->err, LT_EINTERNAL, "too many output files");
    lt_emit_file_list(rtl, n, list);
    lt_emit_core(e->cfg, rtl, n, core);
    return lt_emit_manifest(e->cfg, &e->out, manifest, e->err);
}

lt_code lt_emit(const lt_config *cfg, const lt_emit_options *o, lt_err *err)
{
    emitter *e = calloc(1, sizeof *e);
    char manifest[sizeof cfg->name + 8];

    if (!e) return lt_fail(err, LT_EMEM, "out of memory");
    e->cfg = cfg;
    e->o = o;
    e->err = err;
    collect_values(e);
    lt_code code = emit_rtl(e);
    if (code == LT_OK) code = emit_synth(e);
    if (code == LT_OK) code = emit_headers(e);
    if (code == LT_OK) code = emit_constraints(e);
    if (code == LT_OK) code = emit_lists(e);
    snprintf(manifest, sizeof manifest, "%s.json", cfg->name);
    if (code == LT_OK) code = lt_outputs_write(&e->out, o->out, manifest, err);
    lt_outputs_free(&e->out);
    lt_rtl_free(&e->rtl);
    free(e);
    return code;
}
