/* The encoder layer of encode.h. */
#pragma GCC optimize("O3") /* loops over values: vector code */

#include "train/encode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden.h"
#include "train/encode_internal.h"
#include "train/round.h"

enum { TABLE, TEMPERATURE, PARAMS };

typedef struct {
    lt_layer l;
    qencoder e; /* dim is owned, proto and thresh are NULL */
    lt_encode_options o;
    int depth, drop, lanes, stride, pad_t, pad_l;
    float lo, hi, full; /* range of e(x), its size */
    const float *step;
    size_t book, hard_book, n; /* values of one codebook in the parameter and in hard/soft; of all in the parameter */
    float *hard, *soft;        /* see enc_book */
    float *mean, *slope, *width;
    float *part;  /* [chunks][n + 1] gradients of table and temperature */
    double *sums; /* [chunks][codebooks][codes][length + 1] trees, while they are calibrated */
    double *scratch;
    lt_param params[PARAMS];
} encoder;

static enc_book book(const encoder *n, int cb)
{
    const qencoder *e = &n->e;
    size_t c = (size_t)cb, lk = (size_t)(e->length * e->prototypes);
    return (enc_book){.kind = e->encoder,
                      .length = e->length,
                      .codes = e->prototypes,
                      .lanes = n->lanes,
                      .depth = n->depth,
                      .hard = n->hard + c * n->hard_book,
                      .soft = n->soft + c * n->hard_book,
                      .dim = e->dim ? e->dim + cb * n->depth : NULL,
                      .slope = n->slope + c * lk,
                      .width = n->width + cb * (n->depth + 1),
                      .temperature = n->params[TEMPERATURE].value[0]};
}

/* Parameters -> hard and soft. Thresholds of `never` and above lie at hi + 1. */
static void load(encoder *n)
{
    const qencoder *e = &n->e;
    bool tree = e->encoder == QENC_TREE;
    for (int cb = 0; cb < e->codebooks; cb++)
        for (size_t i = 0; i < n->book; i++) {
            float v = n->params[TABLE].value[(size_t)cb * n->book + i] * n->full;
            size_t at = tree ? i : i % (size_t)e->length * (size_t)n->lanes + i / (size_t)e->length;
            n->soft[(size_t)cb * n->hard_book + at] = v;
            n->hard[(size_t)cb * n->hard_book + at] = lt_round_clip(v, n->lo, tree ? n->hi + 1 : n->hi);
        }
}

static void slopes(encoder *n)
{
    const qencoder *e = &n->e;
    size_t lk = (size_t)(e->length * e->prototypes);
    for (int cb = 0; cb < e->codebooks; cb++) {
        float *mean = n->mean + (size_t)cb * lk;
        if (e->encoder != QENC_TREE)
            for (int k = 0; k < e->prototypes; k++)
                for (int j = 0; j < e->length; j++)
                    mean[k * e->length + j] = n->hard[(size_t)cb * n->hard_book + (size_t)(j * n->lanes + k)];
        enc_slope(mean, e->prototypes, e->length, n->slope + (size_t)cb * lk, n->scratch);
    }
}

static void widths(encoder *n)
{
    for (int cb = 0; cb < n->e.codebooks; cb++) {
        enc_book b = book(n, cb);
        enc_width(&b, n->mean + (size_t)cb * (size_t)(n->e.length * n->e.prototypes), n->width + cb * (n->depth + 1));
    }
}

static lt_code begin(lt_layer *l, const lt_pass *p, lt_err *err)
{
    encoder *n = (encoder *)l;
    (void)err;
    load(n);
    if (p->mode == LT_MODE_TRAIN && n->o.assign == LT_ASSIGN_HARD) slopes(n);
    return LT_OK;
}

