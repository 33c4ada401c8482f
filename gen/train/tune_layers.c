/* The layers of a tuned network: which are made, what hooks and limits they get. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "golden/golden.h"
#include "train/lsq.h"
#include "train/products.h"

#include "train/tune.h"
#include "train/tune_internal.h"

/* Maximum pooling hands the numbers of its input on. */
static bool keeps_numbers(const lt_tune *t, int i)
{
    const lt_node *n = &t->p->graph.nodes[i];
    bool no_floor = n->lo == -INFINITY || (n->lo <= 0 && !t->net.tensors[n->in].is_signed);
    return n->op == NODE_MAXPOOL && n->res < 0 && no_floor && n->hi == INFINITY;
}

/* Tables have coarser steps than the weights they are products of, hence larger multipliers and a smaller shift, with
 * which the residual's multiplier has to be exact, too. */
enum { PRODUCT_SPARE = 3 };

/* The largest ratio of output to accumulator step that node i needs, in real units of the output. */
static double largest_gain(const lt_tune *t, int i)
{
    const lt_layer *conv = t->nodes[i].conv;
    const lt_node *n = &t->p->graph.nodes[i];
    double most = 0, in = lt_tune_in_step(t, i);

    if (n->op != NODE_CONV) return in / (n->op == NODE_AVGPOOL ? n->r * n->s : 1);
    for (int k = 0; k < n->shape.c; k++)
        most = fmax(most, lt_tune_gain(t, i, k, (double)lt_lsq_steps(conv)->value[k] * in));
    return most;
}

void lt_tune_refresh(lt_tune *t)
{
    for (int i = 0; i < t->n; i++) {
        lt_tune_node *v = &t->nodes[i];
        const lt_node *n = &t->p->graph.nodes[i];
        v->step = v->fq ? v->fq->params[0].value[0] : keeps_numbers(t, i) ? t->nodes[n->in].step : v->step;
        if (!v->fq || n->res < 0 || (n->op == NODE_CONV && (!v->conv || !lt_lsq_steps(v->conv)))) continue;
        double out = (double)v->step, res = (double)t->nodes[n->res].step;
        int spare = lt_tune_products(t, i) ? PRODUCT_SPARE : 0;
        int shift = lt_quant_shift(largest_gain(t, i) / out, res / out, t->o.mult_bits - spare);
        if (shift >= 0) v->step = (float)(ldexp(res, shift) / fmax(floor(ldexp(res / out, shift) + 0.5), 1));
    }
}

/* The input's is the first layer of every pass. */
static float snap_tensor(void *ctx, float learned)
{
    const lt_tune_place *s = ctx;
    (void)learned;
    if (s->node == 0) lt_tune_refresh(s->t);
    for (int i = 0; s->node == 0 && s->t->o.products && i < s->t->net.n_encoders; i++) {
        if (s->t->encoders[i]) lt_encoder_refresh(s->t->encoders[i]);
        if (s->t->grids[i]) lt_grid_refresh(s->t->grids[i]);
    }
    return s->t->nodes[s->node].step;
}

/* Codes depend on the integers of a tensor; its step must not move under an encoder that was fitted to them. */
static bool encoded(const lt_tune *t, int i)
{
    for (int k = 0; k < t->net.n_layers; k++)
        if (t->net.layers[k].in == i && t->net.layers[k].encoder >= 0) return true;
    return false;
}

static lt_code behind(void *ctx, const lt_graph *g, int node, const lt_env *env, lt_layer **l, lt_err *err)
{
    lt_tune *t = ctx;
    char name[QN_NAME];
    int i = 0;

    (void)g;
    while (i < t->n && t->nodes[i].tail != node) i++;
    if (i == t->n || keeps_numbers(t, i)) return LT_OK;
    const qtensor *q = &t->net.tensors[i];
    lt_fq_options o = {.step = (float)q->scale,
                       .lo = qtensor_min(q),
                       .hi = qtensor_max(q),
                       .learn = i > 0 && t->o.learn_steps && !encoded(t, i),
                       .snap = snap_tensor,
                       .snap_ctx = &t->place[i]};
    snprintf(name, sizeof name, "%.50s.out", q->name);
    LT_TRY(lt_layer_fq(name, &o, env, l, err));
    t->nodes[i].fq = *l;
    t->nodes[i].step = o.step;
    return LT_OK;
}

