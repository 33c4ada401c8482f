/* The lookup layer of encode.h. An image is worked on in planes, one value per position: a pixel of the input (channel
 * mode) or of the output (spatial mode). In channel mode rows of positions have a gap behind them in which no tap finds
 * a code, so that a tap is a constant distance. */
#pragma GCC optimize("O3") /* loops over values: vector code */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/encode_internal.h"
#include "train/round.h"

enum { WEIGHT, LOOKUP_PARAMS = 1 + ENC_PARAMS };

/* Positions and where things lie in a plane. */
typedef struct {
    int width, pitch, n; /* positions of a row that count, from row to row, of all rows */
    size_t plane;        /* floats */
    int code_front;      /* codes before position 0 */
    size_t code_plane;   /* bytes */
    int step_y, step_x;  /* positions from one output pixel to the next */
    int g_front;         /* gradients before position 0 */
    size_t g_plane;
    int *tap;  /* [taps] distance from an output pixel to the position that its tap reads */
    int *from; /* [taps] the opposite, into a gradient plane */
} geometry;

typedef struct {
    float *x, *gx;           /* [channels + 1] planes: the input's and the gradient's; the last for what is outside */
    float *window, *gwindow; /* spatial: [taps] planes of one channel */
    float *g;                /* [outputs] gradient planes; the gaps stay 0 */
    float *h;                /* [codes][LK_BLOCK] */
    float *y;                /* [lanes] */
    float *sums;             /* [book + 1][LK_LANES] gradients of one codebook */
} scratch;

typedef struct {
    lt_layer l;
    lt_encoder *e;
    bool owner;
    qlayer q; /* its numbers, no arrays */
    bool spatial, mirror;
    int taps, codes, outs, lanes, columns;
    geometry at;
    lk_reads reads;
    uint8_t *code; /* [batch][codebooks] planes */
    float *table;  /* [codebooks][taps][codes + 1][lanes]: the last row, of no code, is 0 */
    float
        *turned; /* [codebooks][taps][outs][columns]: soft assignment: the codes' entries, hard: slopes by the input */
    float *mask; /* [plane] 1 where a position counts */
    float *effective, *unloaded; /* weights as the hook leaves them, its gradient */
    float *both;                 /* mirrored: tables of all codes */
    float *part;    /* [chunks][pitch]: gradient of table, of the encoder's parameters, of its temperature */
    size_t entries; /* of table */
    size_t pitch;
    scratch *s; /* [workers] */
    lt_weight_hook wh;
    lt_param params[LOOKUP_PARAMS];
} lookup;

static void pack(lookup *n, const float *w)
{
    size_t rows = (size_t)(n->e->e.codebooks * n->taps), k = (size_t)n->outs;
    for (size_t r = 0; r < rows * (size_t)n->codes; r++)
        memcpy(n->table + (r + r / (size_t)n->codes) * (size_t)n->lanes, w + r * k, k * sizeof *w);
}

/* For the way back. Straight through, an output is taken for a linear function of the subvector whose slopes are those
 * of its column of the table. */
static void turn(lookup *n, const float *w)
{
    bool hard = n->e->o.assign == LT_ASSIGN_HARD;
    size_t k = (size_t)n->outs, columns = (size_t)n->columns;
    int length = n->e->e.length;

    for (int cb = 0; cb < n->e->e.codebooks; cb++)
        for (int tap = 0; tap < n->taps; tap++) {
            size_t row = (size_t)(cb * n->taps + tap);
            const float *from = w + row * (size_t)n->codes * k;
            float *to = n->turned + row * k * columns;
            if (!hard) {
                for (size_t c = 0; c < (size_t)n->codes; c++)
                    for (size_t o = 0; o < k; o++) to[o * columns + c] = from[c * k + o];
                continue;
            }
            memset(to, 0, k * columns * sizeof *to);
            for (int j = 0; j < length; j++) {
                const float *slope = n->e->slope + (cb * length + j) * n->codes;
                for (size_t c = 0; c < (size_t)n->codes; c++)
                    for (size_t o = 0; o < k; o++) to[o * columns + (size_t)j] += slope[c] * from[c * k + o];
            }
        }
}

