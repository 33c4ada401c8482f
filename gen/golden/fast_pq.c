/* Product-quantised layers: codes once per pixel (channel mode) or once per window (spatial mode), then rows of the
 * LUT. */
#include <string.h>

#include "golden/fast_internal.h"
#include "golden/golden.h"

static bool inside(const qtensor *t, int y, int x)
{
    return y >= 0 && y < t->h && x >= 0 && x < t->w;
}

static int value(const qtensor *t, uint8_t v)
{
    return t->is_signed ? (int8_t)v : v;
}

/* v holds full values on entry; they are reduced to enc_bits in place where that is needed. */
static int encode(const fast_work *w, const fast_layer *l, int cb, int16_t *v)
{
    const qencoder *e = l->e;

    if (e->encoder == QENC_TREE || e->length > FAST_KEY_LENGTH) return golden_encode(e, cb, v);
    for (int i = 0; i < e->length; i++) v[i] = (int16_t)(v[i] >> (8 - e->enc_bits));
    return w->f->k->nearest(v, l->proto + (size_t)cb * (size_t)e->length * (size_t)e->prototypes, e->length,
                            e->prototypes, e->encoder == QENC_L2);
}

/* Of one pixel x[cp], padded with zeros. */
static void pixel_codes(const fast_work *w, const fast_layer *l, const uint8_t *x, uint8_t *codes)
{
    const qencoder *e = l->e;
    int16_t v[4096];

    for (int cb = 0; cb < e->codebooks; cb++) {
        for (int j = 0; j < e->length; j++) {
            int c = cb * e->length + j;
            v[j] = (int16_t)(c < l->in->c ? value(l->in, x[c]) : 0);
        }
        codes[cb] = (uint8_t)encode(w, l, cb, v);
    }
}

static void pixel_parts(const fast_layer *l, const uint8_t *x, uint8_t *codes)
{
    const uint8_t *part = l->parts;
    int c = 0;

    for (int cb = 0; cb < l->e->codebooks; cb++) {
        int code = 0;
        for (int j = 0; j < l->e->length; j++, c++, part += 256) code |= part[c < l->in->c ? x[c] : 0];
        codes[cb] = (uint8_t)code;
    }
}

/* Codes of the whole tensor, [H][W][codebooks], unless this run has made them already. */
static const uint8_t *channel_codes(fast_work *w, const fast_layer *l)
{
    const qencoder *e = l->e;
    const qtensor *t = l->in;
    uint8_t *codes = w->codes[l->q->encoder], *out = codes;
    const uint8_t *x = w->t[l->q->in];

    if (w->coded[l->q->encoder] == l->q->in) return codes;
    for (int i = 0; i < t->h * t->w; i++, x += l->cp, out += e->codebooks)
        if (l->parts)
            pixel_parts(l, x, out);
        else
            pixel_codes(w, l, x, out);
    w->coded[l->q->encoder] = l->q->in;
    return codes;
}

static const int8_t *row(const fast_layer *l, int taps, int cb, int tap, int code)
{
    size_t r = ((size_t)cb * (size_t)taps + (size_t)tap) * (size_t)l->e->prototypes + (size_t)code;
    return l->lut + r * (size_t)l->lut_k;
}

static void channel_pixel(fast_work *w, const fast_layer *l, const uint8_t *codes, int i, int32_t *acc)
{
    const qlayer *q = l->q;
    int n = 0, books = l->e->codebooks, taps = q->r * q->s;
    int y0 = i / l->out->w * q->stride - q->pad_t, x0 = i % l->out->w * q->stride - q->pad_l;

    for (int r = 0; r < q->r; r++)
        for (int s = 0; s < q->s; s++) {
            int y = y0 + r * q->dilation, x = x0 + s * q->dilation;
            if (!inside(l->in, y, x)) continue;
            const uint8_t *c = codes + ((size_t)y * (size_t)l->in->w + (size_t)x) * (size_t)books;
            for (int cb = 0; cb < books; cb++) w->rows[n++] = row(l, taps, cb, r * q->s + s, c[cb]);
        }
    w->f->k->add_rows(w->rows, n, l->narrow, l->lut_k, acc);
}

static void spatial_pixel(fast_work *w, const fast_layer *l, int i, int32_t *acc)
{
    const qlayer *q = l->q;
    int y0 = i / l->out->w * q->stride - q->pad_t, x0 = i % l->out->w * q->stride - q->pad_l;
    int16_t v[4096];

    for (int c = 0; c < l->in->c; c++) {
        for (int r = 0; r < q->r; r++)
            for (int s = 0; s < q->s; s++) {
                int y = y0 + r * q->dilation, x = x0 + s * q->dilation;
                size_t at = ((size_t)y * (size_t)l->in->w + (size_t)x) * (size_t)l->cp + (size_t)c;
                v[r * q->s + s] = (int16_t)(inside(l->in, y, x) ? value(l->in, w->t[q->in][at]) : 0);
            }
        w->rows[c] = row(l, 1, c, 0, encode(w, l, c, v));
    }
    w->f->k->add_rows(w->rows, l->in->c, l->narrow, l->lut_k, acc);
}

int fast_pq_tile(fast_work *w, const fast_layer *l, int first, int n)
{
    const uint8_t *codes = l->kind == KIND_CHANNEL ? channel_codes(w, l) : NULL;

    for (int i = 0; i < n; i++) {
        int32_t *acc = w->acc + (size_t)i * (size_t)l->lut_k;
        if (codes)
            channel_pixel(w, l, codes, first + i, acc);
        else
            spatial_pixel(w, l, first + i, acc);
    }
    return l->lut_k;
}
