/* Small random integer networks that are valid by construction: every kind of layer, odd shapes, residuals, product
 * quantisation. For tests that hold two evaluators (or a writer and a reader) together. */
#ifndef LUTRA_TESTS_RANDOM_QNET_H
#define LUTRA_TESTS_RANDOM_QNET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/rng.h"
#include "golden/golden.h"
#include "golden/mirror.h"
#include "golden/qnet.h"
#include "model/quantize.h"

static inline int rq_out(int size, int pads, int kernel, int dilation, int stride)
{
    int room = size + pads - (dilation * (kernel - 1) + 1);
    return room < 0 ? 0 : room / stride + 1;
}

/* Makes the thresholds of an element's levels depend on its own earlier levels alone. */
static inline void rq_separate(qencoder *e, int depth)
{
    for (int cb = 0; cb < e->codebooks; cb++)
        for (int level = 0; level < depth; level++) {
            const uint16_t *dim = e->dim + cb * depth;
            int16_t *thresh = e->thresh + cb * (e->prototypes - 1) + (1 << level) - 1;
            int own = 0;
            for (int m = 0; m < level; m++) own = 2 * own + (dim[m] == dim[level]);
            for (int path = 0; path < 1 << level; path++) thresh[path] = thresh[path & own];
        }
}

static inline void rq_encoder(lt_rng *r, qencoder *e, const qtensor *in, qpq_mode mode, int kr, int ks)
{
    int lo, hi;
    *e = (qencoder){.mode = mode, .encoder = (qpq_encoder)lt_rng_below(r, 3), .r = 1, .s = 1};
    e->prototypes = 1 << lt_rng_range(r, 1, 5);
    e->enc_bits = lt_rng_range(r, 1, 8);
    if (mode == QPQ_CHANNEL) {
        e->length = lt_rng_range(r, 1, in->c + 1);
        e->codebooks = (in->c + e->length - 1) / e->length;
    } else {
        e->r = kr;
        e->s = ks;
        e->length = kr * ks;
        e->codebooks = in->c;
    }
    lo = in->is_signed ? -(1 << (e->enc_bits - 1)) : 0;
    hi = lo + (1 << e->enc_bits) - 1;
    int depth = lt_clog2(e->prototypes), nodes = e->prototypes - 1;
    if (e->encoder == QENC_TREE) {
        e->dim = malloc((size_t)(e->codebooks * depth) * sizeof *e->dim);
        e->thresh = malloc((size_t)(e->codebooks * nodes) * sizeof *e->thresh);
        for (int i = 0; i < e->codebooks * depth; i++) e->dim[i] = (uint16_t)lt_rng_below(r, (uint32_t)e->length);
        for (int i = 0; i < e->codebooks * nodes; i++) e->thresh[i] = (int16_t)lt_rng_range(r, lo, hi + 1);
        if (lt_rng_below(r, 2)) rq_separate(e, depth);
    } else {
        int n = e->codebooks * e->prototypes * e->length;
        e->proto = malloc((size_t)n * sizeof *e->proto);
        for (int i = 0; i < n; i++) e->proto[i] = (int16_t)lt_rng_range(r, lo, hi);
    }
}

/* Makes the tables mirrored; -top - 1 has no opposite. */
static inline void rq_mirror(qlayer *l, const qencoder *e, int top)
{
    size_t row = (size_t)l->k, half = (size_t)(e->prototypes / 2);
    for (int t = 0; t < qlayer_tables(l, e); t++) {
        int8_t *lower = l->lut + (size_t)t * 2 * half * row, *upper = lower + (2 * half - 1) * row;
        for (size_t c = 0; c < half; c++, lower += row, upper -= row)
            for (size_t k = 0; k < row; k++) {
                if (lower[k] < -top) lower[k] = (int8_t)-top;
                upper[k] = (int8_t)-lower[k];
            }
    }
}