/* Tables of all codes from those of the lower half. */
static const float *both_halves(lookup *n, const float *w)
{
    size_t half = (size_t)(n->codes / 2), k = (size_t)n->outs, rows = (size_t)(n->e->e.codebooks * n->taps);
    if (!n->mirror) return w;
    for (size_t r = 0; r < rows; r++) {
        float *to = n->both + r * 2 * half * k;
        memcpy(to, w + r * half * k, half * k * sizeof *w);
        for (size_t c = half; c < 2 * half; c++)
            for (size_t o = 0; o < k; o++) to[c * k + o] = -to[(2 * half - 1 - c) * k + o];
    }
    return n->both;
}

static lt_code begin(lt_layer *l, const lt_pass *p, lt_err *err)
{
    lookup *n = (lookup *)l;
    const float *w = n->params[WEIGHT].value;
    (void)err;
    if (n->owner) enc_load(n->e, p->mode);
    if (n->wh.forward) {
        n->wh.forward(n->wh.ctx, w, n->effective, n->params[WEIGHT].n, p->mode);
        w = n->effective;
    }
    w = both_halves(n, w);
    pack(n, w);
    if (p->mode == LT_MODE_TRAIN) turn(n, w);
    return LT_OK;
}

/* The image's integers, low bits dropped, as planes. */
static void to_planes(const lookup *n, const float *x, float *planes, int pitch)
{
    lt_shape s = n->l.in->s;
    float per = 1 / n->e->step[0];
    for (int y = 0; y < s.h; y++)
        n->e->vec->to_planes(x + (size_t)(y * s.w * s.c), s.w, s.c, per, n->e->drop, planes + (size_t)(y * pitch),
                             n->at.plane);
}

/* Planes of codebook cb's subvector. */
static void subvector(const lookup *n, scratch *s, int cb, const float **x, float **gx)
{
    lt_shape in = n->l.in->s, out = n->l.out->s;
    int length = n->e->e.length;

    if (!n->spatial) {
        for (int j = 0; j < length; j++) {
            int c = cb * length + j < in.c ? cb * length + j : in.c;
            x[j] = s->x + (size_t)c * n->at.plane;
            gx[j] = s->gx + (size_t)c * n->at.plane;
        }
        return;
    }
    const float *from = s->x + (size_t)cb * n->at.plane;
    for (int j = 0; j < length; j++) {
        float *to = s->window + (size_t)j * n->at.plane;
        x[j] = to;
        gx[j] = s->gwindow + (size_t)j * n->at.plane;
        for (int p = 0; p < out.h; p++)
            for (int q = 0; q < out.w; q++) {
                int y = p * n->q.stride - n->q.pad_t + j / n->e->e.s, i = q * n->q.stride - n->q.pad_l + j % n->e->e.s;
                to[p * out.w + q] = y >= 0 && y < in.h && i >= 0 && i < in.w ? from[y * in.w + i] : 0;
            }
    }
}

static uint8_t *codes_of(const lookup *n, int image)
{
    return n->code + (size_t)image * (size_t)n->e->e.codebooks * n->at.code_plane;
}

static void encode(lookup *n, const lt_chunk *c, int image, const float *in)
{
    scratch *s = &n->s[c->worker];
    const float *x[LK_MAX_LENGTH];
    float *gx[LK_MAX_LENGTH];
    uint8_t *codes = codes_of(n, image) + n->at.code_front;

    to_planes(n, in, s->x, n->spatial ? n->l.in->s.w : n->at.pitch);
    for (int cb = 0; cb < n->e->e.codebooks; cb++, codes += n->at.code_plane) {
        lk_book b = enc_book(n->e, cb);
        subvector(n, s, cb, x, gx);
        n->e->vec->encode(&b, x, n->at.n, codes);
        for (int i = n->at.width; i < n->at.n; i += n->at.pitch)
            memset(codes + i, n->codes, (size_t)(n->at.pitch - n->at.width));
        if (!n->owner || !enc_measures(n->e, c->pass->mode)) continue;
        if (c->pass->mode == LT_MODE_TRAIN && image > c->first) continue;
        for (int i = 0; i < n->at.n; i++)
            if (codes[i] < n->codes) enc_measure(n->e, c->index, cb, codes[i], x, i);
    }
}

