/* Batch norm with the add and the clip that often follow it: y = clip(gamma * (x - mean) / sqrt(var + eps) + beta +
 * res). Ioffe & Szegedy 2015; running statistics move by 0.1 per step, with the unbiased variance, as in PyTorch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/layer.h"

enum { GAMMA, BETA, MEAN, VAR, PARAMS };
static const double MOMENTUM = 0.1;

typedef struct {
    lt_layer l;
    int c;
    size_t px; /* pixels of one image */
    float lo, hi;
    bool frozen;
    float *mean, *a, *b, *d; /* [c] of this step */
    double *inv;             /* [c] 1 / sqrt(var + eps) */
    double *part;            /* [chunks][2][c] sums */
    void (*round)(void *ctx, float *offset);
    void *round_ctx;
    double *cal; /* [3][c] calibration: count, sum, sum of squares about the running mean */
    lt_param params[PARAMS];
} bn;

/* Sum over chunks of part[.][which][i]. */
static double total(const bn *b, const lt_pass *p, int which, int i)
{
    double s = 0;
    for (int k = 0; k < p->chunks; k++) s += b->part[((size_t)k * 2 + (size_t)which) * (size_t)b->c + (size_t)i];
    return s;
}

static double *partial(const bn *b, const lt_chunk *ch, int which)
{
    return b->part + ((size_t)ch->index * 2 + (size_t)which) * (size_t)b->c;
}

/* y = x * a + b */
static void coefficients(bn *b)
{
    for (int i = 0; i < b->c; i++) {
        double s = (double)b->params[GAMMA].value[i] * b->inv[i];
        b->a[i] = (float)s;
        b->b[i] = (float)((double)b->params[BETA].value[i] - (double)b->mean[i] * s);
    }
    if (b->round) b->round(b->round_ctx, b->b);
}

static void use_running(bn *b)
{
    for (int i = 0; i < b->c; i++) {
        b->mean[i] = b->params[MEAN].value[i];
        b->inv[i] = 1 / sqrt((double)b->params[VAR].value[i] + (double)LT_BN_EPS);
    }
    coefficients(b);
}

static lt_code begin(lt_layer *l, const lt_pass *p, lt_err *err)
{
    bn *b = (bn *)l;
    (void)err;
    if (p->mode != LT_MODE_TRAIN || b->frozen) use_running(b);
    return LT_OK;
}

static void forward(lt_layer *l, const lt_chunk *ch, int step)
{
    bn *b = (bn *)l;
    const lt_vec *v = l->env->vec;
    const float *x = lt_value(l->in, ch);
    size_t px = (size_t)ch->n * b->px;
    bool measure = step == 0 ? !b->frozen : ch->pass->mode == LT_MODE_CALIBRATE;

    /* about the running mean, so that nothing cancels */
    if (measure) v->stats(x, px, b->c, b->params[MEAN].value, partial(b, ch, 0), partial(b, ch, 1));
    if (step == 1)
        v->affine(x, l->res ? lt_value(l->res, ch) : NULL, px, b->c, b->a, b->b, b->lo, b->hi, lt_value(l->out, ch));
}

static void take_batch(bn *b, const lt_pass *p)
{
    double n = (double)p->n * (double)b->px;
    for (int i = 0; i < b->c; i++) {
        double s = total(b, p, 0, i) / n, q = total(b, p, 1, i) / n;
        double mean = (double)b->params[MEAN].value[i] + s, var = q - s * s;
        if (var < 0) var = 0;
        b->mean[i] = (float)mean;
        b->inv[i] = 1 / sqrt(var + (double)LT_BN_EPS);
        float *m = &b->params[MEAN].value[i], *v = &b->params[VAR].value[i];
        *m = (float)((1 - MOMENTUM) * (double)*m + MOMENTUM * mean);
        *v = (float)((1 - MOMENTUM) * (double)*v + MOMENTUM * var * (n > 1 ? n / (n - 1) : 1));
    }
    coefficients(b);
}

static void forward_join(lt_layer *l, const lt_pass *p, int step)
{
    bn *b = (bn *)l;
    if (step == 0 && !b->frozen) take_batch(b, p);
    if (step == 1 && p->mode == LT_MODE_CALIBRATE)
        for (int i = 0; i < b->c; i++) {
            b->cal[i] += (double)p->n * (double)b->px;
            b->cal[b->c + i] += total(b, p, 0, i);
            b->cal[2 * b->c + i] += total(b, p, 1, i);
        }
}

static void backward(lt_layer *l, const lt_chunk *ch, int step)
{
    bn *b = (bn *)l;
    const lt_vec *v = l->env->vec;
    const float *x = lt_value(l->in, ch);
    float *g = lt_gradient(l->out, ch);
    size_t px = (size_t)ch->n * b->px;

    if (step == 0)
        v->gather(x, lt_value(l->out, ch), g, l->res && l->res->g ? lt_gradient(l->res, ch) : NULL, l->add_res, px,
                  b->c, b->mean, b->lo, b->hi, partial(b, ch, 0), partial(b, ch, 1));
    else if (l->in->g)
        v->combine(x, g, px, b->c, b->a, b->b, b->d, l->add_in, lt_gradient(l->in, ch));
}

