/* The loops of vec.h, included once per instruction set with VEC_NAME (the table) and VEC_ISA (its name) defined. */
#include "train/round.h"
#include "train/vec.h"

enum { LANES = 16, BLOCK = 128 }; /* BLOCK: pixels summed in float before the sum goes on in double */

typedef float vf __attribute__((vector_size(64)));
typedef int vi __attribute__((vector_size(64)));
typedef unsigned vu __attribute__((vector_size(64)));
typedef unsigned short vh __attribute__((vector_size(32)));
typedef unsigned short vh_memory __attribute__((vector_size(32), aligned(2), may_alias));
typedef float vf_memory __attribute__((vector_size(64), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p)
{
    return *(const vf_memory *)p;
}

#define store(p, v) ((void)(*(vf_memory *)(p) = (v)))

INLINE vf splat(float v)
{
    return (vf){0} + v;
}

/* Macros, as functions with vector parameters make GCC remark on their calling convention. */
#define select(m, a, b) ((vf)(((m) & (vi)(a)) | (~(m) & (vi)(b))))
#define at_least(y, lo) select((y) < (lo), lo, y)
#define at_most(y, hi)  select((y) > (hi), hi, y)

INLINE float clip1(float y, float lo, float hi)
{
    return y < lo ? lo : y > hi ? hi : y;
}

static void stats(const float *x, size_t px, int c, const float *shift, double *sum, double *sq)
{
    for (int i = 0; i < c; i++) sum[i] = sq[i] = 0;
    for (size_t p0 = 0; p0 < px; p0 += BLOCK) {
        size_t n = px - p0 < BLOCK ? px - p0 : BLOCK;
        const float *b = x + p0 * (size_t)c;
        int k = 0;
        for (; k + LANES <= c; k += LANES) {
            vf s[2] = {{0}}, q[2] = {{0}}, at = load(shift + k);
            const float *v = b + k;
            size_t p = 0;
            for (; p + 2 <= n; p += 2, v += 2 * c) {
                vf u0 = load(v) - at, u1 = load(v + c) - at;
                s[0] += u0;
                q[0] += u0 * u0;
                s[1] += u1;
                q[1] += u1 * u1;
            }
            if (p < n) {
                vf u = load(v) - at;
                s[0] += u;
                q[0] += u * u;
            }
            vf st = s[0] + s[1], qt = q[0] + q[1];
            for (int j = 0; j < LANES; j++) {
                sum[k + j] += (double)st[j];
                sq[k + j] += (double)qt[j];
            }
        }
        for (; k < c; k++) {
            float s = 0, q = 0;
            for (size_t p = 0; p < n; p++) {
                float u = b[p * (size_t)c + (size_t)k] - shift[k];
                s += u;
                q += u * u;
            }
            sum[k] += (double)s;
            sq[k] += (double)q;
        }
    }
}

INLINE void affine_any(const float *x, const float *r, size_t px, int c, const float *a, const float *b, float lo,
                       float hi, float *y)
{
    vf l = splat(lo), h = splat(hi);
    for (size_t p = 0; p < px; p++, x += c, y += c, r = r ? r + c : NULL) {
        int k = 0;
        for (; k + LANES <= c; k += LANES) {
            vf v = load(x + k) * load(a + k) + load(b + k);
            if (r) v += load(r + k);
            v = at_least(v, l);
            store(y + k, at_most(v, h));
        }
        for (; k < c; k++) {
            float v = x[k] * a[k] + b[k];
            y[k] = clip1(r ? v + r[k] : v, lo, hi);
        }
    }
}

static void affine(const float *x, const float *r, size_t px, int c, const float *a, const float *b, float lo, float hi,
                   float *y)
{
    if (r)
        affine_any(x, r, px, c, a, b, lo, hi, y);
    else
        affine_any(x, NULL, px, c, a, b, lo, hi, y);
}

/* One block of pixels, LANES channels at x, y, g, gr; stride in floats. */
INLINE void gather_block(const float *x, const float *y, float *g, float *gr, bool add, size_t n, size_t stride,
                         const float *shift, float low, float high, double *sum, double *dot)
{
    vf s = {0}, d = {0}, at = load(shift), lo = splat(low), hi = splat(high);
    for (size_t p = 0; p < n * stride; p += stride) {
        vf out = load(y + p);
        vf v = (vf)((vi)load(g + p) & (out > lo) & (out < hi));
        store(g + p, v);
        if (gr) store(gr + p, add ? load(gr + p) + v : v);
        s += v;
        d += v * (load(x + p) - at);
    }
    for (int j = 0; j < LANES; j++) {
        sum[j] += (double)s[j];
        dot[j] += (double)d[j];
    }
}

static void gather(const float *x, const float *y, float *g, float *gr, bool add, size_t px, int c, const float *shift,
                   float lo, float hi, double *sum, double *dot)
{
    for (int i = 0; i < c; i++) sum[i] = dot[i] = 0;
    for (size_t p0 = 0; p0 < px; p0 += BLOCK) {
        size_t n = px - p0 < BLOCK ? px - p0 : BLOCK, o = p0 * (size_t)c;
        int k = 0;
        for (; k + LANES <= c; k += LANES) {
            size_t i = o + (size_t)k;
            if (!gr)
                gather_block(x + i, y + i, g + i, NULL, false, n, (size_t)c, shift + k, lo, hi, sum + k, dot + k);
            else if (add)
                gather_block(x + i, y + i, g + i, gr + i, true, n, (size_t)c, shift + k, lo, hi, sum + k, dot + k);
            else
                gather_block(x + i, y + i, g + i, gr + i, false, n, (size_t)c, shift + k, lo, hi, sum + k, dot + k);
        }
        for (; k < c; k++) {
            float s = 0, d = 0;
            for (size_t p = 0; p < n; p++) {
                size_t i = o + p * (size_t)c + (size_t)k;
                float v = y[i] > lo && y[i] < hi ? g[i] : 0;
                g[i] = v;
                if (gr) gr[i] = add ? gr[i] + v : v;
                s += v;
                d += v * (x[i] - shift[k]);
            }
            sum[k] += (double)s;
            dot[k] += (double)d;
        }
    }
}

INLINE void combine_any(const float *x, const float *g, size_t px, int c, const float *a, const float *b,
                        const float *d, bool add, float *gx)
{
    for (size_t p = 0; p < px; p++, x += c, g += c, gx += c) {
        int k = 0;
        for (; k + LANES <= c; k += LANES) {
            vf v = load(g + k) * load(a + k) + load(x + k) * load(b + k) + load(d + k);
            store(gx + k, add ? load(gx + k) + v : v);
        }
        for (; k < c; k++) {
            float v = g[k] * a[k] + x[k] * b[k] + d[k];
            gx[k] = add ? gx[k] + v : v;
        }
    }
}

static void combine(const float *x, const float *g, size_t px, int c, const float *a, const float *b, const float *d,
                    bool add, float *gx)
{
    if (add)
        combine_any(x, g, px, c, a, b, d, true, gx);
    else
        combine_any(x, g, px, c, a, b, d, false, gx);
}

static void add_clip(const float *x, const float *r, size_t n, float lo, float hi, float *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vf v = load(x + i);
        if (r) v += load(r + i);
        v = at_least(v, splat(lo));
        store(y + i, at_most(v, splat(hi)));
    }
    for (; i < n; i++) y[i] = clip1(r ? x[i] + r[i] : x[i], lo, hi);
}

