#include "model/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_node(lt_node *n)
{
    free(n->weight);
    free(n->bias);
    n->weight = n->bias = NULL;
}

void lt_graph_free(lt_graph *g)
{
    for (int i = 0; i < g->n_nodes; i++) free_node(&g->nodes[i]);
    free(g->nodes);
    *g = (lt_graph){0};
}

lt_node lt_node_make(lt_op op, const char *name, int in)
{
    lt_node n = {.op = op,
                 .in = in,
                 .res = -1,
                 .res_step = 1,
                 .r = 1,
                 .s = 1,
                 .stride_h = 1,
                 .stride_w = 1,
                 .dil_h = 1,
                 .dil_w = 1,
                 .groups = 1,
                 .lo = -INFINITY,
                 .hi = INFINITY};
    snprintf(n.name, sizeof n.name, "%s", name);
    return n;
}

size_t lt_node_weights(const lt_graph *g, const lt_node *n)
{
    lt_shape in = n->in >= 0 ? g->nodes[n->in].shape : (lt_shape){0};

    switch (n->op) {
    case NODE_CONV:
        return (size_t)n->shape.c * (size_t)(in.c / n->groups) * (size_t)n->r * (size_t)n->s;
    case NODE_GEMM:
        return (size_t)n->shape.c * lt_shape_size(in);
    case NODE_BN:
        return (size_t)n->shape.c;
    default:
        return 0;
    }
}

double lt_graph_macs(const lt_graph *g)
{
    double macs = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const lt_node *n = &g->nodes[i];
        if (n->op == NODE_CONV || n->op == NODE_GEMM)
            macs += (double)lt_node_weights(g, n) * (double)n->shape.h * (double)n->shape.w;
    }
    return macs;
}

static bool side_ok(int v, int lo)
{
    return v >= lo && v <= LT_MAX_SIDE;
}

/* Output rows or columns of a sliding window, or 0 if there are none. */
static int slide(int size, int pad_a, int pad_b, int kernel, int dilation, int stride)
{
    int span = dilation * (kernel - 1) + 1, room = size + pad_a + pad_b - span;
    return room < 0 ? 0 : room / stride + 1;
}

static lt_code window_shape(lt_node *n, lt_shape in, lt_err *err)
{
    if (!side_ok(n->r, 1) || !side_ok(n->s, 1) || !side_ok(n->stride_h, 1) || !side_ok(n->stride_w, 1) ||
        !side_ok(n->dil_h, 1) || !side_ok(n->dil_w, 1) || !side_ok(n->pad_t, 0) || !side_ok(n->pad_l, 0) ||
        !side_ok(n->pad_b, 0) || !side_ok(n->pad_r, 0))
        return lt_fail(err, LT_EINPUT,
                       "%s: kernel %dx%d, stride %d,%d, dilation %d,%d, pads %d,%d,%d,%d: expected 1..%d (pads 0..%d)",
                       n->name, n->r, n->s, n->stride_h, n->stride_w, n->dil_h, n->dil_w, n->pad_t, n->pad_l, n->pad_b,
                       n->pad_r, LT_MAX_SIDE, LT_MAX_SIDE);
    n->shape.h = slide(in.h, n->pad_t, n->pad_b, n->r, n->dil_h, n->stride_h);
    n->shape.w = slide(in.w, n->pad_l, n->pad_r, n->s, n->dil_w, n->stride_w);
    if (n->shape.h < 1 || n->shape.w < 1)
        return lt_fail(err, LT_EINPUT, "%s: the %dx%d kernel does not fit the padded %dx%d input", n->name, n->r, n->s,
                       in.h, in.w);
    return LT_OK;
}

static lt_code pool_shape(lt_node *n, lt_shape in, lt_err *err)
{
    n->shape.c = in.c;
    LT_TRY(window_shape(n, in, err));
    if (n->dil_h != 1 || n->dil_w != 1)
        return lt_fail(err, LT_EINPUT, "%s: pooling with dilation %d,%d, expected 1,1", n->name, n->dil_h, n->dil_w);
    /* every window must hold at least one input value */
    if (n->pad_t >= n->r || n->pad_l >= n->s || (n->shape.h - 1) * n->stride_h - n->pad_t >= in.h ||
        (n->shape.w - 1) * n->stride_w - n->pad_l >= in.w)
        return lt_fail(err, LT_EINPUT, "%s: pads %d,%d,%d,%d make a %dx%d window that holds no input", n->name,
                       n->pad_t, n->pad_l, n->pad_b, n->pad_r, n->r, n->s);
    return LT_OK;
}

