/* What every operation does before and after, whatever the core. */
#include "program/builder.h"

#include "program/pack_params.h"

void load_input(builder *b)
{
    place *p = &b->at[0];
    if (b->input_loaded) return;
    if (b->input_waits) { /* for operations and stores of the image before */
        wait_for_all(b);
        set_field(b, b->p->desc[b->last_store], LT_D_SIGNAL_A, 1);
        b->load_after_store = true;
    }
    if (p->in_fb) {
        const qtensor *q = &b->net->tensors[0];
        view whole = {p->base, q->h * q->w, 0, q->h, 0, q->w};
        load_rows(b, 0, &whole, 0, groups_of(b, q));
    } else if (p->code != CODE_NONE) {
        load_input_code(b);
    }
    b->input_loaded = true;
}

void load_params(builder *b, const qlayer *l, int og0, int og, int at, bool in_unsigned)
{
    const lt_config *c = b->cfg;
    int per_group = c->lanes / c->post_lanes;
    lt_buf words = {0};

    lt_pack_params(l, b->net->tensors[l->in].c, c->lanes, c->post_lanes, og0, og, in_unsigned, &words);
    uint32_t from = add_blob(b, words.data, words.len);
    add_load(b, LUTRA_BASE_PROGRAM, from, TO_PARAM, at * per_group, og * per_group, 1, 0, 0);
    if (!lt_buf_ok(&words)) lt_fail(b->err, LT_EMEM, "out of memory");
    lt_buf_free(&words);
}

static void set_residual(builder *b, uint32_t *d, const qlayer *l, const view *res, int og0)
{
    const qtensor *r = &b->net->tensors[l->res];
    /* residual group of this operation's first output group; below 0: the first groups have none */
    int first = og0 - l->res_c_off / b->cfg->lanes, skip = first > 0 ? first : 0, count = groups_of(b, r) - skip;

    if (count <= 0) return; /* nothing of the residual reaches these channels */
    set_field(b, d, LT_D_RES_EN, 1);
    set_field(b, d, LT_D_RES_UNSIGNED, !r->is_signed);
    set_field(b, d, LT_D_RES_BASE, res->base + skip * res->plane);
    set_field(b, d, LT_D_RES_PLANE, res->plane);
    set_field(b, d, LT_D_RES_W, res->cols);
    set_field(b, d, LT_D_RES_STEP, l->res_step);
    set_field(b, d, LT_D_RES_OG_OFF, first < 0 ? -first : 0);
    set_field(b, d, LT_D_RES_OG_COUNT, count);
    set_field(b, d, LT_D_RES_MULT, l->res_mult);
}

void set_groups(builder *b, uint32_t *d, const qlayer *l, view out, const view *res, int og0, int param_group)
{
    const qtensor *in = &b->net->tensors[l->in], *o = &b->net->tensors[l->out];

    set_field(b, d, LT_D_IN_UNSIGNED, !in->is_signed);
    set_field(b, d, LT_D_OUT_UNSIGNED, !o->is_signed);
    set_field(b, d, LT_D_LAYER, b->layer & 255);
    set_field(b, d, LT_D_OUT_H, out.rows);
    set_field(b, d, LT_D_OUT_W, out.cols);
    set_field(b, d, LT_D_OUT_BASE, out.base + og0 * out.plane);
    set_field(b, d, LT_D_OUT_PLANE, out.plane);
    set_field(b, d, LT_D_SHIFT, l->shift);
    set_field(b, d, LT_D_LO, l->lo);
    set_field(b, d, LT_D_HI, l->hi);
    set_field(b, d, LT_D_PARAM_BASE, param_group);
    set_field(b, d, LT_D_STRIDE, l->stride > 0 ? l->stride : 1);
    set_field(b, d, LT_D_DILATION, l->dilation > 0 ? l->dilation : 1);
    if (res && l->res >= 0) set_residual(b, d, l, res, og0);
    if (b->barrier) {
        set_field(b, d, LT_D_BARRIER, 1);
        b->barrier = false;
    }
}

/* The profile record follows the operation's stores, or waits for it itself. */
static void add_profile(builder *b)
{
    set_field(b, b->p->desc[b->last_op], LT_D_MARK, 1);
    set_field(b, b->p->desc[b->last_op], LT_D_SIGNAL_B, 1);
    uint32_t *d = add_desc(b, LT_OP_PROFILE);
    set_field(b, d, LT_D_BASE, LUTRA_BASE_SCRATCH);
    set_field(b, d, LT_D_OFFSET, b->p->image.profile_offset + (uint32_t)b->layer * b->p->image.profile_stride);
    if (!b->op_stored) set_field(b, d, LT_D_WAIT_B, 1);
}

void end_op(builder *b, uint32_t *d, const qlayer *l, const tiling *t, int tile, bool last, const view *out)
{
    place *po = &b->at[l->out];
    bool layer_done = last && tile == t->count - 1;

    b->stores_due = po->in_dram ? b->tile_stores[b->depth == 2 ? 0 : 1] : 0;
    finish_op(b, d);
    if (!last) return;
    if (po->in_dram) {
        store_rows(b, l->out, out, &po->dram);
    } else {
        if (b->opt->dumps) store_rows(b, l->out, out, &b->dump[b->layer]);
        lutra_tensor result = image_output(b);
        if (l->out == b->output_tensor) store_rows(b, l->out, out, &result);
        if (waits(b, l->out) && b->images == 1) store_rows(b, l->out, out, &po->dram);
    }
    if (!layer_done) return;
    if (po->in_dram) { /* the next load may read what was stored */
        set_field(b, b->p->desc[b->last_store], LT_D_SIGNAL_A, 1);
        b->load_after_store = true;
    }
    if (b->opt->profile) add_profile(b);
}