static void mask(const float *y, const float *g, size_t n, float lo, float hi, float *gx, bool add_x, float *gr,
                 bool add_r)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vf out = load(y + i), v = (vf)((vi)load(g + i) & (out > splat(lo)) & (out < splat(hi)));
        if (gx) store(gx + i, add_x ? load(gx + i) + v : v);
        if (gr) store(gr + i, add_r ? load(gr + i) + v : v);
    }
    for (; i < n; i++) {
        float v = y[i] > lo && y[i] < hi ? g[i] : 0;
        if (gx) gx[i] = add_x ? gx[i] + v : v;
        if (gr) gr[i] = add_r ? gr[i] + v : v;
    }
}

static void add(float *y, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, load(y + i) + load(x + i));
    for (; i < n; i++) y[i] += x[i];
}

/* As lt_round_clip of round.h. */
INLINE vf round_clip(vf v, vf lo, vf hi)
{
    const vf big = splat(12582912.0f);
    v = at_least(v, lo);
    v = at_most(v, hi) + 0.5f;
    vf r = (v + big) - big;
    r = select(r > v, r - 1, r);
    return at_most(r, hi);
}

static void quantise(const float *x, size_t n, float s, float nudge, float lo, float hi, float *y)
{
    float per = 1 / s;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, s * round_clip(load(x + i) * per + nudge, splat(lo), splat(hi)));
    for (; i < n; i++) y[i] = s * lt_round_clip(x[i] * per + nudge, lo, hi);
}

