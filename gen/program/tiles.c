/* Cutting a layer into tiles of output pixels. A layer whose tensors are all on chip is one tile; otherwise its DRAM
 * tensors pass through tile buffers in free banks, two of each if there is room. Tiles are whole rows; parts of rows
 * where not even one row fits; and where not even one pixel of every channel does, every operation loads its own input.
 */
#include "program/builder.h"

#include <string.h>

/* First row (or column) and number of them that n outputs from `out` on read of an input of `size`, for kernel
 * positions k0 .. k0+k-1. Wholly in the padding: one, never read. */
static void reach(int out, int n, int stride, int pad, int dil, int k0, int k, int size, int *first, int *count)
{
    int lo = out * stride - pad + k0 * dil, hi = lo + (n - 1) * stride + (k - 1) * dil + 1;

    if (lo < 0) lo = 0;
    if (hi > size) hi = size;
    if (hi <= lo) {
        lo = lo < size ? lo : size - 1;
        hi = lo + 1;
    }
    *first = lo;
    *count = hi - lo;
}

/* Columns of DRAM tensors start at bus words. */
static int column_step(const builder *b)
{
    int words = b->cfg->bus_bits / 8 / word_bytes(b);
    return words > 1 ? words : 1;
}

/* Columns as they are loaded: all of whole rows, which are quicker to load, else from a bus word on. */
static void widen(const builder *b, view *v, bool whole, int w)
{
    int extra = whole ? v->col0 : v->col0 % column_step(b);

    v->col0 -= extra;
    v->cols = whole ? w : v->cols + extra;
    v->plane = v->rows * v->cols;
}

/* What the output pixels `out` read through a part of the kernel. */
static view input_of(const builder *b, const qlayer *l, const view *out, const kernel_part *k)
{
    const qtensor *in = &b->net->tensors[l->in];
    int stride = l->stride > 0 ? l->stride : 1, dil = l->dilation > 0 ? l->dilation : 1;
    view v = {0};

    reach(out->row0, out->rows, stride, l->pad_t, dil, k->r0, k->r, in->h, &v.row0, &v.rows);
    reach(out->col0, out->cols, stride, l->pad_l, dil, k->s0, k->s, in->w, &v.col0, &v.cols);
    widen(b, &v, out->cols == b->net->tensors[l->out].w && k->s == l->s, in->w);
    return v;
}

static view residual_of(const builder *b, const qlayer *l, const view *out)
{
    const qtensor *res = &b->net->tensors[l->res];
    view v = {0};

    reach(out->row0, out->rows, l->res_step, 0, 1, 0, 1, res->h, &v.row0, &v.rows);
    reach(out->col0, out->cols, l->res_step, 0, 1, 0, 1, res->w, &v.col0, &v.cols);
    widen(b, &v, out->cols == b->net->tensors[l->out].w, res->w);
    return v;
}

/* Output pixels of tile i; base and plane are not set. */
static view output_tile(const qtensor *out, const tiling *t, int i)
{
    view v = {.row0 = i / t->across * t->rows, .col0 = i % t->across * t->cols, .rows = t->rows, .cols = t->cols};

    if (v.row0 + v.rows > out->h) v.rows = out->h - v.row0;
    if (v.col0 + v.cols > out->w) v.cols = out->w - v.col0;
    return v;
}

static bool buffers(const builder *b, int words, int n, unsigned *busy, int at[2])
{
    for (int i = 0; i < n; i++) {
        at[i] = find_run(b, words, *busy);
        if (at[i] < 0) return false;
        *busy |= banks_touched(b, at[i], words);
    }
    if (n == 1) at[1] = at[0];
    return true;
}