/* Mean vectors of a tree's leaves, from the middle of the ranges that the thresholds leave on the way down. */
static float *leaf_means(const qencoder *e, const qtensor *in)
{
    int depth = 0, drop = 8 - e->enc_bits;
    while (1 << depth < e->prototypes) depth++;
    float *m = malloc((size_t)e->codebooks * (size_t)e->prototypes * (size_t)e->length * sizeof *m), *at = m;
    float lo = (float)(qtensor_min(in) >> drop), hi = (float)(qtensor_max(in) >> drop);

    for (int cb = 0; m && cb < e->codebooks; cb++)
        for (int leaf = 0; leaf < e->prototypes; leaf++, at += e->length) {
            float low[256], high[256];
            int node = 0;
            for (int j = 0; j < e->length; j++) {
                low[j] = lo;
                high[j] = hi;
            }
            for (int level = 0; level < depth; level++) {
                int right = leaf >> (depth - 1 - level) & 1, j = e->dim[cb * depth + level];
                float th = (float)e->thresh[cb * (e->prototypes - 1) + node];
                th = fminf(fmaxf(th, lo), hi);
                if (right)
                    low[j] = fmaxf(low[j], th);
                else
                    high[j] = fminf(high[j], th);
                node = 2 * node + 1 + right;
            }
            for (int j = 0; j < e->length; j++) at[j] = (low[j] + fmaxf(high[j], low[j])) / 2;
        }
    return m;
}

static lt_code check_source(const lt_tune *t, const qlayer *q, lt_err *err)
{
    if (t->nodes[q->in].fq) return LT_OK;
    return lt_fail(err, LT_EINPUT, "%s: reads a pooled tensor by lookup, which cannot be tuned", q->name);
}

/* The layer's encoder; the first layer that reads a tensor makes it. */
static lt_code encoder_of(lt_tune *t, const qlayer *q, const char *name, const lt_env *env, lt_encoder **e, lt_err *err)
{
    const qencoder *from = &t->net.encoders[q->encoder];
    const qtensor *in = &t->net.tensors[q->in];
    lt_tune_node *src = &t->nodes[q->in];

    *e = t->encoders[q->encoder];
    if (*e) return LT_OK;
    LT_TRY(check_source(t, q, err));
    float *means = from->encoder == QENC_TREE ? leaf_means(from, in) : NULL;
    if (from->encoder == QENC_TREE && !means) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = lt_encoder_create(e, name, from, in, &src->step, means, &t->o.encode, env, err);
    free(means);
    t->encoders[q->encoder] = *e;
    return rc;
}

/* The input of a convolution whose tables are products. */
static lt_code attach_products(lt_tune *t, const qlayer *q, lt_layer *conv, lt_err *err)
{
    lt_grid **grid = &t->grids[q->encoder];
    lt_encoder *e;

    if (!t->o.mirror) {
        LT_TRY(encoder_of(t, q, conv->name, conv->env, &e, err));
        return lt_products_attach(conv, e, err);
    }
    LT_TRY(check_source(t, q, err));
    if (!*grid)
        LT_TRY(lt_grid_create(grid, conv->name, &t->net.encoders[q->encoder], &t->net.tensors[q->in],
                              &t->nodes[q->in].step, conv->env, err));
    return lt_grid_attach(conv, *grid, err);
}

static lt_code instead(void *ctx, const lt_graph *g, int node, lt_shape in, const lt_env *env, lt_layer **l,
                       lt_err *err)
{
    lt_tune *t = ctx;
    lt_encoder *e;
    int i = 1;

    while (i < t->n && t->nodes[i].linear != node) i++;
    if (i == t->n || t->net.layers[i - 1].encoder < 0 || t->o.products) return LT_OK;
    const qlayer *q = &t->net.layers[i - 1];
    const char *name = g->nodes[node].name;
    LT_TRY(encoder_of(t, q, name, env, &e, err));
    int taps = t->net.encoders[q->encoder].mode == QPQ_SPATIAL ? 1 : q->r * q->s;
    size_t rows = (size_t)(t->net.encoders[q->encoder].codebooks * taps * t->net.encoders[q->encoder].prototypes);
    float *table = malloc(rows * (size_t)q->k * sizeof *table);
    if (!table) return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    for (int k = 0; k < q->k; k++) {
        double gain = lt_tune_first_gain(&t->net, q, k);
        for (size_t r = 0; r < rows; r++)
            table[r * (size_t)q->k + (size_t)k] = (float)(q->lut[r * (size_t)q->k + (size_t)k] * gain);
    }
    lt_code rc = lt_layer_lookup(name, node, e, q, t->o.mirror, table, in, g->nodes[node].shape, env, l, err);
    free(table);
    return rc;
}