static void forward(lt_layer *l, const lt_chunk *c, int step)
{
    lookup *n = (lookup *)l;
    lt_shape out = l->out->s;
    size_t k = (size_t)n->outs;
    bool whole = n->lanes == n->outs;

    (void)step;
    for (int i = 0; i < c->n; i++) {
        float *y = lt_value(l->out, c) + (size_t)i * l->out->size, *tail = n->s[c->worker].y;
        encode(n, c, c->first + i, lt_value(l->in, c) + (size_t)i * l->in->size);
        const uint8_t *codes = codes_of(n, c->first + i) + n->at.code_front;
        for (int p = 0; p < out.h; p++)
            for (int q = 0; q < out.w; q++, y += k) {
                n->e->vec->sum(&n->reads, codes + p * n->at.step_y + q * n->at.step_x, n->table, n->lanes,
                               whole ? y : tail);
                if (!whole) memcpy(y, tail, k * sizeof *y);
            }
    }
}

static void forward_join(lt_layer *l, const lt_pass *p, int step)
{
    lookup *n = (lookup *)l;
    (void)step;
    if (n->owner && enc_measures(n->e, p->mode)) enc_measured(n->e, p->mode);
}

static void tables_back(lookup *n, scratch *s, int image, const float *gy, float *part)
{
    lt_shape out = n->l.out->s;
    size_t k = (size_t)n->outs;
    bool whole = n->lanes == n->outs;
    const uint8_t *codes = codes_of(n, image) + n->at.code_front;

    for (int p = 0; p < out.h; p++)
        for (int q = 0; q < out.w; q++, gy += k) {
            if (!whole) memcpy(s->y, gy, k * sizeof *gy);
            n->e->vec->scatter(&n->reads, codes + p * n->at.step_y + q * n->at.step_x, whole ? gy : s->y, n->lanes,
                               part);
        }
}

/* Windows back to pixels. */
static void from_windows(const lookup *n, const scratch *s, int cb)
{
    lt_shape in = n->l.in->s, out = n->l.out->s;
    float *to = s->gx + (size_t)cb * n->at.plane;

    memset(to, 0, (size_t)(in.h * in.w) * sizeof *to);
    for (int j = 0; j < n->e->e.length; j++) {
        const float *from = s->gwindow + (size_t)j * n->at.plane;
        for (int p = 0; p < out.h; p++)
            for (int q = 0; q < out.w; q++) {
                int y = p * n->q.stride - n->q.pad_t + j / n->e->e.s, i = q * n->q.stride - n->q.pad_l + j % n->e->e.s;
                if (y >= 0 && y < in.h && i >= 0 && i < in.w) to[y * in.w + i] += from[p * out.w + q];
            }
    }
}

static void to_input(const lookup *n, const scratch *s, float *gx)
{
    lt_shape in = n->l.in->s;
    float per = 1 / (n->e->step[0] * (float)(1 << n->e->drop));
    int pitch = n->spatial ? in.w : n->at.pitch;

    for (int y = 0; y < in.h; y++)
        n->e->vec->from_planes(s->gx + (size_t)(y * pitch), n->at.plane, in.w, in.c, per, n->l.add_in,
                               gx + (size_t)(y * in.w * in.c));
}

/* With a stride the positions between output pixels stay 0. */
static void gradient_planes(const lookup *n, scratch *s, const float *gy)
{
    lt_shape out = n->l.out->s;
    for (int p = 0; p < out.h; p++, gy += out.w * n->outs) {
        float *to = s->g + n->at.g_front + (size_t)(p * n->at.step_y);
        if (n->at.step_x == 1) {
            n->e->vec->transpose(gy, out.w, n->outs, to, n->at.g_plane);
            continue;
        }
        for (int q = 0; q < out.w; q++)
            for (int o = 0; o < n->outs; o++)
                to[(size_t)o * n->at.g_plane + (size_t)(q * n->at.step_x)] = gy[q * n->outs + o];
    }
}