/* Bias, multipliers and shift that spread the outputs over their range. */
static inline void rq_post(lt_rng *r, qnet *n, qlayer *l, double spread)
{
    const qtensor *out = &n->tensors[l->out];
    l->bias = calloc((size_t)l->k, sizeof *l->bias);
    l->mult = calloc((size_t)l->k, sizeof *l->mult);
    l->shift = lt_rng_below(r, 8) ? lt_rng_range(r, 1, 30) : lt_rng_below(r, 2) ? 0 : 47;
    double step = spread / (1 << out->bits);
    for (int k = 0; k < l->k; k++) {
        double m = 65536.0;
        for (int s = 16; s < l->shift && s < 31; s++) m *= 2;
        m = (l->shift < 16 ? (double)(1 << l->shift) : m) / (step > 1 ? step : 1) * (0.5 + lt_rng_unit(r));
        l->mult[k] = (uint16_t)(m > 65535 ? 65535 : m < 1 ? 1 : m);
        l->bias[k] = lt_rng_range(r, -(int)spread / 4 - 1, (int)spread / 4 + 1);
    }
    l->res_mult = l->res >= 0 ? lt_rng_range(r, 0, 65535) : 0;
    l->lo = qtensor_min(out);
    l->hi = qtensor_max(out);
    if (lt_rng_below(r, 3) == 0) l->lo = lt_rng_range(r, l->lo, l->hi);
    if (lt_rng_below(r, 3) == 0) l->hi = lt_rng_range(r, l->lo, l->hi);
}

/* Gives layer l a residual if some earlier tensor covers its output. */
static inline void rq_residual(lt_rng *r, qnet *n, qlayer *l, int tensors, bool must)
{
    const qtensor *out = &n->tensors[l->out];
    if (!must && lt_rng_below(r, 2)) return;
    for (int tries = 0; tries < 16 && l->res < 0; tries++) {
        int t = must && tries == 0 ? l->in : (int)lt_rng_below(r, (uint32_t)tensors),
            step = must ? 1 : lt_rng_range(r, 1, 2);
        const qtensor *x = &n->tensors[t];
        if ((out->h - 1) * step >= x->h || (out->w - 1) * step >= x->w) continue;
        l->res = t;
        l->res_step = step;
        l->res_c_off = lt_rng_below(r, 2) ? 0 : lt_rng_range(r, 0, l->k);
    }
}