/* Where codebook cb's subvector at output pixel (p, q) lies in the image; -1: outside. */
static void positions(const encoder *n, int cb, int p, int q, int *at)
{
    lt_shape s = n->l.in->s;
    const qencoder *e = &n->e;
    if (e->mode == QPQ_CHANNEL) {
        int base = (p * s.w + q) * s.c, c = cb * e->length;
        for (int j = 0; j < e->length; j++) at[j] = c + j < s.c ? base + c + j : -1;
        return;
    }
    for (int j = 0; j < e->length; j++) {
        int y = p * n->stride - n->pad_t + j / e->s, x = q * n->stride - n->pad_l + j % e->s;
        at[j] = y >= 0 && y < s.h && x >= 0 && x < s.w ? (y * s.w + x) * s.c + cb : -1;
    }
}

static void gather(const encoder *n, const float *x, const int *at, float per, float *v)
{
    for (int j = 0; j < n->e.length; j++)
        v[j] = at[j] < 0 ? 0 : lt_drop_bits(lt_round_clip(x[at[j]] * per, -128, 255), n->drop);
}

static void measure(encoder *n, const lt_chunk *c, int cb, int code, const float *v)
{
    int d = n->e.length + 1;
    double *s =
        n->sums + ((size_t)c->index * (size_t)n->e.codebooks + (size_t)cb) * (size_t)(n->e.prototypes * d) + code * d;
    s[0] += 1;
    for (int j = 1; j < d; j++) s[j] += (double)v[j - 1];
}

static void forward(lt_layer *l, const lt_chunk *c, int step)
{
    encoder *n = (encoder *)l;
    lt_shape o = l->out->s;
    float per = 1 / n->step[0], v[ENC_MAX_LENGTH];
    int at[ENC_MAX_LENGTH], codes = n->e.prototypes;
    bool soft = n->o.soft_forward && n->o.assign == LT_ASSIGN_SOFT && c->pass->mode == LT_MODE_TRAIN;
    bool count = n->sums && c->pass->mode == LT_MODE_CALIBRATE;
    (void)step;

    memset(lt_value(l->out, c), 0, (size_t)c->n * l->out->size * sizeof(float));
    for (int cb = 0; cb < n->e.codebooks; cb++) {
        enc_book b = book(n, cb);
        for (int i = 0; i < c->n; i++) {
            const float *x = lt_value(l->in, c) + (size_t)i * l->in->size;
            float *y = lt_value(l->out, c) + (size_t)i * l->out->size + cb * codes;
            for (int px = 0; px < o.h * o.w; px++, y += o.c) {
                positions(n, cb, px / o.w, px % o.w, at);
                gather(n, x, at, per, v);
                if (soft) {
                    enc_soft(&b, v, y);
                    continue;
                }
                int code = enc_hard(&b, v);
                y[code] = 1;
                if (count) measure(n, c, cb, code, v);
            }
        }
    }
}

/* Leaves' means of all calibration passes so far. */
static void forward_join(lt_layer *l, const lt_pass *p, int step)
{
    encoder *n = (encoder *)l;
    int d = n->e.length + 1;
    size_t per = (size_t)(n->e.codebooks * n->e.prototypes * d);
    (void)step;
    if (!n->sums || p->mode != LT_MODE_CALIBRATE) return;
    for (int c = 1; c < n->l.env->chunks; c++) {
        double *from = n->sums + (size_t)c * per;
        for (size_t i = 0; i < per; i++) n->sums[i] += from[i];
        memset(from, 0, per * sizeof *from);
    }
    for (int k = 0; k < n->e.codebooks * n->e.prototypes; k++) {
        const double *s = n->sums + (size_t)(k * d);
        for (int j = 1; j < d && s[0] > 0; j++) n->mean[k * (d - 1) + j - 1] = (float)(s[j] / s[0]);
    }
    widths(n);
}

