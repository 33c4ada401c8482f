/* Convolution on the pq core: one operation per output group, codes (or values) in, LUT tiles or dense weights in the
 * two halves of the LUT memory. */
#include "program/builder.h"

#include "program/pack_pq.h"

/* The configuration's datapath is what the network was fitted for. */
static lt_code check_encoder(const builder *b, const qlayer *l)
{
    static const char *const modes[] = {"channel", "spatial"}, *const kinds[] = {"l1", "l2", "tree"};
    const lt_config *c = b->cfg;

    if (l->encoder < 0) {
        if (c->pq_dense) return LT_OK;
        return lt_fail(b->err, LT_EINPUT, "layer %s is dense; got pq_dense false, expected true", l->name);
    }
    const qencoder *e = &b->net->encoders[l->encoder];
    if ((int)e->mode == c->pq_mode && (int)e->encoder == c->pq_encoder && e->prototypes == c->pq_prototypes &&
        (e->length == c->pq_length || e->mode == QPQ_SPATIAL) && e->enc_bits == c->pq_enc_bits &&
        l->lut_bits <= c->pq_lut_bits)
        return LT_OK;
    return lt_fail(
        b->err, LT_EINPUT,
        "layer %s was fitted for %s mode, %s encoder, %d prototypes, length %d, %d encoder bits, %d LUT bits; %s "
        "has %s, %s, %d, %d, %d, %d",
        l->name, modes[e->mode], kinds[e->encoder], e->prototypes, e->length, e->enc_bits, l->lut_bits, c->name,
        modes[c->pq_mode], kinds[c->pq_encoder], c->pq_prototypes, c->pq_length, c->pq_enc_bits, c->pq_lut_bits);
}

/* The passes of a layer over its input chunks. Usually one; more if the tables of one output group exceed the LUT
 * memory: then each but the last leaves raw accumulators for the next. */
typedef struct {
    int chunks;   /* code words per input pixel */
    int per_pass; /* chunks of a pass */
    int passes;
    int rows;  /* LUT rows of a full pass */
    bool wide; /* a pass fills both LUT halves */
} pass_plan;

static bool plan_passes(const lt_config *c, const qlayer *l, int chunks, pass_plan *p)
{
    int half = c->pq_lut_rows * c->pq_prototypes, rows = lt_pq_rows(c, l, chunks), most = chunks;

    /* the encoder memory holds pq_chunks words per half */
    if (l->encoder >= 0 && c->pq_mode == QPQ_SPATIAL && most > c->pq_chunks) most = c->pq_chunks;
    p->chunks = chunks;
    p->wide = most == chunks && rows > half && rows <= 2 * half;
    if (!p->wide)
        while (most > 1 && lt_pq_rows(c, l, most) > half) most--;
    p->per_pass = most;
    p->passes = ceil_div(chunks, most);
    p->rows = lt_pq_rows(c, l, most);
    return p->wide || p->rows <= half;
}

/* LUT rows or dense weights of one pass, to LUT row `at`; a load stays within one half. */
static void load_tables(builder *b, const qlayer *l, int first, int count, int og, int at)
{
    const lt_config *c = b->cfg;
    int half = c->pq_lut_rows * c->pq_prototypes, rows = lt_pq_rows(c, l, count);

    for (int row0 = 0; row0 < rows;) {
        int n = half - (at + row0) % half;
        lt_buf words = {0};
        if (n > rows - row0) n = rows - row0;
        if (l->encoder >= 0)
            lt_pack_pq_lut(c, l, &b->net->encoders[l->encoder], first, count, og, row0, n, &words);
        else
            lt_pack_pq_dense(c, l, b->net->tensors[l->in].c, first, count, og, row0, n, &words);
        lt_pq_load to = lt_pq_lut_load(c, at + row0, n);
        add_packed_load(b, TO_WEIGHT, to.address, to.words, to.rows, to.stride, &words);
        lt_buf_free(&words);
        row0 += n;
    }
}

static void set_kernel(builder *b, uint32_t *d, const qlayer *l, const view *in, const view *out, int chunks, int map)
{
    bool stream = l->r <= 3 && l->s <= 3 && l->dilation == 1 && chunks <= b->cfg->pq_chunks;

    set_field(b, d, LT_D_IN_H, in->rows);
    set_field(b, d, LT_D_IN_W, in->cols);
    set_field(b, d, LT_D_R, l->r);
    set_field(b, d, LT_D_S, l->s);
    set_field(b, d, LT_D_PAD_T, in->row0 - (out->row0 * l->stride - l->pad_t));
    set_field(b, d, LT_D_PAD_L, in->col0 - (out->col0 * l->stride - l->pad_l));
    set_field(b, d, LT_D_DENSE, l->encoder < 0);
    set_field(b, d, LT_D_STREAM, stream);
    set_field(b, d, LT_D_CODE_IN, 0);
    set_field(b, d, LT_D_CODE_IN_MAP, map);
    set_field(b, d, LT_D_CHUNKS, chunks);
    set_field(b, d, LT_D_OG, 1);
}