static inline void rq_layer(lt_rng *r, qnet *n, int i)
{
    qlayer *l = &n->layers[i];
    qtensor *out = &n->tensors[i + 1];
    int kind = (int)lt_rng_below(r, 10); /* 0..5 dense, 6..7 lookup, 8 pool, 9 add */
    double spread;

    *l = (qlayer){
        .in = i && lt_rng_below(r, 4) == 0 ? (int)lt_rng_below(r, (uint32_t)i + 1) : i, .out = i + 1, .res = -1};
    const qtensor *in = &n->tensors[l->in];
    snprintf(l->name, sizeof l->name, "layer%d", i);
    l->op = kind < 8 ? QOP_CONV : kind == 8 ? (lt_rng_below(r, 2) ? QOP_MAXPOOL : QOP_SUMPOOL) : QOP_ADD;
    l->stride = l->dilation = l->groups = l->r = l->s = l->res_step = 1;
    l->encoder = -1;
    l->w_bits = lt_rng_range(r, 2, 8);
    l->lut_bits = lt_rng_range(r, 2, 8);
    if (l->op != QOP_ADD) {
        do {
            l->r = lt_rng_range(r, 1, 4);
            l->s = lt_rng_range(r, 1, 4);
            l->stride = lt_rng_range(r, 1, 3);
            l->dilation = l->op == QOP_CONV ? lt_rng_range(r, 1, 2) : 1;
            l->pad_t = lt_rng_range(r, 0, l->r - 1);
            l->pad_l = lt_rng_range(r, 0, l->s - 1);
            l->pad_b = lt_rng_range(r, 0, l->r - 1);
            l->pad_r = lt_rng_range(r, 0, l->s - 1);
            out->h = rq_out(in->h, l->pad_t + l->pad_b, l->r, l->dilation, l->stride);
            out->w = rq_out(in->w, l->pad_l + l->pad_r, l->s, l->dilation, l->stride);
        } while (out->h < 1 || out->w < 1 || (out->h - 1) * l->stride - l->pad_t >= in->h ||
                 (out->w - 1) * l->stride - l->pad_l >= in->w);
    } else {
        out->h = in->h;
        out->w = in->w;
    }
    if (kind < 6 && lt_rng_below(r, 3) == 0) l->groups = in->c; /* depthwise, or with a channel multiplier */
    if (kind < 6 && l->groups == 1 && in->c % 2 == 0 && lt_rng_below(r, 4) == 0) l->groups = 2;
    l->k = l->op != QOP_CONV ? in->c : l->groups > 1 ? l->groups * lt_rng_range(r, 1, 3) : lt_rng_range(r, 1, 40);
    out->c = l->k;
    out->bits = lt_rng_below(r, 2) ? 8 : lt_rng_range(r, 2, 8);
    out->is_signed = lt_rng_below(r, 2);
    out->scale = 1.0 / 64;
    snprintf(out->name, sizeof out->name, "tensor%d", i + 1);
    rq_residual(r, n, l, i + 1, l->op == QOP_ADD);

    if (l->op != QOP_CONV) {
        spread = 256.0 * (l->op == QOP_SUMPOOL ? l->r * l->s : 1);
    } else if (kind < 6) {
        size_t count = (size_t)l->k * (size_t)(in->c / l->groups) * (size_t)(l->r * l->s);
        int top = (1 << (l->w_bits - 1)) - 1;
        l->w = malloc(count);
        for (size_t k = 0; k < count; k++) l->w[k] = (int8_t)lt_rng_range(r, -top, top);
        spread = 64.0 * top * (in->c / l->groups) * l->r * l->s / 2;
    } else {
        qpq_mode mode = (qpq_mode)lt_rng_below(r, 2);
        l->encoder = n->n_encoders++;
        qencoder *e = &n->encoders[l->encoder];
        rq_encoder(r, e, in, mode, l->r, l->s);
        size_t taps = mode == QPQ_CHANNEL ? (size_t)(l->r * l->s) : 1;
        size_t count = (size_t)e->codebooks * taps * (size_t)e->prototypes * (size_t)l->k;
        int top = (1 << (l->lut_bits - 1)) - 1;
        l->lut = malloc(count);
        for (size_t k = 0; k < count; k++) l->lut[k] = (int8_t)lt_rng_range(r, -top - 1, top);
        if (lt_rng_below(r, 2)) rq_mirror(l, e, top);
        spread = (double)top * e->codebooks * (double)taps / 2;
    }
    rq_post(r, n, l, spread + 1);
}

/* layers 1..; the result passes lt_quant_check (the callers assert it). */
static inline qnet rq_net(uint64_t seed, int layers)
{
    lt_rng r = lt_rng_make(seed, 77);
    qnet n = {.n_tensors = layers + 1, .n_layers = layers};
    snprintf(n.name, sizeof n.name, "random%llu", (unsigned long long)seed);
    n.tensors = calloc((size_t)layers + 1, sizeof *n.tensors);
    n.layers = calloc((size_t)layers, sizeof *n.layers);
    n.encoders = calloc((size_t)layers, sizeof *n.encoders);
    n.tensors[0] = (qtensor){.c = lt_rng_range(&r, 1, 6),
                             .h = lt_rng_range(&r, 4, 12),
                             .w = lt_rng_range(&r, 4, 12),
                             .bits = 8,
                             .is_signed = true,
                             .scale = 1.0 / 32};
    snprintf(n.tensors[0].name, sizeof n.tensors[0].name, "input");
    n.input_table = malloc((size_t)n.tensors[0].c * 256);
    for (int i = 0; i < n.tensors[0].c * 256; i++) n.input_table[i] = (int8_t)lt_rng_range(&r, -128, 127);
    for (int i = 0; i < layers; i++) rq_layer(&r, &n, i);
    n.classes = lt_rng_range(&r, 1, (int)qtensor_size(&n.tensors[layers]));
    return n;
}

static inline void rq_image(lt_rng *r, const qnet *n, uint8_t *image)
{
    for (size_t i = 0; i < qtensor_size(&n->tensors[0]); i++) image[i] = (uint8_t)lt_rng_u32(r);
}

#endif
