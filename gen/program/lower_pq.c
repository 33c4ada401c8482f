/* Convolution on the pq core: one operation per output group, codes (or values) in, LUT tiles or dense weights in the
 * two halves of the LUT memory. */
#include "program/builder.h"

#include <string.h>

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

static void load_tables(builder *b, const qlayer *l, int chunks, int og, int rows, int row)
{
    const lt_config *c = b->cfg;
    lt_buf words = {0};
    int per_row = lt_pq_words_per_row(c);

    if (l->encoder >= 0)
        lt_pack_pq_lut(c, l, &b->net->encoders[l->encoder], chunks, og, &words);
    else
        lt_pack_pq_dense(c, l, b->net->tensors[l->in].c, chunks, og, &words);
    uint32_t at = add_blob(b, words.data, words.len);
    add_load(b, LUTRA_BASE_PROGRAM, at, TO_WEIGHT, row * per_row, rows * per_row, 1, 0, 0);
    if (!lt_buf_ok(&words)) lt_fail(b->err, LT_EMEM, "out of memory");
    lt_buf_free(&words);
}

/* Spatial mode encodes the layer's own windows: one encoder word per chunk, in the operation's half. */
static void load_window_encoders(builder *b, const qlayer *l, int chunks, uint32_t *d)
{
    int slot = b->ops % 2 * b->cfg->param_groups;
    lt_buf words = {0};

    for (int i = 0; i < chunks; i++) lt_pack_pq_encoder(b->cfg, &b->net->encoders[l->encoder], i, &words);
    uint32_t at = add_blob(b, words.data, words.len);
    add_load(b, LUTRA_BASE_PROGRAM, at, TO_ENC, slot, chunks, 1, 0, 0);
    set_field(b, d, LT_D_ENC_BASE, slot);
    if (!lt_buf_ok(&words)) lt_fail(b->err, LT_EMEM, "out of memory");
    lt_buf_free(&words);
}

static void set_kernel(builder *b, uint32_t *d, const qlayer *l, const view *in, const view *out, int chunks, int map)
{
    const qtensor *q = &b->net->tensors[l->in];
    bool stream = l->r <= 3 && l->s <= 3 && l->dilation == 1 && chunks <= b->cfg->pq_chunks;

    set_field(b, d, LT_D_IN_H, in->rows);
    set_field(b, d, LT_D_IN_W, q->w);
    set_field(b, d, LT_D_PAD_T, in->row0 - (out->row0 * l->stride - l->pad_t));
    set_field(b, d, LT_D_PAD_L, l->pad_l);
    set_field(b, d, LT_D_DENSE, l->encoder < 0);
    set_field(b, d, LT_D_STREAM, stream);
    set_field(b, d, LT_D_CODE_IN, 0);
    set_field(b, d, LT_D_CODE_IN_MAP, map);
    set_field(b, d, LT_D_CHUNKS, chunks);
    set_field(b, d, LT_D_OG, 1);
}

lt_code lower_conv_pq(builder *b, const qlayer *l)
{
    const lt_config *c = b->cfg;
    const qtensor *in = &b->net->tensors[l->in];
    int groups = ceil_div(l->k, c->lanes), half = c->pq_lut_rows * c->pq_prototypes, limit = code_rows_limit(b, l);
    tiling t;

    LT_TRY(check_encoder(b, l));
    if (limit < 1)
        return lt_fail(b->err, LT_EINPUT, "layer %s: one row of its input needs more than pq_code_words = %d", l->name,
                       c->pq_code_words);
    /* an input that is not in the code memory yet is copied there, as many rows at a time as fit */
    if (!plan_tiles(b, l, b->at[l->in].code == CODE_NONE ? limit : in->h, &t)) return no_room(b, l);
    for (int i = 0; i < t.count; i++) {
        view vi, vo, vr = {0};
        int map;
        bool open = true; /* the group of the next operation has loads already */

        open_group(b, i == 0 && t.count > 1);
        load_input(b);
        tile_views(b, l, &t, i, true, &vi, &vo, &vr);
        int chunks = code_for_tile(b, l, &t, &vi, &open, &map);
        if (b->remake >= 0 || b->err->code != LT_OK) return b->err->code;
        int rows = lt_pq_rows(c, l, chunks);
        if (rows > 2 * half)
            return lt_fail(
                b->err, LT_EINPUT,
                "layer %s needs %d LUT rows per output group; pq_lut_rows = %d gives 2 x %d: at least %d needed",
                l->name, rows, c->pq_lut_rows, half, ceil_div(rows, 2 * c->pq_prototypes));
        bool wide = rows > half; /* has both halves to itself: nothing may still use them */
        for (int og = 0; og < groups; og++) {
            int param = b->ops % 2 * c->param_groups;
            uint32_t *d, op[16] = {0};

            if (!open) open_group(b, false);
            open = false;
            if (wide || b->wide_weights) wait_for_all(b);
            b->weight_half = wide ? 0 : !b->weight_half;
            b->wide_weights = wide;
            load_tables(b, l, chunks, og, rows, b->weight_half * half);
            load_params(b, l, og, 1, param, false);
            set_field(b, op, LT_D_OPCODE, LT_OP_CONV);
            set_field(b, op, LT_D_WRITE_FB, b->at[l->out].wants_fb);
            set_groups(b, op, l, vo, &vr, og, param);
            set_kernel(b, op, l, &vi, &vo, chunks, map);
            set_field(b, op, LT_D_WEIGHT_BASE, b->weight_half * half);
            if (l->encoder >= 0 && c->pq_mode == QPQ_SPATIAL) load_window_encoders(b, l, chunks, op);
            set_code_output(b, op, l, og, 1);
            d = add_desc(b, LT_OP_CONV);
            memcpy(d, op, sizeof op);
            end_op(b, d, l, &t, i, og == groups - 1, &vo);
        }
    }
    return b->err->code;
}
