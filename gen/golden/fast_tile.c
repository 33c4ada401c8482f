/* Accumulators of a tile of output pixels: convolution (im2col + packed gemm), depthwise, pooling, copy. */
#pragma GCC optimize("O3")
#include <limits.h>
#include <string.h>

#include "golden/fast_internal.h"

/* Row and column of the input under kernel position 0,0 of output pixel i. */
static void origin(const fast_layer *l, int i, int *y, int *x)
{
    *y = i / l->out->w * l->q->stride - l->q->pad_t;
    *x = i % l->out->w * l->q->stride - l->q->pad_l;
}

static bool inside(const qtensor *t, int y, int x)
{
    return y >= 0 && y < t->h && x >= 0 && x < t->w;
}

static const uint8_t *pixel(const fast_layer *l, const uint8_t *in, int y, int x)
{
    return in + ((size_t)y * (size_t)l->in->w + (size_t)x) * (size_t)l->cp;
}

/* One tap of one group as unsigned bytes: signed values are offset by 128, so 0 (padding too) becomes 128. */
static void tap_u8(const fast_layer *l, const uint8_t *from, int n, uint8_t *a)
{
    uint8_t flip = l->in->is_signed ? 0x80 : 0;
    int c = 0;

    if (from && !flip)
        memcpy(a, from, (size_t)(c = n));
    else if (from)
        for (; c < n; c++) a[c] = from[c] ^ flip;
    for (; c < l->cgp; c++) a[c] = flip;
}

static void tap_s16(const fast_layer *l, const uint8_t *from, int n, int16_t *a)
{
    int c = 0;

    if (from && l->in->is_signed)
        for (; c < n; c++) a[c] = (int8_t)from[c];
    else if (from)
        for (; c < n; c++) a[c] = from[c];
    for (; c < l->cgp; c++) a[c] = 0;
}

static void im2col(fast_work *w, const fast_layer *l, int first, int n, int group)
{
    const qlayer *q = l->q;
    const uint8_t *in = w->t[q->in];
    int cg = l->in->c / q->groups, bytes = w->f->k->a_bytes;
    uint8_t *a8 = w->a;
    int16_t *a16 = w->a;

    for (int i = 0; i < n; i++) {
        int y0, x0;
        origin(l, first + i, &y0, &x0);
        for (int r = 0; r < q->r; r++)
            for (int s = 0; s < q->s; s++) {
                int y = y0 + r * q->dilation, x = x0 + s * q->dilation;
                const uint8_t *from = inside(l->in, y, x) ? pixel(l, in, y, x) + group * cg : NULL;
                if (bytes == 1) {
                    tap_u8(l, from, cg, a8);
                    a8 += l->cgp;
                } else {
                    tap_s16(l, from, cg, a16);
                    a16 += l->cgp;
                }
            }
    }
}

static int depthwise(fast_work *w, const fast_layer *l, int first, int n)
{
    const qlayer *q = l->q;
    int32_t *acc = w->acc;

    memset(acc, 0, (size_t)n * (size_t)l->cp * sizeof *acc);
    for (int i = 0; i < n; i++, acc += l->cp) {
        const int16_t *wt = l->w;
        int y0, x0;
        origin(l, first + i, &y0, &x0);
        for (int r = 0; r < q->r; r++)
            for (int s = 0; s < q->s; s++, wt += l->cp) {
                int y = y0 + r * q->dilation, x = x0 + s * q->dilation;
                if (inside(l->in, y, x))
                    w->f->k->scale_add(acc, pixel(l, w->t[q->in], y, x), wt, l->cp, l->in->is_signed);
            }
    }
    return l->cp;
}

int fast_conv_tile(fast_work *w, const fast_layer *l, int first, int n)
{
    const fast_kernels *k = w->f->k;
    size_t per = (size_t)l->blocks * (size_t)l->len * FAST_BLOCK * (size_t)k->a_bytes;

    if (l->kind == KIND_DEPTHWISE) return depthwise(w, l, first, n);
    if (l->q->groups == 1) {
        im2col(w, l, first, n, 0);
        k->gemm(w->a, l->w, l->len, n, l->blocks, w->acc);
        return l->blocks * FAST_BLOCK;
    }
    /* groups: each into the space behind the tile, then to its channels */
    int stride = fast_round_up(l->q->k, FAST_BLOCK), wide = l->blocks * FAST_BLOCK;
    int32_t *part = w->acc + (size_t)n * (size_t)stride;
    for (int g = 0; g < l->q->groups; g++) {
        im2col(w, l, first, n, g);
        k->gemm(w->a, (const char *)l->w + (size_t)g * per, l->len, n, l->blocks, part);
        for (int i = 0; i < n; i++)
            memcpy(w->acc + (size_t)i * (size_t)stride + g * l->kg, part + (size_t)i * (size_t)wide,
                   (size_t)l->kg * sizeof *part);
    }
    return stride;
}

static int value(const fast_layer *l, uint8_t v)
{
    return l->in->is_signed ? (int8_t)v : v;
}

int fast_pool_tile(fast_work *w, const fast_layer *l, int first, int n)
{
    const qlayer *q = l->q;
    int32_t *acc = w->acc;

    for (int i = 0; i < n; i++, acc += l->cp) {
        int y0, x0;
        origin(l, first + i, &y0, &x0);
        for (int c = 0; c < l->cp; c++) acc[c] = l->kind == KIND_MAX ? INT_MIN : 0;
        for (int r = 0; r < q->r; r++)
            for (int s = 0; s < q->s; s++) {
                if (!inside(l->in, y0 + r, x0 + s)) continue;
                const uint8_t *p = pixel(l, w->t[q->in], y0 + r, x0 + s);
                if (l->kind == KIND_MAX)
                    for (int c = 0; c < l->cp; c++) acc[c] = value(l, p[c]) > acc[c] ? value(l, p[c]) : acc[c];
                else
                    for (int c = 0; c < l->cp; c++) acc[c] += value(l, p[c]);
            }
    }
    return l->cp;
}
