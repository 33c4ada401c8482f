/* From the tuned network to integers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/encoder_fit.h"
#include "compress/pq.h"
#include "compress/pq_round.h"
#include "golden/golden.h"
#include "golden/mirror.h"
#include "model/quantize.h"
#include "train/lsq.h"
#include "train/products.h"
#include "train/tune.h"
#include "train/tune_internal.h"

static const float FINEST = 1e-9f; /* of all scales: tables of zeros have one, too */

double lt_tune_in_step(const lt_tune *t, int i)
{
    const qlayer *l = &t->net.layers[i - 1];
    return l->encoder >= 0 ? 1 : (double)t->nodes[l->in].step;
}

double lt_tune_slope(const lt_tune *t, int i, int k)
{
    lt_bn_view v;
    if (!t->nodes[i].norm || !lt_layer_bn_view(t->nodes[i].norm, &v)) return 1;
    return (double)v.gamma[k] / sqrt((double)v.var[k] + (double)LT_BN_EPS);
}

static double offset(const lt_tune *t, int i, int k)
{
    const lt_tune_node *n = &t->nodes[i];
    lt_bn_view v;
    if (n->norm && lt_layer_bn_view(n->norm, &v)) return (double)v.beta[k] - (double)v.mean[k] * lt_tune_slope(t, i, k);
    return n->conv->n_params > 1 ? (double)n->conv->params[1].value[k] : 0;
}

void lt_tune_scales_free(lt_tune_scales *s)
{
    free(s->mult);
    free(s->gain);
    free(s->bias);
    *s = (lt_tune_scales){0};
}

double lt_tune_gain(const lt_tune *t, int i, int k, double step)
{
    return fmax(step * lt_tune_slope(t, i, k), fabs(offset(t, i, k)) / ldexp(1, t->o.acc_bits - 3));
}

lt_code lt_tune_scales_of(const lt_tune *t, int i, const float *steps, lt_tune_scales *s, lt_err *err)
{
    const qlayer *l = &t->net.layers[i - 1];
    double out = (double)t->nodes[i].step, in = lt_tune_in_step(t, i), most = 0, room = ldexp(1, t->o.acc_bits - 3);
    double res = l->res >= 0 ? (double)t->nodes[l->res].step / out : 0;
    int top = (1 << t->o.mult_bits) - 1;
    size_t k_all = (size_t)l->k;

    *s = (lt_tune_scales){0};
    s->mult = malloc(k_all * sizeof *s->mult);
    s->gain = malloc(k_all * sizeof *s->gain);
    s->bias = malloc(k_all * sizeof *s->bias);
    if (!s->mult || !s->gain || !s->bias) {
        lt_tune_scales_free(s);
        return lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    }
    for (int k = 0; k < l->k; k++) {
        s->bias[k] = offset(t, i, k);
        s->gain[k] = lt_tune_gain(t, i, k, (double)steps[k] * in);
        most = fmax(most, s->gain[k] / out);
    }
    s->shift = isfinite(most) ? lt_quant_shift(most, res, t->o.mult_bits) : -1;
    if (s->shift < 0) {
        lt_tune_scales_free(s);
        return lt_fail(err, LT_EINPUT, "%s: multiplier %g (residual %g) does not fit %d bits", l->name, most, res,
                       t->o.mult_bits);
    }
    s->res_mult = (int)floor(ldexp(res, s->shift) + 0.5);
    double unit = ldexp(out, -s->shift);
    for (int k = 0; k < l->k; k++) {
        double m = fmin(fmax(floor(s->gain[k] / unit + 0.5), 1), top);
        if (m < top && fabs(s->bias[k]) / (m * unit) > room) m += 1;
        s->mult[k] = (int)m;
        s->gain[k] = m * unit;
    }
    return LT_OK;
}

static void *copied(const void *p, size_t bytes)
{
    void *q = p && bytes ? malloc(bytes) : NULL;
    return q ? memcpy(q, p, bytes) : NULL;
}

static void clip_range(const lt_node *n, const qtensor *out, qlayer *l)
{
    l->lo = qtensor_min(out);
    l->hi = qtensor_max(out);
    if (n->lo > -INFINITY) l->lo = (int)fmin(fmax(floor((double)n->lo / out->scale + 0.5), l->lo), l->hi);
    if (n->hi < INFINITY) l->hi = (int)fmax(fmin(floor((double)n->hi / out->scale + 0.5), l->hi), l->lo);
}