/* The residual must cover the output: [k - c_off][p * step][q * step]. */
static lt_code residual_fits(const lt_node *n, lt_shape res, lt_err *err)
{
    lt_shape o = n->shape;
    if (n->res_step < 1 || n->res_step > LT_MAX_SIDE || n->res_c_off < 0 || n->res_c_off + res.c > o.c ||
        (o.h - 1) * n->res_step >= res.h || (o.w - 1) * n->res_step >= res.w ||
        (n->res_step == 1 && (o.h != res.h || o.w != res.w)))
        return lt_fail(err, LT_EINPUT, "%s: cannot add %dx%dx%d (step %d, channel offset %d) to %dx%dx%d", n->name,
                       res.c, res.h, res.w, n->res_step, n->res_c_off, o.c, o.h, o.w);
    return LT_OK;
}

static lt_code infer(const lt_graph *g, lt_node *n, lt_err *err)
{
    lt_shape in = n->op == NODE_INPUT ? (lt_shape){0} : g->nodes[n->in].shape;

    switch (n->op) {
    case NODE_INPUT:
        if (!side_ok(n->shape.h, 1) || !side_ok(n->shape.w, 1) || n->shape.c < 1 || n->shape.c > LT_MAX_INPUT_CHANNELS)
            return lt_fail(err, LT_EINPUT, "%s: input shape %dx%dx%d, expected 1..%d channels, 1..%d rows and columns",
                           n->name, n->shape.c, n->shape.h, n->shape.w, LT_MAX_INPUT_CHANNELS, LT_MAX_SIDE);
        break;
    case NODE_CONV:
        LT_TRY(window_shape(n, in, err));
        if (n->groups < 1 || in.c % n->groups || n->shape.c % n->groups)
            return lt_fail(err, LT_EINPUT, "%s: %d groups do not divide %d input and %d output channels", n->name,
                           n->groups, in.c, n->shape.c);
        break;
    case NODE_MAXPOOL:
    case NODE_AVGPOOL:
        LT_TRY(pool_shape(n, in, err));
        break;
    case NODE_GEMM:
        n->shape.h = n->shape.w = 1;
        break;
    case NODE_ADD:
    case NODE_BN:
    case NODE_CLIP:
        n->shape = in;
        break;
    case NODE_FLATTEN:
        if (lt_shape_size(in) > LT_MAX_CHANNELS)
            return lt_fail(err, LT_EINPUT, "%s: flattens to %zu values, the limit is %d", n->name, lt_shape_size(in),
                           LT_MAX_CHANNELS);
        n->shape = (lt_shape){(int)lt_shape_size(in), 1, 1};
        break;
    case NODE_SHORTCUT:
        if (n->res_step < 1 || n->res_step > LT_MAX_SIDE || n->res_c_off < 0 || n->shape.c < 1 ||
            n->shape.c > LT_MAX_CHANNELS || n->res_c_off > n->shape.c - in.c)
            return lt_fail(err, LT_EINPUT, "%s: cannot place %d channels at offset %d of %d, step %d", n->name, in.c,
                           n->res_c_off, n->shape.c, n->res_step);
        n->shape.h = (in.h - 1) / n->res_step + 1;
        n->shape.w = (in.w - 1) / n->res_step + 1;
        break;
    }
    if (n->shape.c < 1 || n->shape.c > LT_MAX_CHANNELS)
        return lt_fail(err, LT_EINPUT, "%s: %d output channels, expected 1..%d", n->name, n->shape.c, LT_MAX_CHANNELS);
    if (lt_shape_size(n->shape) > LT_MAX_ELEMENTS)
        return lt_fail(err, LT_EINPUT, "%s: output of %dx%dx%d is over the limit of %zu values", n->name, n->shape.c,
                       n->shape.h, n->shape.w, LT_MAX_ELEMENTS);
    if (n->res >= 0) LT_TRY(residual_fits(n, g->nodes[n->res].shape, err));
    return LT_OK;
}