static void backward(lt_layer *l, const lt_chunk *c, int step)
{
    encoder *n = (encoder *)l;
    lt_shape o = l->out->s;
    int at[ENC_MAX_LENGTH], codes = n->e.prototypes;
    float v[ENC_MAX_LENGTH], gv[ENC_MAX_LENGTH], per = 1 / n->step[0], down = per / (float)(1 << n->drop);
    float *part = n->part + (size_t)c->index * (n->n + 1), *gx = l->in->g ? lt_gradient(l->in, c) : NULL;
    bool soft = n->o.assign == LT_ASSIGN_SOFT;
    (void)step;

    memset(part, 0, (n->n + 1) * sizeof *part);
    if (gx && !l->add_in) memset(gx, 0, (size_t)c->n * l->in->size * sizeof *gx);
    if (!gx && !soft) return;
    for (int cb = 0; cb < n->e.codebooks; cb++) {
        enc_book b = book(n, cb);
        for (int i = 0; i < c->n; i++) {
            const float *x = lt_value(l->in, c) + (size_t)i * l->in->size;
            const float *h = lt_gradient(l->out, c) + (size_t)i * l->out->size + cb * codes;
            float *to = gx ? gx + (size_t)i * l->in->size : NULL;
            for (int px = 0; px < o.h * o.w; px++, h += o.c) {
                positions(n, cb, px / o.w, px % o.w, at);
                if (soft) {
                    gather(n, x, at, per, v);
                    part[n->n] += enc_soft_back(&b, v, h, gv, part + (size_t)cb * n->book);
                } else {
                    enc_slope_back(&b, h, gv);
                }
                for (int j = 0; j < n->e.length && to; j++)
                    if (at[j] >= 0) to[at[j]] += gv[j] * down;
            }
        }
    }
}

static void finish(lt_layer *l, const lt_pass *p, int worker)
{
    encoder *n = (encoder *)l;
    float *t = n->params[TABLE].grad, *s = n->params[TEMPERATURE].grad;
    (void)worker;
    for (int c = 1; c < p->chunks; c++) l->env->vec->add(n->part, n->part + (size_t)c * (n->n + 1), n->n + 1);
    for (size_t i = 0; t && i < n->n; i++) t[i] = n->part[i] * n->full;
    if (s) s[0] = n->part[n->n];
}

static void free_encoder(lt_layer *l)
{
    encoder *n = (encoder *)l;
    for (int i = 0; i < PARAMS; i++) lt_param_free(&n->params[i]);
    free(n->e.dim);
    free(n->hard);
    free(n->soft);
    free(n->mean);
    free(n->slope);
    free(n->width);
    free(n->part);
    free(n->sums);
    free(n->scratch);
    free(n);
}

static const lt_layer_ops ops = {"encode", false,        false,    1,    1,      begin,
                                 forward,  forward_join, backward, NULL, finish, free_encoder};

