#include "emit/emit_rtl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "emit/csa_pq_sum.h"
#include "emit/csa_requant.h"
#include "emit/csa_tree.h"
#include "emit/emit_csr.h"
#include "emit/emit_regs.h"
#include "emit/rtl_scan.h"
#include "emit/template.h"
#include "emit/widths.h"

enum {
    MAX_PATH = 4096,
    PQ_DOT_STAGES = 1, /* DOT_STAGES of lutra_exec_pq */
    PQ_CODE_LATE = 120 /* one recoder drives all lanes, through buffers */
};

typedef struct {
    const lt_config *cfg;
    const char *share;
    lt_rtl_set set;
    lt_outputs *out;
    lt_err *err;
} emitter;

/* Output folders, which are also the origins of files in the set. */
static const char RTL[] = "rtl", SYNTH[] = "synth", LATCH[] = "synth/latch";

static lt_code put(emitter *e, const char *file, lt_buf *b, const char *origin, lt_code code)
{
    if (code == LT_OK)
        code = lt_buf_ok(b) ? lt_rtl_put(&e->set, file, b->data, origin, e->err)
                            : lt_fail(e->err, LT_EMEM, "out of memory");
    lt_buf_free(b);
    return code;
}

static int fb_address_bits(const lt_config *c)
{
    int bits = 0;
    while (1 << bits < c->fb_banks * c->fb_words) bits++;
    return bits;
}

/* Drivers for the address bits that a core leaves out because the feature buffer is smaller than 65536 words. */
static void pad_addresses(const lt_config *c, lt_buf *b)
{
    static const char *const ports[] = {"rd", "res", "wr"};
    int bits = fb_address_bits(c);

    for (int i = 0; i < 3 && bits < 16; i++) {
        char where[32];
        if (bits == 15)
            snprintf(where, sizeof where, "[15]");
        else
            snprintf(where, sizeof where, "[15:%d]", bits);
        lt_buf_printf(b, "assign fb_%s_addr%s = %d'd0;\n", ports[i], where, 16 - bits);
    }
}

static lt_code expand_top(emitter *e, lt_buf *b)
{
    static const char *const cores[LT_N_CORES] = {
        "rtl_templates/lutra_top_mac.v.in", "rtl_templates/lutra_top_mac.v.in", "rtl_templates/lutra_top_pq.v.in"};
    static const char *const names[] = {"FB_BITS", "WEIGHT_BITS", "PARAM_BITS", "ENC_BITS", "CODE_BITS"};
    lt_values v;
    lt_buf core = {0}, pad = {0};
    int widest = 0;

    lt_values_init(&v, e->cfg);
    for (int t = 0; t < 5; t++) {
        int bits = lt_target_bits(e->cfg, t);
        lt_values_add(&v, names[t], "%d", bits);
        if (t > 0 && bits > widest) widest = bits;
    }
    lt_values_add(&v, "LD_BITS", "%d", widest);
    lt_values_add(&v, "BUS_MSB", "%d", e->cfg->bus_bits - 1);
    lt_values_add(&v, "STRB_MSB", "%d", e->cfg->bus_bits / 8 - 1);
    lt_values_add(&v, "FB_ADDR_MSB", "%d", fb_address_bits(e->cfg) - 1);
    pad_addresses(e->cfg, &pad);
    lt_values_add_text(&v, "FB_ADDR_PAD", pad.data ? pad.data : "");
    lt_code code = lt_expand_file(e->share, cores[e->cfg->core], &v, &core, e->err);
    if (code == LT_OK) {
        lt_values_add_text(&v, "CORE", core.data ? core.data : "");
        code = lt_expand_file(e->share, "rtl_templates/lutra_top.v.in", &v, b, e->err);
    }
    lt_buf_free(&core);
    lt_buf_free(&pad);
    return code;
}

/* Files that are generated rather than copied. */
static lt_code make_rtl(emitter *e)
{
    static const char csr[] = "rtl_templates/lutra_csr.v.in";
    char *text;
    lt_buf b = {0};

    lt_emit_desc_vh(&b);
    LT_TRY(put(e, "lutra_desc.vh", &b, RTL, LT_OK));
    LT_TRY(lt_template_read(e->share, csr, &text, e->err));
    lt_code code = lt_emit_csr(csr, text, &b, e->err);
    free(text);
    LT_TRY(put(e, "lutra_csr.v", &b, RTL, code));
    code = expand_top(e, &b);
    return put(e, "lutra_top.v", &b, RTL, code);
}