/* Tables that are products, in real units. */
typedef struct {
    const lt_tune *t;
    int i;
    size_t k, rows;
    float *w, *table, *steps; /* weights as the layer sees them, [rows][k], [k] steps of its integers */
    lt_tune_scales s;
} product;

static void product_free(product *p)
{
    free(p->w);
    free(p->table);
    free(p->steps);
    lt_tune_scales_free(&p->s);
}

static lt_code product_open(product *p, const lt_tune *t, int i, lt_err *err)
{
    const lt_layer *conv = t->nodes[i].conv;
    const lt_weight_hook *h = lt_layer_weight_hook(conv);
    const qlayer *l = &t->net.layers[i - 1];
    const qencoder *e = &t->net.encoders[l->encoder];
    size_t n = conv->params[0].n, taps = (size_t)(l->r * l->s);

    *p = (product){.t = t, .i = i, .k = (size_t)l->k, .rows = (size_t)(e->codebooks * e->prototypes) * taps};
    p->w = malloc(n * sizeof *p->w);
    p->table = malloc(p->rows * p->k * sizeof *p->table);
    p->steps = malloc(p->k * sizeof *p->steps);
    if (!p->w || !p->table || !p->steps) return lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    h->forward(h->ctx, conv->params[0].value, p->w, n, LT_MODE_EVAL);
    (t->o.mirror ? lt_grid_tables : lt_products_tables)(conv, p->w, (int)taps, p->table);
    return LT_OK;
}

/* Steps as the multiplier can say them. */
static lt_code product_snap(void *ctx, float *steps, lt_err *err)
{
    product *p = ctx;

    lt_tune_scales_free(&p->s);
    LT_TRY(lt_tune_scales_of(p->t, p->i, steps, &p->s, err));
    for (size_t o = 0; o < p->k; o++) steps[o] = (float)(p->s.gain[o] / lt_tune_slope(p->t, p->i, (int)o));
    return LT_OK;
}

/* A layer whose tables are products becomes one with free ones: in the order of layers, as the rounding depends on what
 * the layers before give. */
static lt_code round_products(const lt_tune *t, int i, qnet *q, lt_err *err)
{
    qlayer *l = &q->layers[i - 1];
    product p;
    lt_lut_scaling to = {FINEST, product_snap, &p};
    lt_code rc = product_open(&p, t, i, err);
    float *shift = malloc(p.k * sizeof *shift);
    int8_t *lut = NULL;

    if (rc == LT_OK && !shift) rc = lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    if (rc == LT_OK) rc = lt_pq_round(t->p, q, i - 1, p.table, t->o.mirror, &to, p.steps, &lut, shift, err);
    for (size_t o = 0; rc == LT_OK && o < p.k; o++) {
        double bias = p.s.bias[o] + (double)shift[o] * lt_tune_slope(t, i, (int)o);
        l->bias[o] = (int32_t)floor(bias / p.s.gain[o] + 0.5);
        l->mult[o] = (uint16_t)p.s.mult[o];
    }
    if (rc == LT_OK) {
        l->shift = p.s.shift;
        l->res_mult = p.s.res_mult;
        free(l->lut);
        l->lut = lut;
        lut = NULL;
    }
    free(shift);
    free(lut);
    product_free(&p);
    return rc;
}

static lt_code linear(const lt_tune *t, int i, qlayer *l, lt_err *err)
{
    const lt_layer *conv = t->nodes[i].conv;
    size_t k_all = (size_t)l->k, n = conv->params[0].n;
    int8_t *w = malloc(n);
    float *used = malloc(k_all * sizeof *used);
    lt_tune_scales s = {0};
    lt_code rc = w && used ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", l->name);

    if (rc == LT_OK) rc = lt_tune_scales_of(t, i, lt_lsq_steps(conv)->value, &s, err);
    if (rc == LT_OK) {
        for (int k = 0; k < l->k; k++) {
            used[k] = (float)(s.gain[k] / (lt_tune_slope(t, i, k) * lt_tune_in_step(t, i)));
            l->mult[k] = (uint16_t)s.mult[k];
            l->bias[k] = (int32_t)floor(s.bias[k] / s.gain[k] + 0.5);
        }
        l->shift = s.shift;
        l->res_mult = s.res_mult;
        lt_lsq_integers(conv, used, w);
        if (l->encoder >= 0 && t->o.mirror) {
            const qencoder *e = &t->net.encoders[l->encoder];
            int8_t *half = w;
            w = qlut_mirrored(half, (int)(2 * n / (k_all * (size_t)e->prototypes)), e->prototypes, l->k);
            free(half);
            if (!w) rc = lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
        }
        *(l->encoder >= 0 ? &l->lut : &l->w) = w;
    }
    if (rc != LT_OK) free(w);
    free(used);
    lt_tune_scales_free(&s);
    return rc;
}