/* What the tiles of one cut need at most, per group and buffer. */
typedef struct {
    int in, res;     /* feature-buffer words */
    int code;        /* code words, one per pixel */
    uint64_t loaded; /* input words over all tiles: the cost of the cut */
} extent;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Operations that load their own part of the input: any part of the kernel, in or out of the padding. */
static extent measure_parts(const builder *b, const qlayer *l, const tile_needs *n, const tiling *t)
{
    const qtensor *in = &b->net->tensors[l->in];
    int stride = l->stride > 0 ? l->stride : 1, dil = l->dilation > 0 ? l->dilation : 1;
    int rows = smaller((t->rows - 1) * stride + (n->kernel.r - 1) * dil + 1, in->h);
    int cols = smaller((t->cols - 1) * stride + (n->kernel.s - 1) * dil + column_step(b), in->w);

    return (extent){.in = rows * cols, .loaded = (uint64_t)t->count * (uint64_t)(rows * cols)};
}

static void measure_tile(const builder *b, const qlayer *l, const tiling *t, int i, view *in, view *res)
{
    const kernel_part kernel = {0, l->r, 0, l->s};
    view o = output_tile(&b->net->tensors[l->out], t, i);

    *in = input_of(b, l, &o, &kernel);
    *res = (view){0};
    if (l->res >= 0) *res = residual_of(b, l, &o);
}

static extent measure(const builder *b, const qlayer *l, const tiling *t)
{
    int in_rows = 0, in_cols = 0, res_rows = 0, res_cols = 0;
    uint64_t all_rows = 0, all_cols = 0;
    view in, res;

    for (int i = 0; i < t->count; i += t->across) { /* a tile's rows do not depend on its columns */
        measure_tile(b, l, t, i, &in, &res);
        if (in.rows > in_rows) in_rows = in.rows;
        if (res.rows > res_rows) res_rows = res.rows;
        all_rows += (uint64_t)in.rows;
    }
    for (int i = 0; i < t->across; i++) {
        measure_tile(b, l, t, i, &in, &res);
        if (in.cols > in_cols) in_cols = in.cols;
        if (res.cols > res_cols) res_cols = res.cols;
        all_cols += (uint64_t)in.cols;
    }
    return (extent){.in = in_rows * in_cols,
                    .res = res_rows * res_cols,
                    .code = ceil_div(in_rows, 3) * in_cols,
                    .loaded = all_rows * all_cols};
}

/* Code words that the input of a tile takes. */
static int code_words(const tile_needs *n, const extent *e)
{
    int each = n->word_chunks > 1 ? n->word_chunks : 1;
    return ceil_div(e->code * n->code_chunks, each);
}

/* Do tiles of rows x cols fit? Then *t becomes that cut. */
static bool try_cut(const builder *b, const qlayer *l, const tile_needs *n, int groups, int rows, int cols, tiling *t,
                    uint64_t *loaded)
{
    const qtensor *in = &b->net->tensors[l->in], *out = &b->net->tensors[l->out];
    const qtensor *res = l->res >= 0 ? &b->net->tensors[l->res] : NULL;
    bool in_dram = b->at[l->in].in_dram, out_dram = b->at[l->out].in_dram, res_dram = res && b->at[l->res].in_dram;
    unsigned busy = banks_of(b, l->in) | banks_of(b, l->out) | (res ? banks_of(b, l->res) : 0);
    tiling cut = {.rows = rows, .cols = cols, .across = ceil_div(out->w, cols), .groups = groups};

    cut.count = cut.across * ceil_div(out->h, rows);
    if (groups && n->passes && rows * cols > b->cfg->psum_words) return false;
    extent e = groups && !n->code_chunks ? measure_parts(b, l, n, &cut) : measure(b, l, &cut);
    if (groups && res) e.res = measure(b, l, &cut).res;
    if (code_words(n, &e) > code_room(b)) return false;
    if (in_dram && !buffers(b, (groups ? groups : groups_of(b, in)) * e.in, b->depth, &busy, cut.in_at)) return false;
    if (out_dram && !buffers(b, groups_of(b, out) * rows * cols, b->depth, &busy, cut.out_at)) return false;
    if (res_dram && !buffers(b, groups_of(b, res) * e.res, b->depth, &busy, cut.res_at)) return false;
    if (n->acc_words && !buffers(b, n->acc_words * rows * cols, n->acc_buffers, &busy, cut.acc_at)) return false;
    *t = cut;
    *loaded = e.loaded;
    return true;
}