static bool has_output(const emitter *e, const char *folder, const char *file)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    for (int i = 0; i < e->out->n && i < LT_MAX_OUTPUTS; i++)
        if (e->out->file[i].path && strcmp(e->out->file[i].path, path) == 0) return true;
    return false;
}

/* Outputs the files that the top needs and are not there yet, each below its origin; those that only this variant needs
 * go to `folder`. Lists all of them, in the order to read them, in NAME<tail>. */
static lt_code put_files(emitter *e, const char *folder, const char *tail)
{
    int *order = malloc((size_t)e->set.n * sizeof *order), n;
    lt_buf list = {0};

    if (!order) return lt_fail(e->err, LT_EMEM, "out of memory");
    lt_code code = lt_rtl_order(&e->set, "lutra_top", order, &n, e->err);
    for (int i = 0; i < n && code == LT_OK; i++) {
        lt_rtl_file *f = &e->set.file[order[i]];
        if (f->origin == RTL && !has_output(e, RTL, f->file)) f->origin = folder;
        if (!has_output(e, f->origin, f->file)) {
            lt_buf *b = lt_outputs_add(e->out, "%s/%s", f->origin, f->file);
            if (b) lt_buf_puts(b, f->text);
        }
        if (!f->include) lt_buf_printf(&list, "%s/%s\n", f->origin, f->file);
    }
    free(order);
    if (code == LT_OK) {
        lt_buf *b = lt_outputs_add(e->out, "%s%s", e->cfg->name, tail);
        if (b) lt_buf_printf(b, "+incdir+rtl\n%s", list.data ? list.data : "");
    }
    lt_buf_free(&list);
    return code;
}

/* Structural forms of arithmetic modules for cell libraries, ports as in rtl/: the products of requantisation, sums of
 * table entries, a dot product over the rows of the array, or over the dense multipliers of a lane of lutra_exec_pq. */
static lt_code make_synth(emitter *e)
{
    const lt_config *c = e->cfg;
    bool pq = c->core == CORE_PQ;
    int inputs = pq ? c->pq_dense : c->lanes, stages = pq ? PQ_DOT_STAGES : c->dot_stages;
    int late = pq ? PQ_CODE_LATE : 0;
    lt_buf b = {0};

    lt_code code = lt_csa_emit_requant("lutra_requant_mac", c->acc_bits, c->mult_bits, &b, e->err);
    LT_TRY(put(e, "lutra_requant_mac.v", &b, SYNTH, code));
    if (pq) {
        int banks = c->pq_codebooks * (c->pq_mode == QPQ_SPATIAL ? 1 : 9);
        code = lt_csa_emit_pq_sum("lutra_pq_sum", banks, c->pq_lut_bits, c->pq_mirror, &b, e->err);
        LT_TRY(put(e, "lutra_pq_sum.v", &b, SYNTH, code));
    }
    if (inputs == 0) return LT_OK;
    code = lt_csa_emit_dot("lutra_dot", inputs, 8, 8, stages, late, &b, e->err);
    LT_TRY(put(e, "lutra_dot.v", &b, SYNTH, code));
    code = lt_csa_emit_recode("lutra_recode", inputs, 8, 8, stages, late, &b, e->err);
    return put(e, "lutra_recode.v", &b, SYNTH, code);
}

static lt_code emit(emitter *e)
{
    char dir[MAX_PATH];
    struct stat st;

    if (snprintf(dir, sizeof dir, "%s/rtl_templates/latch", e->share) >= (int)sizeof dir)
        return lt_fail(e->err, LT_EINPUT, "%s: path too long", e->share);
    char *slash = strrchr(dir, '/');
    *slash = '\0';
    LT_TRY(lt_rtl_read(dir, RTL, &e->set, e->err));
    LT_TRY(make_rtl(e));
    LT_TRY(put_files(e, RTL, ".f"));
    LT_TRY(make_synth(e));
    LT_TRY(put_files(e, SYNTH, ".synth.f"));
    *slash = '/';
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) return LT_OK;
    LT_TRY(lt_rtl_read(dir, LATCH, &e->set, e->err));
    return put_files(e, LATCH, ".latch.f");
}

lt_code lt_emit_rtl(const lt_config *cfg, const char *share, lt_outputs *out, lt_err *err)
{
    emitter e = {.cfg = cfg, .share = share, .out = out, .err = err};
    lt_code code = emit(&e);
    lt_rtl_free(&e.set);
    return code;
}