static void input_back(lookup *n, scratch *s, const float *in, const float *gy, float *gx, float *part)
{
    const float *x[LK_MAX_LENGTH], *xb[LK_MAX_LENGTH];
    float *g[LK_MAX_LENGTH], *gb[LK_MAX_LENGTH];
    size_t tap_size = (size_t)n->taps * (size_t)n->outs * (size_t)n->columns;
    bool hard = n->e->o.assign == LT_ASSIGN_HARD;

    to_planes(n, in, s->x, n->spatial ? n->l.in->s.w : n->at.pitch);
    gradient_planes(n, s, gy);
    for (int cb = 0; cb < n->e->e.codebooks; cb++) {
        lk_book b = enc_book(n->e, cb);
        subvector(n, s, cb, x, g);
        memset(s->sums, 0, (n->e->book + 1) * LK_LANES * sizeof *s->sums);
        for (int i = 0; i < n->at.n; i += LK_BLOCK) {
            n->e->vec->by_column(n->turned + (size_t)cb * tap_size, n->columns, n->taps, n->outs,
                                 s->g + n->at.g_front + i, n->at.g_plane, n->at.from, s->h);
            for (int j = 0; j < b.length; j++) {
                xb[j] = x[j] + i;
                gb[j] = g[j] + i;
                if (hard) memcpy(gb[j], s->h + j * LK_BLOCK, LK_BLOCK * sizeof(float));
            }
            if (hard) continue;
            for (int k = 0; k < n->codes; k++)
                for (int j = 0; j < LK_BLOCK; j++) s->h[k * LK_BLOCK + j] *= n->mask[i + j];
            n->e->vec->back(&b, xb, s->h, gb, s->sums);
        }
        if (n->spatial && gx) from_windows(n, s, cb);
        for (size_t i = 0; i <= n->e->book && !hard; i++)
            for (int j = 0; j < LK_LANES; j++)
                part[i < n->e->book ? (size_t)cb * n->e->book + i : n->e->n] += s->sums[i * LK_LANES + (size_t)j];
    }
    if (gx) to_input(n, s, gx);
}

static void backward(lt_layer *l, const lt_chunk *c, int step)
{
    lookup *n = (lookup *)l;
    scratch *s = &n->s[c->worker];
    float *part = n->part + (size_t)c->index * n->pitch;

    (void)step;
    memset(part, 0, n->pitch * sizeof *part);
    for (int i = 0; i < c->n; i++) {
        const float *gy = lt_gradient(l->out, c) + (size_t)i * l->out->size;
        float *gx = l->in->g ? lt_gradient(l->in, c) + (size_t)i * l->in->size : NULL;
        tables_back(n, s, c->first + i, gy, part);
        if (gx || n->e->params[ENC_TABLE].grad || n->e->params[ENC_TEMPERATURE].grad)
            input_back(n, s, lt_value(l->in, c) + (size_t)i * l->in->size, gy, gx, part + n->entries);
    }
}

static void finish(lt_layer *l, const lt_pass *p, int worker)
{
    lookup *n = (lookup *)l;
    size_t rows = (size_t)(n->e->e.codebooks * n->taps), k = (size_t)n->outs;
    lt_param *w = &n->params[WEIGHT];
    float *to = n->wh.forward ? n->unloaded : w->grad;

    (void)worker;
    for (int c = 1; c < p->chunks; c++) l->env->vec->add(n->part, n->part + (size_t)c * n->pitch, n->entries);
    int trained = n->mirror ? n->codes / 2 : n->codes;
    for (size_t r = 0; r < rows; r++)
        for (int c = 0; c < trained; c++, to += k) {
            const float *part = n->part + r * (size_t)((n->codes + 1) * n->lanes);
            const float *opposite = part + (n->codes - 1 - c) * n->lanes;
            memcpy(to, part + c * n->lanes, k * sizeof *to);
            for (size_t o = 0; n->mirror && o < k; o++) to[o] -= opposite[o];
        }
    if (n->wh.forward) n->wh.backward(n->wh.ctx, w->value, n->unloaded, w->grad, w->n);
    if (n->owner) enc_finish(n->e, p);
}

static void free_lookup(lt_layer *l)
{
    lookup *n = (lookup *)l;
    for (int i = 0; n->s && i < l->env->workers; i++) {
        free(n->s[i].x);
        free(n->s[i].gx);
        free(n->s[i].window);
        free(n->s[i].gwindow);
        free(n->s[i].g);
        free(n->s[i].h);
        free(n->s[i].y);
        free(n->s[i].sums);
    }
    free(n->s);
    if (n->wh.free) n->wh.free(n->wh.ctx);
    if (n->owner) lt_encoder_free(n->e);
    lt_param_free(&n->params[WEIGHT]);
    free(n->at.tap);
    free(n->at.from);
    free((int *)n->reads.code);
    free((int *)n->reads.row);
    free(n->code);
    free(n->table);
    free(n->turned);
    free(n->mask);
    free(n->effective);
    free(n->unloaded);
    free(n->both);
    free(n->part);
    free(n);
}

