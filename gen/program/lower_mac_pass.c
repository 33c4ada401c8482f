/* Convolutions on the ws and ews cores whose weights come in passes: an operation computes some of the terms of one
 * output group for as many pixels as the partial-sum memory holds, and leaves the sums there for the next; the last one
 * adds bias and residual and writes the results. Weights are loaded again for every block of pixels, one bank while the
 * other is used; a block of at least `lanes` pixels gives the array as much to do as the bus has to bring. */
#include "program/lower_mac.h"

#include <stdlib.h>
#include <string.h>

/* Cuts n into equal parts of at most `most`; returns the size of all but the last. */
static int even_parts(int n, int most, int *count)
{
    *count = ceil_div(n, most);
    int size = ceil_div(n, *count);
    *count = ceil_div(n, size);
    return size;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

lt_code plan_passes_mac(builder *b, const qlayer *l, const mac_shape *s, mac_passes *p)
{
    enum { FIELD = 255 }; /* CG, R and S have 8 bits */
    int room = b->cfg->wb_words / b->cfg->lanes;

    /* whole kernels of some input groups, else whole rows of one, else parts of a row */
    p->s = even_parts(l->s, least(room, FIELD), &p->ns);
    p->r = even_parts(l->r, p->ns > 1 ? 1 : least(room / p->s, FIELD), &p->nr);
    p->cg = even_parts(s->cg, p->nr * p->ns > 1 ? 1 : least(room / (p->r * p->s), FIELD), &p->ncg);
    p->count = p->ncg * p->nr * p->ns;
    p->parts = calloc((size_t)p->count, sizeof *p->parts);
    if (!p->parts) return lt_fail(b->err, LT_EMEM, "out of memory");
    for (int i = 0; i < p->count; i++) {
        int c0 = i / (p->nr * p->ns) * p->cg, r0 = i / p->ns % p->nr * p->r, s0 = i % p->ns * p->s;
        p->parts[i] =
            (lt_mac_part){c0, least(p->cg, s->cg - c0), r0, least(p->r, l->r - r0), s0, least(p->s, l->s - s0)};
    }
    return LT_OK;
}

/* A block of a tile: the pixels that the partial-sum memory holds. Whole rows of the tile, or part of one. */
typedef struct {
    int rows, cols, across, count;
} blocks;

static blocks cut_tile(const view *tile, int pixels)
{
    blocks k = {.cols = tile->cols, .across = 1};

    if (tile->cols > pixels)
        k.cols = even_parts(tile->cols, pixels, &k.across), k.rows = 1;
    else
        k.rows = least(pixels / tile->cols, tile->rows);
    k.count = k.across * ceil_div(tile->rows, k.rows);
    return k;
}

static int block_pixels(const builder *b)
{
    return least(b->cfg->psum_words, 255); /* TILE_W */
}

bool passes_win(const builder *b, const qlayer *l, const mac_shape *s, const tiling *t, const mac_passes *p)
{
    enum { PER_PASS = 40 }; /* cycles, about: loading begins, first weights, pipeline */
    const lt_config *c = b->cfg;
    const qtensor *out = &b->net->tensors[l->out];
    view tile = {.rows = t->rows, .cols = t->cols};
    blocks k = cut_tile(&tile, block_pixels(b));
    double beats = word_bytes(b) * 8 > c->bus_bits ? word_bytes(b) * 8.0 / c->bus_bits : 1;
    double load = s->words * beats, terms = (double)s->words / c->lanes, tiles = t->count;
    int pixels = k.rows * k.cols, busy = pixels > c->lanes ? pixels : c->lanes;
    double work = terms * busy, turn = work > load ? work : load;

    /* one output group of the whole layer */
    double whole = tiles * load + terms * (double)ceil_div(out->h * out->w, pixels) * busy;
    return tiles * k.count * (turn + PER_PASS * p->count) < whole;
}

/* What stays the same over the passes of a layer. */
typedef struct {
    const qlayer *l;
    const mac_shape *s;
    const tiling *t;
    const mac_passes *p;
    /* per pass: its descriptor with the schedule, chosen for the first block, which is the largest */
    struct {
        bool known;
        uint32_t op[16];
    } * schedule;
    struct {
        uint32_t at, words; /* words 0: not packed yet */
    } * weights;            /* [og][pass] */
} job;

/* One block of one output group and tile. */
typedef struct {
    view in, out, res; /* in: of the tile */
    int og;
} block;

static view part_of_tile(const view *tile, const blocks *k, int i)
{
    int row = i / k->across * k->rows, col = i % k->across * k->cols;
    view v = *tile;

    v.base += row * tile->cols + col;
    v.row0 += row;
    v.col0 += col;
    v.rows = least(k->rows, tile->rows - row);
    v.cols = least(k->cols, tile->cols - col);
    return v;
}

static void set_schedule(builder *b, const job *j, int pass, uint32_t *op)
{
    uint32_t *chosen = j->schedule[pass].op;

    if (!j->schedule[pass].known) {
        memcpy(chosen, op, sizeof j->schedule[pass].op);
        choose_schedule(b, j->s, j->l, &j->p->parts[pass], 1, chosen);
        j->schedule[pass].known = true;
    }
    set_schedule_of(b, chosen, op);
}

static void load_pass_weights(builder *b, const job *j, int og, int pass, const uint32_t *op)
{
    int i = og * j->p->count + pass;

    if (!j->weights[i].words) {
        int words;
        j->weights[i].at = add_weights(b, j->l, j->s, &j->p->parts[pass], og, 1, op, &words);
        j->weights[i].words = (uint32_t)words;
    }
    add_load(b, LUTRA_BASE_PROGRAM, j->weights[i].at, TO_WEIGHT, b->weight_half * b->cfg->wb_words,
             (int)j->weights[i].words, 1, 0, 0);
}

/* The open group's loads, and the operation. */
static uint32_t *add_pass(builder *b, const job *j, const block *k, int pass)
{
    const lt_config *c = b->cfg;
    const qlayer *l = j->l;
    lt_mac_part part = j->p->parts[pass];
    const kernel_part kernel = {part.r0, part.r, part.s0, part.s};
    bool last = pass == j->p->count - 1;
    int param = (b->ops % 2) * c->param_groups, group = j->s->cg_step ? k->og : part.c0;
    uint32_t op[16] = {0};
    view in = k->in;

    if (j->t->groups)
        load_part(b, l, j->t, &k->out, &kernel, group, part.cg, &in);
    else
        in.base += group * in.plane;
    set_conv(b, op, &in, j->s->cg_step);
    set_groups(b, op, l, k->out, last ? &k->res : NULL, k->og, param);
    set_field(b, op, LT_D_WRITE_FB, last);
    set_field(b, op, LT_D_ACC_IN, pass > 0);
    set_field(b, op, LT_D_ACC_OUT, !last);
    set_field(b, op, LT_D_IN_BASE, in.base);
    set_field(b, op, LT_D_OG, 1);
    set_field(b, op, LT_D_CG, part.cg);
    set_field(b, op, LT_D_R, part.r);
    set_field(b, op, LT_D_S, part.s);
    set_schedule(b, j, pass, op);
    b->weight_half = !b->weight_half;
    load_pass_weights(b, j, k->og, pass, op);
    set_field(b, op, LT_D_WEIGHT_BASE, b->weight_half * c->wb_words);
    if (last) load_params(b, l, k->og, 1, param, !b->net->tensors[l->in].is_signed);
    part.c0 = 0; /* the base is that of the first group already */
    set_part(b, op, l, &part, &in, &k->out);
    return add_op(b, op);
}

static void lower_tile(builder *b, const job *j, int tile)
{
    const qlayer *l = j->l;
    view in, out, res = {0};
    blocks k = {0};

    for (int i = 0; i == 0 || i < k.count; i++)
        for (int og = 0; og < j->s->og; og++)
            for (int pass = 0; pass < j->p->count; pass++) {
                bool first = i == 0 && og == 0 && pass == 0;
                open_group(b, first && (b->wide_weights || (tile == 0 && (j->t->count > 1 || j->t->groups))));
                b->wide_weights = false;
                load_input(b);
                if (first) {
                    tile_views(b, l, j->t, tile, true, &in, &out, &res);
                    k = cut_tile(&out, j->p->count > 1 ? block_pixels(b) : out.rows * out.cols);
                }
                block now = {.in = in, .out = part_of_tile(&out, &k, i), .res = res, .og = og};
                now.res.base += (now.out.row0 - out.row0) * l->res_step * res.cols;
                now.res.base += (now.out.col0 - out.col0) * l->res_step;
                bool last = i == k.count - 1 && og == j->s->og - 1 && pass == j->p->count - 1;
                end_op(b, add_pass(b, j, &now, pass), l, j->t, tile, last, &out);
            }
}

lt_code lower_in_passes(builder *b, const qlayer *l, const mac_shape *s, const tiling *t, const mac_passes *p)
{
    job j = {.l = l, .s = s, .t = t, .p = p};

    j.schedule = calloc((size_t)p->count, sizeof *j.schedule);
    j.weights = calloc((size_t)p->count * (size_t)s->og, sizeof *j.weights);
    if (!j.schedule || !j.weights) lt_fail(b->err, LT_EMEM, "out of memory");
    for (int i = 0; i < t->count && b->err->code == LT_OK; i++) lower_tile(b, &j, i);
    free(j.schedule);
    free(j.weights);
    return b->err->code;
}
