/* Transfers, and what waits for what.
 *
 * The three engines run on their own and exchange tokens (architecture.md, section 4). Counting tokens keeps this
 * simple: every operation gives one token to the load engine when it is done and is preceded by at least one load (its
 * parameters). A load that must not start before operation X is done takes as many tokens as had been given up to X.
 * Operations that do the same for several images are one operation in this: the first waits for the loads, the last
 * gives the token. The same between stores and operations. Operations finish in order, so "X is done" implies
 * everything before it. */
#include "program/builder.h"

void open_group(builder *b, bool all)
{
    b->last_load = -1;
    b->load_need = all || b->depth == 1 ? b->ops : b->ops - 1;
}

void wait_for_all(builder *b)
{
    b->load_need = b->ops;
}

static void emit_load(builder *b, int base, uint32_t offset, int target, int address, int words, int rows,
                      uint32_t dram_stride, int word_stride)
{
    uint32_t *d = add_desc(b, LT_OP_LOAD);
    set_field(b, d, LT_D_BASE, base);
    set_field(b, d, LT_D_TARGET, target);
    set_field(b, d, LT_D_OFFSET, offset);
    set_field(b, d, LT_D_ADDRESS, address);
    set_field(b, d, LT_D_WORDS, words);
    set_field(b, d, LT_D_ROWS, rows);
    set_field(b, d, LT_D_DRAM_STRIDE, dram_stride);
    set_field(b, d, LT_D_WORD_STRIDE, word_stride);
    if (b->load_waits < b->load_need) {
        set_field(b, d, LT_D_WAIT_A, 1);
        b->load_waits++;
    }
    if (b->load_after_store) {
        set_field(b, d, LT_D_WAIT_B, 1);
        b->load_after_store = false;
    }
    b->last_load = b->p->n_desc - 1;
}

/* A load takes one token. Where two are due, one that does no harm goes first: a parameter word for the next operation,
 * whose place was free when the operation before last was done. */
static void take_tokens(builder *b)
{
    while (b->load_need - b->load_waits > 1) {
        int address = b->ops % 2 * b->cfg->param_groups * (b->cfg->lanes / b->cfg->post_lanes);
        emit_load(b, LUTRA_BASE_PROGRAM, 0, TO_PARAM, address, 1, 1, 0, 0);
    }
}

void add_load(builder *b, int base, uint32_t offset, int target, int address, int words, int rows, uint32_t dram_stride,
              int word_stride)
{
    if (b->again) return;
    take_tokens(b);
    /* the field holds 16 bits: longer rows are cut */
    while (words > 65535 && rows == 1) {
        add_load(b, base, offset, target, address, 32768, 1, 0, 0);
        offset += 32768u * (uint32_t)b->target_bytes[target];
        address += 32768;
        words -= 32768;
    }
    emit_load(b, base, offset, target, address, words, rows, dram_stride, word_stride);
}

void add_packed_load(builder *b, int target, int address, int words, int rows, int stride, const lt_buf *data)
{
    size_t row = (size_t)words * (size_t)b->target_bytes[target], bus = (size_t)b->cfg->bus_bits / 8;

    if (!lt_buf_ok(data)) {
        lt_fail(b->err, LT_EMEM, "out of memory");
        return;
    }
    if (row % bus == 0 || rows == 1) {
        uint32_t at = add_blob(b, data->data, data->len);
        add_load(b, LUTRA_BASE_PROGRAM, at, target, address, words, rows, (uint32_t)row, stride);
        return;
    }
    /* every row starts at a bus word */
    for (int i = 0; i < rows; i++) {
        uint32_t at = add_blob(b, data->data + (size_t)i * row, row);
        add_load(b, LUTRA_BASE_PROGRAM, at, target, address + i * stride, words, 1, 0, 0);
    }
}