lt_net_parts lt_tune_parts(lt_tune *t)
{
    return (lt_net_parts){t, instead, behind};
}

/* Steps as the multiplier can say them: hook of the weights. */
static void snap(void *ctx, const float *learned, float *used)
{
    const lt_tune_place *s = ctx;
    const lt_tune *t = s->t;
    const qlayer *l = &t->net.layers[s->node - 1];
    lt_tune_scales v;
    lt_err ignored = {0};

    for (int k = 0; k < l->k; k++) used[k] = learned[k];
    /* what cannot be said is reported when the network is exported */
    if (lt_tune_scales_of(t, s->node, learned, &v, &ignored) != LT_OK) return;
    for (int k = 0; k < l->k; k++)
        used[k] = (float)(v.gain[k] / (lt_tune_slope(t, s->node, k) * lt_tune_in_step(t, s->node)));
    lt_tune_scales_free(&v);
}

/* The bias is an integer, too: that matters where few bits make a step of the accumulator large. */
static void round_offset(void *ctx, float *offset)
{
    const lt_tune_place *s = ctx;
    const lt_layer *conv = s->t->nodes[s->node].conv;
    lt_tune_scales v;
    lt_err ignored = {0};

    if (lt_tune_scales_of(s->t, s->node, lt_lsq_steps(conv)->value, &v, &ignored) != LT_OK) return;
    for (int k = 0; k < conv->out->s.c; k++)
        offset[k] = (float)(v.gain[k] * floor((double)offset[k] / v.gain[k] + 0.5));
    lt_tune_scales_free(&v);
}

static void set_rate(const lt_tune *t, lt_param *steps)
{
    double sum = 0;
    for (size_t i = 0; i < steps->n; i++) sum += (double)steps->value[i];
    if (t->o.relative_steps) steps->lr_mult = (float)(sum / (double)steps->n);
    if (!t->o.learn_steps) steps->lr_mult = 0;
}

lt_code lt_tune_attach(lt_tune *t, lt_net *net, lt_err *err)
{
    for (int k = 0; k < lt_net_n_layers(net); k++) {
        lt_layer *l = lt_net_layer(net, k);
        for (int i = 0; l->node >= 0 && i < t->n; i++) {
            if (t->nodes[i].linear == l->node) t->nodes[i].conv = l;
            if (t->nodes[i].bn == l->node) t->nodes[i].norm = l;
        }
    }
    for (int i = 1; i < t->n; i++) {
        lt_tune_node *v = &t->nodes[i];
        const qlayer *q = &t->net.layers[i - 1];
        lt_bn_view bn;
        if (v->fq && v->fq->params[0].grad) set_rate(t, &v->fq->params[0]);
        if (!v->conv) continue;
        bool products = lt_tune_products(t, i), table = q->encoder >= 0 && !products;
        if (products) LT_TRY(attach_products(t, q, v->conv, err));
        int bits = table ? q->lut_bits : q->w_bits, hi = (1 << (bits - 1)) - 1;
        lt_lsq_options o = {.lo = table && !t->o.mirror ? -hi - 1 : -hi,
                            .hi = hi,
                            .interleaved = table,
                            .snap = products ? NULL : snap,
                            .snap_ctx = &t->place[i]};
        LT_TRY(lt_lsq_attach(v->conv, v->steps, &o, err));
        set_rate(t, lt_lsq_steps(v->conv));
        if (table) v->conv->params[0].decay = false;
        if (!v->norm || !lt_layer_bn_view(v->norm, &bn)) continue;
        /* multipliers are not negative */
        float least = INFINITY;
        for (int c = 0; c < bn.c; c++) least = fminf(least, bn.gamma[c]);
        if (!(least > 0)) return lt_fail(err, LT_EINTERNAL, "%s: a batch norm of factor %g", q->name, (double)least);
        v->norm->params[0].lo = least / 64;
        if (!products) lt_bn_set_rounding(v->norm, round_offset, &t->place[i]);
    }
    return LT_OK;
}

void lt_tune_start_products(lt_tune *t)
{
    for (int i = 1; i < t->n && !t->o.mirror; i++)
        if (lt_tune_products(t, i)) lt_products_start(t->nodes[i].conv);
}