static double quantise_back(const float *x, const float *g, size_t n, float s, float nudge, float lo, float hi,
                            float *gx, bool add)
{
    float per = 1 / s;
    double sum[LANES] = {0}, all = 0;
    size_t i = 0;
    for (; i + LANES <= n;) {
        vf part = {0};
        for (size_t end = i + BLOCK * LANES; i < end && i + LANES <= n; i += LANES) {
            vf v = load(x + i) * per, d = load(g + i), r = round_clip(v + nudge, splat(lo), splat(hi));
            vi in = (v >= lo) & (v <= hi);
            part += d * select(in, r - v, r);
            if (gx) {
                vf kept = (vf)((vi)d & in);
                store(gx + i, add ? load(gx + i) + kept : kept);
            }
        }
        for (int k = 0; k < LANES; k++) sum[k] += (double)part[k];
    }
    for (; i < n; i++) {
        float v = x[i] * per, r = lt_round_clip(v + nudge, lo, hi);
        bool in = v >= lo && v <= hi;
        all += (double)(g[i] * (in ? r - v : r));
        if (gx) gx[i] = (in ? g[i] : 0) + (add ? gx[i] : 0);
    }
    for (int k = 0; k < LANES; k++) all += sum[k];
    return all;
}

INLINE vf level_of(vf x, int c, int edges, const float *edge)
{
    vi n = {0};
    for (int i = 0; i < edges; i++) n -= x >= load(edge + i * c);
    return __builtin_convertvector(n, vf);
}

static float level_of_one(float x, int c, int edges, const float *edge)
{
    int n = 0;
    for (int i = 0; i < edges; i++) n += x >= edge[i * c];
    return (float)n;
}

static void grid(const float *x, size_t px, int c, int edges, const float *edge, const float *step, const float *most,
                 float *y)
{
    for (size_t p = 0; p < px; p++, x += c, y += c) {
        int k = 0;
        for (; k + LANES <= c; k += LANES)
            store(y + k, load(step + k) * (level_of(load(x + k), c, edges, edge + k) - load(most + k)));
        for (; k < c; k++) y[k] = step[k] * (level_of_one(x[k], c, edges, edge + k) - most[k]);
    }
}

static void grid_back(const float *x, const float *g, size_t px, int c, int edges, const float *edge,
                      const float *centre, const float *per, const float *most, float *gx, double *centre_sum,
                      double *step_sum)
{
    for (int i = 0; i < c; i++) centre_sum[i] = step_sum[i] = 0;
    for (size_t p0 = 0; p0 < px; p0 += BLOCK) {
        size_t n = px - p0 < BLOCK ? px - p0 : BLOCK, o = p0 * (size_t)c;
        int k = 0;
        for (; k + LANES <= c; k += LANES) {
            vf sc = {0}, ss = {0}, mid = load(centre + k), by = load(per + k), m = load(most + k);
            for (size_t i = o + (size_t)k; i < o + n * (size_t)c; i += (size_t)c) {
                vf u = load(x + i), d = load(g + i), v = (u - mid) * by, r = level_of(u, c, edges, edge + k) - m;
                vi in = (v >= -m) & (v <= m);
                vf kept = (vf)((vi)d & in);
                sc -= kept;
                ss += d * select(in, r - v, r);
                store(gx + i, kept);
            }
            for (int j = 0; j < LANES; j++) {
                centre_sum[k + j] += (double)sc[j];
                step_sum[k + j] += (double)ss[j];
            }
        }
        for (; k < c; k++) {
            float sc = 0, ss = 0, m = most[k];
            for (size_t i = o + (size_t)k; i < o + n * (size_t)c; i += (size_t)c) {
                float v = (x[i] - centre[k]) * per[k], r = level_of_one(x[i], c, edges, edge + k) - m;
                bool in = v >= -m && v <= m;
                gx[i] = in ? g[i] : 0;
                sc -= gx[i];
                ss += g[i] * (in ? r - v : r);
            }
            centre_sum[k] += (double)sc;
            step_sum[k] += (double)ss;
        }
    }
}

/* As lt_round_bf16 of round.h; bits below the upper half are left over. NaNs are found by a subtraction, as comparisons
 * of vectors wider than the machine's may become one of every element. */
#define bf16_nan(u)  ((vu)((vi)(0x7f800000 - ((u)&0x7fffffff)) >> 31))
#define bf16_bits(u) ((((u) + 0x7fff + ((u) >> 16 & 1)) & ~bf16_nan(u)) | (((u) | 0x400000) & bf16_nan(u)))

static void to_bf16(const float *x, size_t n, uint16_t *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vu u = (vu)load(x + i);
        *(vh_memory *)(y + i) = __builtin_convertvector(bf16_bits(u) >> 16, vh);
    }
    for (; i < n; i++) y[i] = (uint16_t)(lt_bits(lt_round_bf16(x[i])) >> 16);
}

static void round_bf16(const float *x, size_t n, float *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vu u = (vu)load(x + i);
        store(y + i, (vf)(bf16_bits(u) & 0xffff0000));
    }
    for (; i < n; i++) y[i] = lt_round_bf16(x[i]);
}

const lt_vec VEC_NAME = {VEC_ISA, stats,    affine,        gather, combine,   add_clip, mask,
                         add,     quantise, quantise_back, grid,   grid_back, to_bf16,  round_bf16};