static lt_code build(encoder *n, const qencoder *e, const qtensor *in, const float *means, lt_err *err)
{
    const lt_env *env = n->l.env;
    bool tree = e->encoder == QENC_TREE, soft = n->o.assign == LT_ASSIGN_SOFT && env->train;
    size_t cbs = (size_t)e->codebooks, lk = (size_t)(e->length * e->prototypes);

    if (e->length > ENC_MAX_LENGTH || e->prototypes > ENC_MAX_CODES)
        return lt_fail(err, LT_EINPUT, "%s: %d prototypes of %d values, expected at most %d of %d", n->l.name,
                       e->prototypes, e->length, ENC_MAX_CODES, ENC_MAX_LENGTH);
    while (1 << n->depth < e->prototypes) n->depth++;
    n->drop = 8 - e->enc_bits;
    n->lanes = (e->prototypes + ENC_LANES - 1) / ENC_LANES * ENC_LANES;
    n->lo = (float)(qtensor_min(in) >> n->drop);
    n->hi = (float)(qtensor_max(in) >> n->drop);
    n->full = n->hi - n->lo + 1;
    n->book = tree ? (size_t)e->prototypes - 1 : lk;
    n->hard_book = tree ? n->book : (size_t)(n->lanes * e->length);
    n->n = cbs * n->book;
    LT_TRY(lt_param_make(&n->params[TABLE], n->l.name, tree ? "thresh" : "proto", n->n, soft && n->o.learn, err));
    LT_TRY(lt_param_make(&n->params[TEMPERATURE], n->l.name, "temperature", 1, soft && n->o.learn_temperature, err));
    n->params[TEMPERATURE].value[0] = n->o.temperature;
    n->params[TEMPERATURE].lo = n->o.temperature / 100;
    n->hard = lt_aligned(cbs * n->hard_book * sizeof(float));
    n->soft = lt_aligned(cbs * n->hard_book * sizeof(float));
    n->mean = lt_aligned(cbs * lk * sizeof(float));
    n->slope = lt_aligned(cbs * lk * sizeof(float));
    n->width = lt_aligned(cbs * (size_t)(n->depth + 1) * sizeof(float));
    n->part = lt_aligned((size_t)env->chunks * (n->n + 1) * sizeof(float));
    n->scratch = lt_aligned((size_t)(e->length * (e->length + 1)) * sizeof(double));
    if (tree) {
        n->e.dim = malloc(cbs * (size_t)n->depth * sizeof *n->e.dim);
        n->sums = lt_aligned((size_t)env->chunks * cbs * (lk + (size_t)e->prototypes) * sizeof(double));
    }
    if (!n->hard || !n->soft || !n->mean || !n->slope || !n->width || !n->part || !n->scratch ||
        (tree && (!n->e.dim || !n->sums)))
        return lt_fail(err, LT_EMEM, "%s: out of memory", n->l.name);
    if (tree) memcpy(n->e.dim, e->dim, cbs * (size_t)n->depth * sizeof *n->e.dim);
    if (tree) memcpy(n->mean, means, cbs * lk * sizeof *n->mean);
    for (size_t i = 0; i < cbs * n->hard_book; i++) n->hard[i] = n->soft[i] = 1e9f;
    for (size_t i = 0; i < n->n; i++) {
        float v = (float)(tree ? e->thresh[i] : e->proto[i]);
        n->params[TABLE].value[i] = fminf(v, n->hi + 1) / n->full;
    }
    load(n);
    slopes(n);
    widths(n);
    return LT_OK;
}

lt_code lt_layer_encode(const char *name, const qencoder *e, const qtensor *in, const qlayer *l, const float *step,
                        const float *means, const lt_encode_options *o, const lt_env *env, lt_layer **layer,
                        lt_err *err)
{
    encoder *n = calloc(1, sizeof *n);

    *layer = NULL;
    if (!n) return lt_fail(err, LT_EMEM, "out of memory");
    n->l = (lt_layer){.ops = &ops, .node = -1, .env = env, .params = n->params, .n_params = PARAMS};
    snprintf(n->l.name, sizeof n->l.name, "%s", name);
    n->e = *e;
    n->e.proto = n->e.thresh = NULL;
    n->e.dim = NULL;
    n->o = *o;
    n->step = step;
    n->stride = l ? l->stride : 1;
    n->pad_t = l ? l->pad_t : 0;
    n->pad_l = l ? l->pad_l : 0;
    lt_code rc = build(n, e, in, means, err);
    if (rc != LT_OK) {
        free_encoder(&n->l);
        return rc;
    }
    *layer = &n->l;
    return LT_OK;
}

void lt_encode_export(const lt_layer *layer, qencoder *e)
{
    encoder *n = (encoder *)layer;
    bool tree = e->encoder == QENC_TREE;
    load(n);
    for (int cb = 0; cb < e->codebooks; cb++)
        for (size_t i = 0; i < n->book; i++) {
            size_t at = tree ? i : i % (size_t)e->length * (size_t)n->lanes + i / (size_t)e->length;
            int16_t v = (int16_t)n->hard[(size_t)cb * n->hard_book + at];
            (tree ? e->thresh : e->proto)[(size_t)cb * n->book + i] = v;
        }
    if (tree) memcpy(e->dim, n->e.dim, (size_t)e->codebooks * (size_t)n->depth * sizeof *e->dim);
}