/* Parts of rows: the cut that loads the least. Only for tensors that all go through DRAM: others have whole rows. */
static bool cut_rows(const builder *b, const qlayer *l, const tile_needs *n, int groups, tiling *t)
{
    const qtensor *out = &b->net->tensors[l->out];
    uint64_t best = UINT64_MAX, loaded;
    int step = column_step(b), last = 0;

    for (int across = 1; across <= out->w; across++) {
        int cols = ceil_div(ceil_div(out->w, across), step) * step;
        tiling cut;
        if (cols > out->w) cols = out->w;
        if (cols == last) continue;
        last = cols;
        for (int rows = out->h; rows >= 1; rows--) {
            if (!try_cut(b, l, n, groups, rows, cols, &cut, &loaded)) continue;
            if (loaded < best) {
                best = loaded;
                *t = cut;
            }
            break;
        }
    }
    return best != UINT64_MAX;
}

bool plan_tiles(builder *b, const qlayer *l, const tile_needs *n, tiling *t)
{
    const qtensor *out = &b->net->tensors[l->out];
    bool in_dram = b->at[l->in].in_dram, out_dram = b->at[l->out].in_dram;
    bool res_dram = l->res >= 0 && b->at[l->res].in_dram;
    tiling whole = {.rows = out->h, .cols = out->w, .across = 1, .count = 1};
    uint64_t loaded;

    *t = whole;
    extent e = measure(b, l, t);
    if (!in_dram && !out_dram && !res_dram && !n->acc_words && code_words(n, &e) <= code_room(b)) return true;
    /* the largest tile that fits: fewer halo rows are loaded twice */
    for (int rows = out->h; rows >= 1; rows--)
        if (try_cut(b, l, n, n->split ? n->groups : 0, rows, out->w, t, &loaded)) return true;
    if (!in_dram || !out_dram || (l->res >= 0 && !res_dram)) return false;
    return (!n->split && cut_rows(b, l, n, 0, t)) || (n->groups && cut_rows(b, l, n, n->groups, t));
}

void load_part(builder *b, const qlayer *l, const tiling *t, const view *out, const kernel_part *k, int group,
               int groups, view *in)
{
    *in = input_of(b, l, out, k);
    in->base = t->in_at[b->ops % 2];
    load_rows(b, l->in, in, group, groups);
}

void tile_views(builder *b, const qlayer *l, const tiling *t, int i, bool load, view *in, view *out, view *res)
{
    const qtensor *qi = &b->net->tensors[l->in], *qo = &b->net->tensors[l->out];
    const place *pi = &b->at[l->in], *po = &b->at[l->out];
    const kernel_part kernel = {0, l->r, 0, l->s};

    *out = output_tile(qo, t, i);
    *in = input_of(b, l, out, &kernel);
    if (pi->in_dram) {
        in->base = t->in_at[i % 2];
        if (load && !t->groups) load_rows(b, l->in, in, 0, groups_of(b, qi));
    } else { /* whole rows */
        in->col0 = 0;
        in->cols = qi->w;
        in->base = pi->base + in->row0 * qi->w;
        in->plane = qi->h * qi->w;
    }
    out->base = po->in_dram ? t->out_at[i % 2] : po->base + out->row0 * qo->w;
    out->plane = po->in_dram ? out->rows * out->cols : qo->h * qo->w;
    if (l->res < 0) return;
    const qtensor *qr = &b->net->tensors[l->res];
    const place *pr = &b->at[l->res];
    *res = residual_of(b, l, out);
    if (pr->in_dram) {
        res->base = t->res_at[i % 2];
        if (load) load_rows(b, l->res, res, 0, groups_of(b, qr));
    } else {
        res->col0 = 0;
        res->cols = qr->w;
        res->base = pr->base + res->row0 * qr->w;
        res->plane = qr->h * qr->w;
    }
    /* from here on: the word of the first output pixel */
    res->base += out->col0 * l->res_step - res->col0;
}
