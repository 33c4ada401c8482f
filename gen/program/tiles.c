/* Cutting a layer into tiles of whole output rows. A layer whose tensors are all on chip is one tile; otherwise its
 * DRAM tensors pass through tile buffers in free banks, two of each if there is room. */
#include "program/builder.h"

#include <string.h>

/* Input rows that output rows row0 .. row0+rows-1 read, clipped to the input. */
static view input_rows(const builder *b, const qlayer *l, int row0, int rows)
{
    const qtensor *in = &b->net->tensors[l->in];
    int stride = l->stride > 0 ? l->stride : 1, dil = l->dilation > 0 ? l->dilation : 1;
    int lo = row0 * stride - l->pad_t, hi = (row0 + rows - 1) * stride - l->pad_t + (l->r - 1) * dil + 1;
    if (lo < 0) lo = 0;
    if (hi > in->h) hi = in->h;
    if (hi <= lo) { /* wholly in the padding: one row, never read */
        lo = lo < in->h ? lo : in->h - 1;
        hi = lo + 1;
    }
    return (view){0, (hi - lo) * in->w, lo, hi - lo};
}

static int most_input_rows(const builder *b, const qlayer *l, int rows)
{
    const qtensor *out = &b->net->tensors[l->out];
    int most = 0;
    for (int r0 = 0; r0 < out->h; r0 += rows) {
        int n = r0 + rows <= out->h ? rows : out->h - r0;
        view v = input_rows(b, l, r0, n);
        if (v.rows > most) most = v.rows;
    }
    return most;
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

bool plan_tiles(builder *b, const qlayer *l, int max_in_rows, int acc_words, tiling *t)
{
    const qtensor *in = &b->net->tensors[l->in], *out = &b->net->tensors[l->out];
    const qtensor *res = l->res >= 0 ? &b->net->tensors[l->res] : NULL;
    const place *pi = &b->at[l->in], *po = &b->at[l->out], *pr = l->res >= 0 ? &b->at[l->res] : NULL;
    bool in_dram = pi->in_dram, out_dram = po->in_dram, res_dram = pr && pr->in_dram;

    memset(t, 0, sizeof *t);
    t->rows = out->h;
    t->count = 1;
    if (!in_dram && !out_dram && !res_dram && !acc_words && most_input_rows(b, l, out->h) <= max_in_rows) return true;
    /* the largest tile that fits: fewer halo rows are loaded twice */
    for (int rows = out->h; rows >= 1; rows--) {
        unsigned busy = banks_of(b, l->in) | banks_of(b, l->out) | (l->res >= 0 ? banks_of(b, l->res) : 0);
        int n = b->depth;
        int in_rows = most_input_rows(b, l, rows);
        if (in_rows > max_in_rows) continue;
        if (in_dram && !buffers(b, groups_of(b, in) * in_rows * in->w, n, &busy, t->in_at)) continue;
        if (out_dram && !buffers(b, groups_of(b, out) * rows * out->w, n, &busy, t->out_at)) continue;
        if (res_dram && !buffers(b, groups_of(b, res) * ((rows - 1) * l->res_step + 1) * res->w, n, &busy, t->res_at))
            continue;
        if (acc_words && !buffers(b, acc_words * rows * out->w, 2, &busy, t->acc_at)) continue;
        t->rows = rows;
        t->count = ceil_div(out->h, rows);
        return true;
    }
    return false;
}

void tile_views(builder *b, const qlayer *l, const tiling *t, int i, bool load, view *in, view *out, view *res)
{
    const qtensor *qi = &b->net->tensors[l->in], *qo = &b->net->tensors[l->out];
    int row0 = i * t->rows, rows = row0 + t->rows <= qo->h ? t->rows : qo->h - row0;
    const place *pi = &b->at[l->in], *po = &b->at[l->out];

    *in = input_rows(b, l, row0, rows);
    if (pi->in_dram) {
        in->base = t->in_at[i % 2];
        if (load) load_rows(b, l->in, in);
    } else {
        in->base = pi->base + in->row0 * qi->w;
        in->plane = qi->h * qi->w;
    }
    *out = (view){po->in_dram ? t->out_at[i % 2] : po->base + row0 * qo->w, po->in_dram ? rows * qo->w : qo->h * qo->w,
                  row0, rows};
    if (l->res < 0) return;
    const qtensor *qr = &b->net->tensors[l->res];
    const place *pr = &b->at[l->res];
    int r0 = row0 * l->res_step, rr = (rows - 1) * l->res_step + 1;
    if (r0 + rr > qr->h) rr = qr->h - r0;
    *res = (view){pr->in_dram ? t->res_at[i % 2] : pr->base + r0 * qr->w, pr->in_dram ? rr * qr->w : qr->h * qr->w, r0,
                  rr};
    if (pr->in_dram && load) load_rows(b, l->res, res);
}