static lt_code pool_or_add(const lt_tune *t, int i, qlayer *l, lt_err *err)
{
    const lt_node *n = &t->p->graph.nodes[i];
    double out = (double)t->nodes[i].step, ratio = (double)t->nodes[n->in].step / out;
    double *real = malloc((size_t)l->k * sizeof *real), res = n->res >= 0 ? (double)t->nodes[n->res].step / out : 0;

    if (!real) return lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    if (n->op == NODE_MAXPOOL && ratio == 1 && n->res < 0) {
        free(real); /* the same numbers: as they were */
        return LT_OK;
    }
    for (int k = 0; k < l->k; k++) real[k] = n->op == NODE_AVGPOOL ? ratio / (n->r * n->s) : ratio;
    lt_code rc = lt_quant_requant(l, real, res, t->o.mult_bits, err);
    free(real);
    return rc;
}

static lt_code layer(const lt_tune *t, int i, qnet *q, lt_err *err)
{
    const qlayer *from = &t->net.layers[i - 1];
    qlayer *l = &q->layers[i - 1];
    size_t k = (size_t)from->k;

    *l = *from;
    l->w = l->lut = NULL;
    l->bias = copied(from->bias, k * sizeof *l->bias);
    l->mult = copied(from->mult, k * sizeof *l->mult);
    if (!l->bias || !l->mult) return lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    clip_range(&t->p->graph.nodes[i], &q->tensors[i], l);
    if (lt_tune_products(t, i)) { /* filled in by round_products, once the other layers are there */
        const qencoder *e = &t->net.encoders[from->encoder];
        l->lut = calloc((size_t)(e->codebooks * e->prototypes * from->r * from->s), k);
        return l->lut ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    }
    return t->nodes[i].conv ? linear(t, i, l, err) : pool_or_add(t, i, l, err);
}

lt_code lt_tune_export(lt_tune *t, qnet *out, lt_err *err)
{
    const qnet *from = &t->net;
    size_t e = (size_t)from->n_encoders;
    lt_code rc = LT_OK;

    lt_tune_refresh(t);
    *out = *from;
    out->n_encoders = 0;
    out->encoders = calloc(e + 1, sizeof *out->encoders);
    out->tensors = copied(from->tensors, (size_t)from->n_tensors * sizeof *out->tensors);
    out->layers = calloc((size_t)from->n_layers, sizeof *out->layers);
    out->input_table = copied(from->input_table, (size_t)from->tensors[0].c * 256);
    if (!out->tensors || !out->layers || !out->encoders || !out->input_table)
        rc = lt_fail(err, LT_EMEM, "%s: out of memory", from->name);
    for (int i = 0; rc == LT_OK && i < out->n_tensors; i++) out->tensors[i].scale = (double)t->nodes[i].step;
    for (size_t i = 0; rc == LT_OK && i < e; i++) {
        out->encoders[i] = from->encoders[i];
        out->n_encoders++;
        rc = lt_encoder_alloc(&out->encoders[i], err);
        if (rc == LT_OK && t->grids[i])
            lt_grid_export(t->grids[i], &out->encoders[i]);
        else if (rc == LT_OK)
            lt_encoder_export(t->encoders[i], &out->encoders[i]);
    }
    for (int i = 1; rc == LT_OK && i < t->n; i++) rc = layer(t, i, out, err);
    for (int i = 1; rc == LT_OK && i < t->n; i++)
        if (lt_tune_products(t, i)) rc = round_products(t, i, out, err);
    if (rc == LT_OK) rc = lt_quant_check(out, t->o.acc_bits, err);
    if (rc != LT_OK) qnet_free(out);
    return rc;
}