/* One operation: pass `pass` of output group og. */
static uint32_t *add_pass(builder *b, const qlayer *l, const tiling *t, const pass_plan *p, int pass, int og,
                          const view *vi, const view *vo, const view *vr, int map)
{
    const lt_config *c = b->cfg;
    int half = c->pq_lut_rows * c->pq_prototypes, first = pass * p->per_pass, param = b->ops % 2 * c->param_groups;
    int count = first + p->per_pass <= p->chunks ? p->per_pass : p->chunks - first;
    bool last = pass == p->passes - 1;
    uint32_t op[16] = {0};

    b->weight_half = p->wide ? 0 : !b->weight_half;
    b->wide_weights = p->wide;
    load_tables(b, l, first, count, og, b->weight_half * half);
    /* only the multipliers read unsigned bytes shifted */
    load_params(b, l, og, 1, param, l->encoder < 0 && !b->net->tensors[l->in].is_signed);
    set_field(b, op, LT_D_OPCODE, LT_OP_CONV);
    set_field(b, op, LT_D_WRITE_FB, b->at[l->out].wants_fb);
    set_groups(b, op, l, *vo, vr, og, param);
    set_kernel(b, op, l, vi, vo, p->chunks, map);
    set_field(b, op, LT_D_WEIGHT_BASE, lt_pq_row_address(c, b->weight_half * half));
    if (l->encoder >= 0 && c->pq_mode == QPQ_SPATIAL) {
        int slot = b->ops % 2 * c->pq_chunks;
        load_encoder(b, &b->net->encoders[l->encoder], &b->net->tensors[l->in], first, count, slot);
        set_field(b, op, LT_D_ENC_BASE, slot);
    }
    if (last) set_code_output(b, op, l, og);
    if (!last) set_field(b, op, LT_D_OUT_BASE, t->acc_at[pass % 2]);
    if (pass) b->barrier = true;
    lt_pq_finish_part(c, op, first, count);
    if (pass) lt_pq_acc_in(op, t->acc_at[(pass - 1) % 2]);
    if (!last) lt_pq_acc_out(op);
    return add_op(b, op);
}

lt_code lower_conv_pq(builder *b, const qlayer *l)
{
    const lt_config *c = b->cfg;
    int groups = ceil_div(l->k, c->lanes), chunks = code_chunks(b, l);
    pass_plan p;
    tiling t;

    LT_TRY(check_encoder(b, l));
    if (!plan_passes(c, l, chunks, &p))
        return lt_fail(b->err, LT_EINPUT,
                       "layer %s: the tables of one chunk need %d LUT rows; pq_lut_rows = %d gives 2 x %d", l->name,
                       p.rows, c->pq_lut_rows, c->pq_lut_rows * c->pq_prototypes);
    /* an input that is not in the code memory yet is copied there, as many rows at a time as fit */
    const tile_needs needs = {.code_chunks = b->at[l->in].code == CODE_NONE ? chunks : 0,
                              .acc_words = p.passes > 1 ? lt_pq_acc_words(c) : 0};
    if (!plan_tiles(b, l, &needs, &t)) return no_room(b, l);
    for (int i = 0; i < t.count; i++) {
        view vi, vo, vr = {0};
        int map;
        bool open = true; /* the group of the next operation has loads already */

        open_group(b, i == 0 && t.count > 1);
        load_input(b);
        tile_views(b, l, &t, i, true, &vi, &vo, &vr);
        code_for_tile(b, l, &t, &vi, &open, &map);
        if (b->remake >= 0 || b->err->code != LT_OK) return b->err->code;
        for (int n = 0; n < groups * p.passes; n++) {
            if (!open) open_group(b, false);
            open = false;
            if (p.wide || b->wide_weights) wait_for_all(b); /* nothing may still use either half */
            uint32_t *d = add_pass(b, l, &t, &p, n % p.passes, n / p.passes, &vi, &vo, &vr, map);
            end_op(b, d, l, &t, i, n == groups * p.passes - 1, &vo);
        }
    }
    return b->err->code;
}