/* dx = gamma inv (g - mean(g) - (x - mean) inv^2 mean(g (x - mean))), as g * a + x * b + d */
static void backward_join(lt_layer *l, const lt_pass *p, int step)
{
    bn *b = (bn *)l;
    double n = (double)p->n * (double)b->px;

    if (step != 0) return;
    for (int i = 0; i < b->c; i++) {
        double sum = total(b, p, 0, i), dot = total(b, p, 1, i);
        double s = (double)b->params[GAMMA].value[i] * b->inv[i];
        double slope = b->frozen ? 0 : -s * b->inv[i] * b->inv[i] * dot / n;
        b->params[GAMMA].grad[i] = (float)(dot * b->inv[i]);
        b->params[BETA].grad[i] = (float)sum;
        b->a[i] = (float)s;
        b->b[i] = (float)slope;
        b->d[i] = b->frozen ? 0 : (float)(-s * sum / n - slope * (double)b->mean[i]);
    }
}

static void free_bn(lt_layer *l)
{
    bn *b = (bn *)l;
    for (int i = 0; i < PARAMS; i++) lt_param_free(&b->params[i]);
    free(b->mean);
    free(b->a);
    free(b->b);
    free(b->d);
    free(b->inv);
    free(b->part);
    free(b->cal);
    free(b);
}

static const lt_layer_ops ops = {
    .kind = "bn",
    .in_place = true,
    .res_first = true,
    .forward_steps = 2,
    .backward_steps = 2,
    .begin = begin,
    .forward = forward,
    .forward_join = forward_join,
    .backward = backward,
    .backward_join = backward_join,
    .free = free_bn,
};

/* The graph knows only y = x * weight + bias: with mean 0 and variance 1 that is the same function. Statistics come
 * from lt_net_calibrate or from training. */
static lt_code build(bn *b, const lt_node *n, lt_err *err)
{
    static const char *const parts[PARAMS] = {"gamma", "beta", "running_mean", "running_var"};
    const lt_env *env = b->l.env;
    size_t c = (size_t)b->c;

    for (int i = 0; i < PARAMS; i++)
        LT_TRY(lt_param_make(&b->params[i], n->name, parts[i], c, i <= BETA && env->train, err));
    for (size_t i = 0; i < c; i++) {
        b->params[VAR].value[i] = 1;
        b->params[GAMMA].value[i] = (float)((double)n->weight[i] * sqrt(1 + (double)LT_BN_EPS));
        b->params[BETA].value[i] = n->bias[i];
    }
    b->mean = lt_aligned(c * sizeof(float));
    b->a = lt_aligned(c * sizeof(float));
    b->b = lt_aligned(c * sizeof(float));
    b->d = lt_aligned(c * sizeof(float));
    b->inv = lt_aligned(c * sizeof(double));
    b->cal = lt_aligned(3 * c * sizeof(double));
    b->part = lt_aligned((size_t)env->chunks * 2 * c * sizeof(double));
    if (b->mean && b->a && b->b && b->d && b->inv && b->cal && b->part) return LT_OK;
    return lt_fail(err, LT_EMEM, "%s: out of memory", n->name);
}

lt_code lt_layer_bn(const lt_graph *g, int node, const lt_env *env, float lo, float hi, lt_layer **l, lt_err *err)
{
    const lt_node *n = &g->nodes[node];
    bn *b = calloc(1, sizeof *b);

    *l = NULL;
    if (!b) return lt_fail(err, LT_EMEM, "out of memory");
    b->l = (lt_layer){.ops = &ops, .node = node, .env = env, .params = b->params, .n_params = PARAMS};
    memcpy(b->l.name, n->name, sizeof b->l.name);
    b->c = n->shape.c;
    b->px = (size_t)n->shape.h * (size_t)n->shape.w;
    b->lo = lo;
    b->hi = hi;
    lt_code rc = build(b, n, err);
    if (rc != LT_OK) {
        free_bn(&b->l);
        return rc;
    }
    *l = &b->l;
    return LT_OK;
}

bool lt_layer_bn_view(const lt_layer *l, lt_bn_view *v)
{
    const bn *b = (const bn *)l;
    if (l->ops != &ops) return false;
    *v = (lt_bn_view){b->params[GAMMA].value, b->params[BETA].value, b->params[MEAN].value, b->params[VAR].value, b->c};
    return true;
}

void lt_bn_freeze(lt_layer *l, bool frozen)
{
    if (l->ops == &ops) ((bn *)l)->frozen = frozen;
}

void lt_bn_set_rounding(lt_layer *l, void (*round)(void *ctx, float *offset), void *ctx)
{
    bn *b = (bn *)l;
    if (l->ops != &ops) return;
    b->round = round;
    b->round_ctx = ctx;
}

void lt_bn_take_calibration(lt_layer *l)
{
    bn *b = (bn *)l;
    if (l->ops != &ops) return;
    for (int i = 0; i < b->c; i++) {
        double n = b->cal[i];
        if (n <= 0) continue;
        double s = b->cal[b->c + i] / n, var = fmax(b->cal[2 * b->c + i] / n - s * s, 0);
        double mean = (double)b->params[MEAN].value[i] + s;
        double scale = (double)b->params[GAMMA].value[i] / sqrt((double)b->params[VAR].value[i] + (double)LT_BN_EPS);
        double shift = (double)b->params[BETA].value[i] - (double)b->params[MEAN].value[i] * scale;
        /* the same function of x, written with the measured statistics */
        b->params[GAMMA].value[i] = (float)(scale * sqrt(var + (double)LT_BN_EPS));
        b->params[BETA].value[i] = (float)(shift + mean * scale);
        b->params[MEAN].value[i] = (float)mean;
        b->params[VAR].value[i] = (float)var;
    }
    memset(b->cal, 0, 3 * (size_t)b->c * sizeof *b->cal);
}
