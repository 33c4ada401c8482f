/* The loops of lookup_vec.h, included once per instruction set with LK_NAME (the table) and LK_ISA (its name). */
#pragma GCC optimize("O3", "fp-contract=fast")

#include "train/lookup_vec.h"

#include <math.h>
#include <string.h>

enum { W = LK_LANES, VECTORS = LK_BLOCK / LK_LANES };

typedef float vf __attribute__((vector_size(64)));
typedef int vi __attribute__((vector_size(64)));
typedef float vf_memory __attribute__((vector_size(64), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p)
{
    return *(const vf_memory *)p;
}

#define store(p, v)     ((void)(*(vf_memory *)(p) = (v)))
#define splat(v)        ((vf){0} + (v))
#define select(m, a, b) ((vf)(((m) & (vi)(a)) | (~(m) & (vi)(b))))

/* e^x, x <= 0, to 1e-6 of it */
INLINE vf exp_below(vf x)
{
    x = select(x < splat(-80.0f), splat(-80.0f), x);
    vf t = x * 1.44269504f;
    vi n = __builtin_convertvector(t - 0.5f, vi); /* towards 0: t is not positive, so this rounds to the nearest */
    vf f = (t - __builtin_convertvector(n, vf)) * 0.69314718f;
    vf p = 1 + f * (1 + f * (0.5f + f * (0.16666667f + f * (0.041666667f + f * (0.0083333333f + f * 0.0013888889f)))));
    return (vf)((vi)p + (n << 23));
}

INLINE vf sigmoid(vf x)
{
    vi positive = x > splat(0);
    vf e = exp_below(select(positive, -x, x)), s = e / (1 + e);
    return select(positive, 1 - s, s);
}

/* table[node], node < 2^level, for every lane */
INLINE vf node_value(const float *table, int level, vi node)
{
    if (level == 0) return splat(table[0]);
    vf v = {0};
    for (int base = 0; base < 1 << level; base += W) {
        vf part = {0};
        int n = (1 << level) - base;
        for (int i = 0; i < W && i < n; i++) part[i] = table[base + i];
        vf at = __builtin_shuffle(part, node & (W - 1));
        v = base == 0 ? at : select(node >= (vi){0} + base, at, v);
    }
    return v;
}

static void encode_tree(const lk_book *b, const float *const *x, int n, uint8_t *codes)
{
    for (int i = 0; i < n; i += W) {
        vi node = {0};
        for (int level = 0; level < b->depth; level++) {
            vf t = node_value(b->hard + (1 << level) - 1, level, node);
            node = node * 2 - (load(x[b->dim[level]] + i) >= t);
        }
        for (int j = 0; j < W && i + j < n; j++) codes[i + j] = (uint8_t)node[j];
    }
}

INLINE vf distance(const lk_book *b, const float *proto, const float *const *x, int at)
{
    vf s = {0};
    for (int j = 0; j < b->length; j++) {
        vf d = load(x[j] + at) - proto[j];
        s += b->kind == QENC_L1 ? select(d < splat(0), -d, d) : d * d;
    }
    return s;
}

static void encode(const lk_book *b, const float *const *x, int n, uint8_t *codes)
{
    if (b->kind == QENC_TREE) {
        encode_tree(b, x, n, codes);
        return;
    }
    for (int i = 0; i < n; i += W) {
        vf least = distance(b, b->hard, x, i);
        vi best = {0};
        for (int k = 1; k < b->codes; k++) {
            vf d = distance(b, b->hard + k * b->length, x, i);
            vi less = d < least;
            least = select(less, d, least);
            best = (less & k) | (~less & best);
        }
        for (int j = 0; j < W && i + j < n; j++) codes[i + j] = (uint8_t)best[j];
    }
}

INLINE vi codes_at(const uint8_t *codes, int n)
{
    vi v = {0};
    for (int j = 0; j < W && j < n; j++) v[j] = codes[j];
    return v;
}

static void decode(const float *table, int k, int length, float scale, const uint8_t *codes, int n, float *const *y)
{
    int level = 0;
    while (1 << level < k) level++;
    for (int j = 0; j < length; j++) {
        float column[LK_MAX_CODES];
        for (int c = 0; c < k; c++) column[c] = scale * table[c * length + j];
        for (int i = 0; i < n; i += W) store(y[j] + i, node_value(column, level, codes_at(codes + i, n - i)));
    }
}

static void decode_back(const float *const *g, int k, int length, const uint8_t *codes, int n, float *sums)
{
    for (int i = 0; i < n; i += W) {
        vi code = codes_at(codes + i, n - i);
        if (n - i < W) /* beyond the end: no code */
            for (int j = n - i; j < W; j++) code[j] = k;
        for (int c = 0; c < k; c++) {
            vi here = code == c;
            for (int j = 0; j < length; j++) {
                float *to = sums + (c * length + j) * W;
                store(to, load(to) + (vf)((vi)load(g[j] + i) & here));
            }
        }
    }
}

INLINE void sum_lanes(const lk_reads *r, const uint8_t *codes, const float *table, int k, int vectors, float *y)
{
    vf s[8];
    for (int v = 0; v < vectors; v++) s[v] = (vf){0};
    for (int i = 0; i < r->n; i++) {
        const float *row = table + (size_t)(r->row[i] + codes[r->code[i]]) * (size_t)k;
        for (int v = 0; v < vectors; v++) s[v] += load(row + v * W);
    }
    for (int v = 0; v < vectors; v++) store(y + v * W, s[v]);
}

static void sum(const lk_reads *r, const uint8_t *codes, const float *table, int k, float *y)
{
    for (int at = 0; at < k;) {
        int left = (k - at) / W;
        if (left >= 4)
            sum_lanes(r, codes, table + at, k, 4, y + at), at += 4 * W;
        else if (left >= 2)
            sum_lanes(r, codes, table + at, k, 2, y + at), at += 2 * W;
        else
            sum_lanes(r, codes, table + at, k, 1, y + at), at += W;
    }
}

INLINE void scatter_lanes(const lk_reads *r, const uint8_t *codes, const float *y, int k, int vectors, float *table)
{
    vf g[4];
    for (int v = 0; v < vectors; v++) g[v] = load(y + v * W);
    for (int i = 0; i < r->n; i++) {
        float *row = table + (size_t)(r->row[i] + codes[r->code[i]]) * (size_t)k;
        for (int v = 0; v < vectors; v++) store(row + v * W, load(row + v * W) + g[v]);
    }
}

static void scatter(const lk_reads *r, const uint8_t *codes, const float *y, int k, float *table)
{
    for (int at = 0; at < k;) {
        int left = (k - at) / W;
        if (left >= 4)
            scatter_lanes(r, codes, y + at, k, 4, table + at), at += 4 * W;
        else if (left >= 2)
            scatter_lanes(r, codes, y + at, k, 2, table + at), at += 2 * W;
        else
            scatter_lanes(r, codes, y + at, k, 1, table + at), at += W;
    }
}

INLINE void some_columns(const float *table, int columns, int n, int taps, int outs, const float *g, size_t pitch,
                         const int *at, float *h)
{
    vf s[2 * LK_COLUMNS][VECTORS];
    for (int k = 0; k < n; k++)
        for (int v = 0; v < VECTORS; v++) s[k][v] = (vf){0};
    for (int tap = 0; tap < taps; tap++) {
        const float *from = g + at[tap];
        for (int o = 0; o < outs; o++, table += columns, from += pitch) {
            vf x[VECTORS];
            for (int v = 0; v < VECTORS; v++) x[v] = load(from + v * W);
            for (int k = 0; k < n; k++)
                for (int v = 0; v < VECTORS; v++) s[k][v] += table[k] * x[v];
        }
    }
    for (int k = 0; k < n; k++)
        for (int v = 0; v < VECTORS; v++) store(h + (size_t)k * LK_BLOCK + v * W, s[k][v]);
}

static void by_column(const float *table, int columns, int taps, int outs, const float *g, size_t pitch, const int *at,
                      float *h)
{
    int c = 0;
    for (; c + 2 * LK_COLUMNS <= columns; c += 2 * LK_COLUMNS)
        some_columns(table + c, columns, 2 * LK_COLUMNS, taps, outs, g, pitch, at, h + c * LK_BLOCK);
    if (c < columns) some_columns(table + c, columns, LK_COLUMNS, taps, outs, g, pitch, at, h + c * LK_BLOCK);
}

/* With V(n) the expected h below node n: the gradient by the probability of going right is reach(n) (V(right) -
 * V(left)). Integers: the edge lies half a step below the threshold. */
static void back_tree(const lk_book *b, const float *const *x, const float *h, float *const *gx, float *lanes)
{
    vf gt = {0};
    for (int j = 0; j < b->length; j++) memset(gx[j], 0, LK_BLOCK * sizeof(float));
    for (int i = 0; i < LK_BLOCK; i += W) {
        vf right[LK_MAX_CODES], reach[2 * LK_MAX_CODES], value[2 * LK_MAX_CODES];
        for (int level = 0, n = 0; level < b->depth; level++) {
            float per = 1 / (b->temperature * b->width[level]);
            vf v = load(x[b->dim[level]] + i) + 0.5f;
            for (int m = 0; m < 1 << level; m++, n++) right[n] = sigmoid((v - b->soft[n]) * per);
        }
        reach[0] = splat(1.0f);
        for (int n = 0; n < b->codes - 1; n++) {
            reach[2 * n + 2] = reach[n] * right[n];
            reach[2 * n + 1] = reach[n] - reach[2 * n + 2];
        }
        for (int k = 0; k < b->codes; k++) value[b->codes - 1 + k] = load(h + k * LK_BLOCK + i);
        for (int n = b->codes - 2; n >= 0; n--)
            value[n] = value[2 * n + 1] + right[n] * (value[2 * n + 2] - value[2 * n + 1]);
        for (int level = 0, n = 0; level < b->depth; level++) {
            float per = 1 / (b->temperature * b->width[level]);
            vf v = load(x[b->dim[level]] + i) + 0.5f, sum_x = {0};
            for (int m = 0; m < 1 << level; m++, n++) {
                vf gz = reach[n] * (value[2 * n + 2] - value[2 * n + 1]) * right[n] * (1 - right[n]) * per;
                sum_x += gz;
                store(lanes + n * W, load(lanes + n * W) - gz);
                gt -= gz * (v - b->soft[n]) / b->temperature;
            }
            float *to = gx[b->dim[level]] + i;
            store(to, load(to) + sum_x);
        }
    }
    lanes += (b->codes - 1) * W;
    store(lanes, load(lanes) + gt);
}

static void back_distance(const lk_book *b, const float *const *x, const float *h, float *const *gx, float *lanes)
{
    float per = 1 / (b->temperature * b->width[0]);
    vf gt = {0};
    for (int j = 0; j < b->length; j++) memset(gx[j], 0, LK_BLOCK * sizeof(float));
    for (int i = 0; i < LK_BLOCK; i += W) {
        vf d[LK_MAX_CODES], p[LK_MAX_CODES], least, all = {0}, mean = {0};
        for (int k = 0; k < b->codes; k++) {
            d[k] = distance(b, b->soft + k * b->length, x, i);
            least = k == 0 ? d[0] : select(d[k] < least, d[k], least);
        }
        for (int k = 0; k < b->codes; k++) all += p[k] = exp_below((least - d[k]) * per);
        for (int k = 0; k < b->codes; k++) {
            p[k] /= all;
            mean += p[k] * load(h + k * LK_BLOCK + i);
        }
        for (int k = 0; k < b->codes; k++) {
            vf gd = -p[k] * (load(h + k * LK_BLOCK + i) - mean) * per;
            gt -= gd * d[k] / b->temperature;
            for (int j = 0; j < b->length; j++) {
                vf diff = load(x[j] + i) - b->soft[k * b->length + j];
                vf sign = select(diff > splat(0), splat(1.0f), select(diff < splat(0), splat(-1.0f), splat(0)));
                vf g = gd * (b->kind == QENC_L1 ? sign : 2 * diff);
                store(gx[j] + i, load(gx[j] + i) + g);
                store(lanes + (k * b->length + j) * W, load(lanes + (k * b->length + j) * W) - g);
            }
        }
    }
    lanes += b->codes * b->length * W;
    store(lanes, load(lanes) + gt);
}

static void back(const lk_book *b, const float *const *x, const float *h, float *const *gx, float *lanes)
{
    if (b->kind == QENC_TREE)
        back_tree(b, x, h, gx, lanes);
    else
        back_distance(b, x, h, gx, lanes);
}

/* 16 x 16 */
INLINE void turn(vf *v)
{
    for (int step = 1; step < W; step *= 2) {
        vi lo = {0}, hi = {0};
        for (int i = 0; i < W; i++) {
            lo[i] = i & step ? (i ^ step) + W : i;
            hi[i] = i & step ? i + W : i | step;
        }
        for (int i = 0; i < W; i++) {
            if (i & step) continue;
            vf a = v[i], b = v[i | step];
            v[i] = __builtin_shuffle(a, b, lo);
            v[i | step] = __builtin_shuffle(a, b, hi);
        }
    }
}

/* What becomes of a value on its way into a plane. */
INLINE vf integer(vf v, float per, int drop)
{
    vf t = v * per;
    t = select(t < splat(-128.0f), splat(-128.0f), select(t > splat(255.0f), splat(255.0f), t)) + 0.5f;
    vi n = __builtin_convertvector(t, vi);
    n += __builtin_convertvector(n, vf) > t; /* towards 0 -> down */
    return __builtin_convertvector(n >> drop, vf);
}

INLINE void planes_of(const float *x, int px, int c, bool quantised, float per, int drop, float *planes, size_t pitch)
{
    for (int k = 0; k < c; k += W)
        for (int p = 0; p < px; p += W) {
            int nk = c - k < W ? c - k : W, np = px - p < W ? px - p : W;
            vf v[W] = {{0}};
            for (int i = 0; i < np; i++) {
                const float *from = x + (size_t)(p + i) * (size_t)c + k;
                if (nk == W)
                    v[i] = load(from);
                else
                    for (int j = 0; j < nk; j++) v[i][j] = from[j];
                if (quantised) v[i] = integer(v[i], per, drop);
            }
            turn(v);
            for (int j = 0; j < nk; j++) {
                float *to = planes + (size_t)(k + j) * pitch + p;
                if (np == W)
                    store(to, v[j]);
                else
                    for (int i = 0; i < np; i++) to[i] = v[j][i];
            }
        }
}

static void to_planes(const float *x, int px, int c, float per, int drop, float *planes, size_t pitch)
{
    planes_of(x, px, c, true, per, drop, planes, pitch);
}

static void transpose(const float *x, int px, int c, float *planes, size_t pitch)
{
    planes_of(x, px, c, false, 1, 0, planes, pitch);
}

static void from_planes(const float *planes, size_t pitch, int px, int c, float per, bool add, float *x)
{
    for (int k = 0; k < c; k += W)
        for (int p = 0; p < px; p += W) {
            int nk = c - k < W ? c - k : W, np = px - p < W ? px - p : W;
            vf v[W] = {{0}};
            for (int j = 0; j < nk; j++) {
                const float *from = planes + (size_t)(k + j) * pitch + p;
                if (np == W)
                    v[j] = load(from) * per;
                else
                    for (int i = 0; i < np; i++) v[j][i] = from[i] * per;
            }
            turn(v);
            for (int i = 0; i < np; i++) {
                float *to = x + (size_t)(p + i) * (size_t)c + k;
                if (nk == W)
                    store(to, add ? load(to) + v[i] : v[i]);
                else
                    for (int j = 0; j < nk; j++) to[j] = v[i][j] + (add ? to[j] : 0);
            }
        }
}

const lk_vec LK_NAME = {LK_ISA,      to_planes, transpose, from_planes, encode, decode,
                        decode_back, sum,       scatter,   by_column,   back};