static const lt_weight_hook *hook(const lt_layer *l)
{
    const lookup *n = (const lookup *)l;
    return n->wh.forward ? &n->wh : NULL;
}

static lt_code take_hook(lt_layer *l, const lt_weight_hook *h, lt_err *err)
{
    lookup *n = (lookup *)l;
    n->wh = *h;
    n->effective = lt_aligned(n->params[WEIGHT].n * sizeof(float));
    n->unloaded = lt_aligned(n->params[WEIGHT].n * sizeof(float));
    return n->effective && n->unloaded ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
}

static const lt_layer_ops ops = {.kind = "lookup",
                                 .forward_steps = 1,
                                 .backward_steps = 1,
                                 .begin = begin,
                                 .forward = forward,
                                 .forward_join = forward_join,
                                 .backward = backward,
                                 .finish = finish,
                                 .free = free_lookup,
                                 .hook = hook,
                                 .take_hook = take_hook};

static int largest(int a, int b)
{
    return a > b ? a : b;
}

static size_t blocks(int n)
{
    return (size_t)(n + 2 * LK_BLOCK) / LK_BLOCK * LK_BLOCK;
}

/* Channel mode: the gap of a row takes what taps reach beyond it on the right, and before the next row on the left. */
static lt_code plan(lookup *n, lt_shape in, lt_shape out)
{
    geometry *a = &n->at;
    const qlayer *q = &n->q;
    int reach_y = (q->r - 1) * q->dilation, reach_x = (q->s - 1) * q->dilation;

    n->taps = n->spatial ? 1 : q->r * q->s;
    a->tap = calloc((size_t)n->taps, sizeof *a->tap);
    a->from = calloc((size_t)n->taps, sizeof *a->from);
    if (!a->tap || !a->from) return LT_EMEM;
    if (n->spatial) {
        a->width = a->pitch = a->step_y = out.w;
        a->step_x = 1;
        a->n = out.h * out.w;
        a->code_plane = (size_t)a->n;
        a->plane = blocks(largest(a->n, in.h * in.w));
        a->g_plane = blocks(a->n);
        return LT_OK;
    }
    a->width = in.w;
    a->pitch = largest(in.w + q->pad_l, (out.w - 1) * q->stride + reach_x - q->pad_l + 1);
    a->n = in.h * a->pitch;
    a->plane = blocks(a->n);
    a->step_y = q->stride * a->pitch;
    a->step_x = q->stride;
    a->code_front = (q->pad_t + 1) * a->pitch;
    a->code_plane =
        (size_t)(a->code_front + (largest(in.h, (out.h - 1) * q->stride + reach_y - q->pad_t + 1) + 1) * a->pitch);
    a->g_front = (largest(reach_y - q->pad_t, 0) + 1) * a->pitch;
    a->g_plane = blocks(a->g_front + (largest((out.h - 1) * q->stride + 1, in.h + q->pad_t) + 1) * a->pitch);
    for (int r = 0; r < q->r; r++)
        for (int s = 0; s < q->s; s++) {
            a->tap[r * q->s + s] = (r * q->dilation - q->pad_t) * a->pitch + s * q->dilation - q->pad_l;
            a->from[r * q->s + s] = -a->tap[r * q->s + s];
        }
    return LT_OK;
}

static bool scratches(lookup *n, lt_shape in)
{
    const lt_env *env = n->l.env;
    size_t plane = n->at.plane * sizeof(float), length = (size_t)n->e->e.length;

    n->s = calloc((size_t)env->workers, sizeof *n->s);
    for (int i = 0; n->s && i < env->workers; i++) {
        scratch *s = &n->s[i];
        s->x = lt_aligned((size_t)(in.c + 1) * plane);
        s->gx = lt_aligned((size_t)(in.c + 1) * plane);
        s->window = lt_aligned(n->spatial ? length * plane : 0);
        s->gwindow = lt_aligned(n->spatial ? length * plane : 0);
        s->g = lt_aligned((size_t)n->outs * n->at.g_plane * sizeof(float));
        s->h = lt_aligned((size_t)n->columns * LK_BLOCK * sizeof(float));
        s->y = lt_aligned((size_t)n->lanes * sizeof(float));
        s->sums = lt_aligned((n->e->book + 1) * LK_LANES * sizeof(float));
        if (!s->sums || !s->x || !s->gx || !s->window || !s->gwindow || !s->g || !s->h || !s->y) return false;
    }
    return n->s != NULL;
}