static lt_code check_finite(const lt_node *n, const float *v, size_t count, const char *what, lt_err *err)
{
    for (size_t i = 0; v && i < count; i++)
        if (!isfinite(v[i]))
            return lt_fail(err, LT_EINPUT, "%s: %s %zu is %g, expected a finite number", n->name, what, i,
                           (double)v[i]);
    return LT_OK;
}

lt_code lt_graph_check(const lt_graph *g, lt_err *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        const lt_node *n = &g->nodes[i];
        LT_TRY(check_finite(n, n->weight, lt_node_weights(g, n), "weight", err));
        LT_TRY(check_finite(n, n->bias, (size_t)n->shape.c, "bias", err));
    }
    return LT_OK;
}

static lt_code check_node(const lt_graph *g, lt_node *n, lt_err *err)
{
    if (g->n_nodes >= LT_MAX_NODES) return lt_fail(err, LT_EINPUT, "%s: more than %d nodes", n->name, LT_MAX_NODES);
    if ((n->op == NODE_INPUT) != (g->n_nodes == 0))
        return lt_fail(err, LT_EINPUT, "%s: the input must be the first node, and the only one", n->name);
    if (n->op != NODE_INPUT && (n->in < 0 || n->in >= g->n_nodes))
        return lt_fail(err, LT_EINPUT, "%s: operand %d does not exist", n->name, n->in);
    if (n->res >= g->n_nodes || (n->op == NODE_ADD && n->res < 0))
        return lt_fail(err, LT_EINPUT, "%s: second operand %d does not exist", n->name, n->res);
    if (!(n->lo <= n->hi))
        return lt_fail(err, LT_EINPUT, "%s: clip range %g..%g", n->name, (double)n->lo, (double)n->hi);
    LT_TRY(infer(g, n, err));
    size_t weights = lt_node_weights(g, n);
    if (weights > LT_MAX_ELEMENTS)
        return lt_fail(err, LT_EINPUT, "%s: %zu weights, the limit is %zu", n->name, weights, LT_MAX_ELEMENTS);
    if (weights && (!n->weight || (n->op == NODE_BN && !n->bias)))
        return lt_fail(err, LT_EINTERNAL, "%s: no weights", n->name);
    LT_TRY(check_finite(n, n->weight, weights, "weight", err));
    return check_finite(n, n->bias, (size_t)n->shape.c, "bias", err);
}

lt_code lt_graph_add(lt_graph *g, lt_node node, int *id, lt_err *err)
{
    lt_code rc = check_node(g, &node, err);

    if (rc == LT_OK && g->n_nodes == g->cap) {
        int cap = g->cap ? 2 * g->cap : 32;
        lt_node *p = realloc(g->nodes, (size_t)cap * sizeof *p);
        if (p) {
            g->nodes = p;
            g->cap = cap;
        } else {
            rc = lt_fail(err, LT_EMEM, "%s: out of memory", node.name);
        }
    }
    if (rc != LT_OK) {
        free_node(&node);
        return rc;
    }
    g->nodes[g->n_nodes] = node;
    g->output = g->n_nodes;
    if (id) *id = g->n_nodes;
    g->n_nodes++;
    return LT_OK;
}

static float *copy_floats(const float *v, size_t n)
{
    float *p = malloc((n ? n : 1) * sizeof *p);
    if (p && n) memcpy(p, v, n * sizeof *p);
    return p;
}

lt_code lt_graph_copy(const lt_graph *g, lt_graph *out, lt_err *err)
{
    *out = *g;
    out->cap = g->n_nodes;
    out->nodes = calloc((size_t)g->n_nodes + 1, sizeof *out->nodes);
    if (!out->nodes) {
        *out = (lt_graph){0};
        return lt_fail(err, LT_EMEM, "%s: out of memory", g->name);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const lt_node *n = &g->nodes[i];
        lt_node *m = &out->nodes[i];
        *m = *n;
        m->weight = n->weight ? copy_floats(n->weight, lt_node_weights(g, n)) : NULL;
        m->bias = n->bias ? copy_floats(n->bias, (size_t)n->shape.c) : NULL;
        if ((n->weight && !m->weight) || (n->bias && !m->bias)) {
            out->n_nodes = i + 1;
            lt_graph_free(out);
            return lt_fail(err, LT_EMEM, "%s: out of memory", g->name);
        }
    }
    return LT_OK;
}