/* Rows that follow each other without gaps are one long row. */
static bool packed(const builder *b, const lutra_tensor *d, const view *v)
{
    return d->row_stride == (uint32_t)(v->cols * word_bytes(b)) && v->rows * v->cols <= 65535;
}

static uint32_t offset_of(const builder *b, const lutra_tensor *d, const view *v)
{
    return d->offset + (uint32_t)v->row0 * d->row_stride + (uint32_t)(v->col0 * word_bytes(b));
}

void load_rows(builder *b, int t, const view *v, int first, int groups)
{
    const lutra_tensor *d = &b->at[t].dram;
    uint32_t from = offset_of(b, d, v) + (uint32_t)first * d->group_stride;
    bool one = packed(b, d, v);

    if (one || v->rows == 1) {
        int words = v->rows * v->cols;
        bool tight = one && d->group_stride == (uint32_t)(words * word_bytes(b)) && v->plane == words;
        if (tight && groups * words <= 65535)
            add_load(b, (int)d->base, from, TO_FB, v->base, groups * words, 1, 0, 0);
        else
            add_load(b, (int)d->base, from, TO_FB, v->base, words, groups, d->group_stride, v->plane);
        return;
    }
    for (int g = 0; g < groups; g++)
        add_load(b, (int)d->base, from + (uint32_t)g * d->group_stride, TO_FB, v->base + g * v->plane, v->cols, v->rows,
                 d->row_stride, v->cols);
}

void finish_op(builder *b, uint32_t *d)
{
    b->last_op = (int)(d - b->p->desc[0]) / 16;
    if (!b->again) {
        set_field(b, b->p->desc[b->last_load], LT_D_SIGNAL_A, 1);
        set_field(b, d, LT_D_WAIT_A, 1);
    }
    if (!b->goes_on) {
        set_field(b, d, LT_D_SIGNAL_A, 1);
        b->ops++;
    }
    b->op_stored = false;
    /* stores whose buffer this operation overwrites; dumps are waited for at once */
    int need = b->opt->dumps ? b->store_signals : b->stores_due;
    if (need < b->stores_floor) need = b->stores_floor;
    /* one token per operation: none may be left over when the image is done */
    if (b->batch > 1 && need < b->store_signals - 1) need = b->store_signals - 1;
    if (b->store_waits < need) {
        set_field(b, d, LT_D_WAIT_B, 1);
        b->store_waits++;
    }
}

void store_rows(builder *b, int t, const view *v, const lutra_tensor *to)
{
    int groups = groups_of(b, &b->net->tensors[t]), w = v->cols;
    uint32_t from = offset_of(b, to, v);
    bool one = packed(b, to, v) || v->rows == 1;

    set_field(b, b->p->desc[b->last_op], LT_D_SIGNAL_B, 1);
    for (int i = 0; i < (one ? 1 : groups); i++) {
        uint32_t *d = add_desc(b, LT_OP_STORE);
        set_field(b, d, LT_D_BASE, to->base);
        set_field(b, d, LT_D_OFFSET, from + (uint32_t)i * to->group_stride);
        set_field(b, d, LT_D_ADDRESS, v->base + i * v->plane);
        set_field(b, d, LT_D_WORDS, one ? v->rows * w : w);
        set_field(b, d, LT_D_ROWS, one ? groups : v->rows);
        set_field(b, d, LT_D_DRAM_STRIDE, one ? to->group_stride : to->row_stride);
        set_field(b, d, LT_D_WORD_STRIDE, one ? v->plane : w);
        if (i == 0 && !b->op_stored) set_field(b, d, LT_D_WAIT_B, 1); /* one token per operation */
    }
    b->op_stored = true;
    b->last_store = b->p->n_desc - 1;
    set_field(b, b->p->desc[b->last_store], LT_D_SIGNAL_B, 1);
    b->store_signals++;
    b->tile_stores[0] = b->tile_stores[1];
    b->tile_stores[1] = b->store_signals;
}