static lt_code build(lookup *n, const float *table, lt_shape in, lt_shape out, lt_err *err)
{
    const lt_env *env = n->l.env;
    const qencoder *e = &n->e->e;
    size_t rows, values;
    int *code, *row;

    n->spatial = e->mode == QPQ_SPATIAL;
    n->codes = e->prototypes;
    n->columns = ((n->e->o.assign == LT_ASSIGN_HARD ? e->length : n->codes) + LK_COLUMNS - 1) / LK_COLUMNS * LK_COLUMNS;
    n->outs = out.c;
    n->lanes = (out.c + LK_LANES - 1) / LK_LANES * LK_LANES;
    if (plan(n, in, out) != LT_OK) return lt_fail(err, LT_EMEM, "%s: out of memory", n->l.name);
    rows = (size_t)(e->codebooks * n->taps);
    size_t whole = (size_t)(n->codes * n->outs), trained = n->mirror ? whole / 2 : whole;
    values = rows * trained;
    n->entries = rows * (size_t)(n->codes + 1) * (size_t)n->lanes;
    n->pitch = (n->entries + n->e->n + 1 + LK_LANES - 1) / LK_LANES * LK_LANES;
    LT_TRY(lt_param_make(&n->params[WEIGHT], n->l.name, "weight", values, env->train, err));
    for (size_t r = 0; r < rows; r++)
        memcpy(n->params[WEIGHT].value + r * trained, table + r * whole, trained * sizeof *table);
    n->both = lt_aligned(n->mirror ? rows * whole * sizeof *table : 0);
    n->reads.n = (int)rows;
    n->reads.code = code = malloc(rows * sizeof *code);
    n->reads.row = row = malloc(rows * sizeof *row);
    n->code = malloc((size_t)env->batch * (size_t)e->codebooks * n->at.code_plane);
    n->table = lt_aligned(n->entries * sizeof(float));
    n->turned = lt_aligned(rows * (size_t)(n->outs * n->columns) * sizeof(float));
    n->mask = lt_aligned(n->at.plane * sizeof(float));
    n->part = lt_aligned(env->train ? (size_t)env->chunks * n->pitch * sizeof(float) : 0);
    if (!code || !row || !n->code || !n->table || !n->turned || !n->both || !n->mask || !n->part || !scratches(n, in))
        return lt_fail(err, LT_EMEM, "%s: out of memory", n->l.name);
    memset(n->code, n->codes, (size_t)env->batch * (size_t)e->codebooks * n->at.code_plane);
    for (int cb = 0; cb < e->codebooks; cb++)
        for (int t = 0; t < n->taps; t++) {
            *code++ = cb * (int)n->at.code_plane + n->at.tap[t];
            *row++ = (cb * n->taps + t) * (n->codes + 1);
        }
    for (int i = 0; i < n->at.n; i++) n->mask[i] = i % n->at.pitch < n->at.width;
    return enc_add_reader(n->e, &n->l, n->part + n->entries, n->pitch, err);
}

lt_code lt_layer_lookup(const char *name, int node, lt_encoder *encoder, const qlayer *l, bool mirror,
                        const float *table, lt_shape in, lt_shape out, const lt_env *env, lt_layer **layer, lt_err *err)
{
    lookup *n = calloc(1, sizeof *n);

    *layer = NULL;
    if (!n) return lt_fail(err, LT_EMEM, "out of memory");
    n->l = (lt_layer){.ops = &ops, .node = node, .env = env, .params = n->params, .n_params = 1};
    snprintf(n->l.name, sizeof n->l.name, "%s", name);
    n->e = encoder;
    n->q = *l;
    n->mirror = mirror;
    lt_code rc = build(n, table, in, out, err);
    if (rc != LT_OK) {
        free_lookup(&n->l);
        return rc;
    }
    n->owner = encoder->n_readers == 1;
    if (n->owner) {
        memcpy(n->params + 1, encoder->own, sizeof encoder->own);
        encoder->params = n->params + 1;
        n->l.n_params = LOOKUP_PARAMS;
    }
    *layer = &n->l;
    return LT_OK;
}

bool lt_layer_is_lookup(const lt_layer *l)
{
    return l->ops == &ops;
}
