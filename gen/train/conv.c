/* Convolution and fully connected layers (a convolution whose kernel covers its input), with hooks. */
#include <stdlib.h>
#include <string.h>

#include "train/layer.h"

typedef struct {
    lt_layer l;
    lt_dnn_conv *dnn;
    bool has_bias, need_dx;
    size_t weights, partial;
    int k;
    float *part;      /* [chunks][partial + k]: gradients of weights (oneDNN's layout) and bias per chunk */
    float *unloaded;  /* gradient of the effective weights */
    float *effective; /* weights after the hook */
    float *hooked;    /* input after the hook, [batch][size] */
    lt_param params[2];
    lt_weight_hook wh;
    lt_input_hook ih;
} conv;

static const lt_layer_ops ops;

static size_t part_size(const conv *c)
{
    return c->partial + (size_t)c->k;
}

static lt_code begin(lt_layer *l, const lt_pass *p, lt_err *err)
{
    conv *c = (conv *)l;
    const float *w = c->params[0].value;
    bool exact = p->mode == LT_MODE_EVAL || p->mode == LT_MODE_CALIBRATE;
    int rest = p->n % l->env->chunk;

    if (rest) LT_TRY(lt_dnn_conv_prepare(c->dnn, rest, exact, err));
    if (p->n >= l->env->chunk) LT_TRY(lt_dnn_conv_prepare(c->dnn, l->env->chunk, exact, err));
    if (c->wh.forward) {
        c->wh.forward(c->wh.ctx, w, c->effective, c->weights, p->mode);
        w = c->effective;
    }
    lt_dnn_conv_load(c->dnn, w, exact, p->mode == LT_MODE_TRAIN && c->need_dx);
    return LT_OK;
}

static float *input(const conv *c, const lt_chunk *ch)
{
    return c->ih.forward ? c->hooked + (size_t)ch->first * c->l.in->size : lt_value(c->l.in, ch);
}

static void forward(lt_layer *l, const lt_chunk *ch, int step)
{
    conv *c = (conv *)l;
    (void)step;
    if (c->ih.forward) c->ih.forward(c->ih.ctx, ch, lt_value(l->in, ch), input(c, ch), l->in->size);
    lt_dnn_conv_forward(c->dnn, ch->worker, ch->n, input(c, ch), c->has_bias ? c->params[1].value : NULL,
                        lt_value(l->out, ch));
}

/* The gradient by the input goes straight to its place, or through scratch if it has to be added; that by a hooked
 * input to the place of the hooked input, which is not needed any more once the weights have their gradient. */
static void backward(lt_layer *l, const lt_chunk *ch, int step)
{
    conv *c = (conv *)l;
    const float *gy = lt_gradient(l->out, ch);
    float *part = c->part + (size_t)ch->index * part_size(c), *x = input(c, ch);
    float *gx = l->in->g ? lt_gradient(l->in, ch) : NULL, *to = gx && l->add_in ? l->env->scratch[ch->worker] : gx;

    (void)step;
    lt_dnn_conv_backward(c->dnn, ch->worker, ch->n, x, gy, part, part + c->partial, gx && c->ih.backward ? x : to);
    if (!gx) return;
    if (c->ih.backward) c->ih.backward(c->ih.ctx, ch, lt_value(l->in, ch), x, to, l->in->size);
    if (l->add_in) l->env->vec->add(gx, to, (size_t)ch->n * l->in->size);
}

static void finish(lt_layer *l, const lt_pass *p, int worker)
{
    conv *c = (conv *)l;
    for (int i = 1; i < p->chunks; i++) l->env->vec->add(c->part, c->part + (size_t)i * part_size(c), part_size(c));
    if (c->has_bias) memcpy(c->params[1].grad, c->part + c->partial, (size_t)c->k * sizeof(float));
    float *to = c->wh.forward ? c->unloaded : c->params[0].grad;
    lt_dnn_conv_unload(c->dnn, worker, c->part, to);
    if (c->wh.forward) c->wh.backward(c->wh.ctx, c->params[0].value, to, c->params[0].grad, c->weights);
    if (c->ih.finish) c->ih.finish(c->ih.ctx, p);
}

static void free_conv(lt_layer *l)
{
    conv *c = (conv *)l;
    lt_dnn_conv_free(c->dnn);
    if (c->wh.free) c->wh.free(c->wh.ctx);
    if (c->ih.free) c->ih.free(c->ih.ctx);
    lt_param_free(&c->params[0]);
    lt_param_free(&c->params[1]);
    free(c->part);
    free(c->unloaded);
    free(c->effective);
    free(c->hooked);
    free(c);
}

static lt_code take_hook(lt_layer *l, const lt_weight_hook *h, lt_err *err)
{
    conv *c = (conv *)l;
    c->wh = *h;
    c->effective = lt_aligned(c->weights * sizeof(float));
    c->unloaded = lt_aligned(c->weights * sizeof(float));
    return c->effective && c->unloaded ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
}

static const lt_weight_hook *hook(const lt_layer *l)
{
    const conv *c = (const conv *)l;
    return c->wh.forward ? &c->wh : NULL;
}

static const lt_layer_ops ops = {
    .kind = "conv",
    .forward_steps = 1,
    .backward_steps = 1,
    .begin = begin,
    .forward = forward,
    .backward = backward,
    .finish = finish,
    .free = free_conv,
    .take_hook = take_hook,
    .hook = hook,
};

static lt_code build(conv *c, const lt_node *n, lt_shape in, lt_err *err)
{
    const lt_env *env = c->l.env;
    lt_shape o = n->shape;
    lt_conv_shape s = {.c = in.c,
                       .h = in.h,
                       .w = in.w,
                       .k = o.c,
                       .p = o.h,
                       .q = o.w,
                       .r = n->r,
                       .s = n->s,
                       .stride_h = n->stride_h,
                       .stride_w = n->stride_w,
                       .dil_h = n->dil_h,
                       .dil_w = n->dil_w,
                       .groups = n->groups,
                       .pad_t = n->pad_t,
                       .pad_l = n->pad_l,
                       .bias = n->bias != NULL};

    if (n->op == NODE_GEMM) {
        s.r = in.h;
        s.s = in.w;
    }
    /* what the windows really reach: a graph may pad further than the last window */
    s.pad_b = (s.p - 1) * s.stride_h + s.dil_h * (s.r - 1) + 1 - s.h - s.pad_t;
    s.pad_r = (s.q - 1) * s.stride_w + s.dil_w * (s.s - 1) + 1 - s.w - s.pad_l;
    LT_TRY(lt_param_make(&c->params[0], n->name, "weight", c->weights, env->train, err));
    memcpy(c->params[0].value, n->weight, c->weights * sizeof(float));
    c->params[0].decay = true;
    if (c->has_bias) {
        LT_TRY(lt_param_make(&c->params[1], n->name, "bias", (size_t)c->k, env->train, err));
        memcpy(c->params[1].value, n->bias, (size_t)c->k * sizeof(float));
    }
    if (lt_dnn_conv_create(env->dnn, &s, env->chunk, c->need_dx, env->train, &c->dnn, err) != LT_OK)
        return lt_wrap(err, "%s", n->name);
    if (!env->train) return LT_OK;
    c->partial = lt_dnn_conv_partial(c->dnn);
    c->part = lt_aligned((size_t)env->chunks * part_size(c) * sizeof(float));
    return c->part ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory for gradients", n->name);
}

lt_code lt_layer_conv(const lt_graph *g, int node, lt_shape in, const lt_env *env, bool need_dx, lt_layer **l,
                      lt_err *err)
{
    const lt_node *n = &g->nodes[node];
    conv *c = calloc(1, sizeof *c);

    *l = NULL;
    if (!c) return lt_fail(err, LT_EMEM, "out of memory");
    c->l = (lt_layer){.ops = &ops, .node = node, .env = env, .params = c->params, .n_params = n->bias ? 2 : 1};
    memcpy(c->l.name, n->name, sizeof c->l.name);
    c->has_bias = n->bias != NULL;
    c->need_dx = need_dx && env->train;
    c->weights = lt_node_weights(g, n);
    c->k = n->shape.c;
    lt_code rc = build(c, n, in, err);
    if (rc != LT_OK) {
        free_conv(&c->l);
        return rc;
    }
    *l = &c->l;
    return LT_OK;
}

bool lt_layer_is_conv(const lt_layer *l)
{
    return l->ops == &ops;
}

lt_code lt_conv_set_input_hook(lt_layer *l, const lt_input_hook *h, lt_err *err)
{
    conv *c = (conv *)l;
    if (!lt_layer_is_conv(l) || c->ih.forward) {
        if (h->free) h->free(h->ctx);
        return lt_fail(err, LT_EINTERNAL, "%s: takes no (further) input hook", l->name);
    }
    c->ih = *h;
    c->hooked = lt_aligned((size_t)l->env->batch * l->in->size * sizeof(float));
    return c->hooked ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
}

const lt_input_hook *lt_conv_input_hook(const lt_layer *l)
{
    const conv *c = (const conv *)l;
    return lt_layer_is_conv(l) && c->ih.forward ? &c->ih : NULL;
}
