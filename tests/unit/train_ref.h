/* A plain double-precision reference of what the trainer computes, for finite differences: every node of a graph over a
 * minibatch, [image][C][H][W], batch norm by batch statistics. Slow and obvious. */
#ifndef LUTRA_TESTS_TRAIN_REF_H
#define LUTRA_TESTS_TRAIN_REF_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/graph.h"

typedef struct {
    const lt_graph *g;
    int n;      /* images */
    double **t; /* [nodes][n * size] */
    double **w; /* [nodes] weights as doubles; batch norm: gamma */
    double **b; /* [nodes] biases; batch norm: beta */
} ref_net;

static inline double *ref_at(const ref_net *r, int node, int image)
{
    return r->t[node] + (size_t)image * lt_shape_size(r->g->nodes[node].shape);
}

static inline double ref_get(const ref_net *r, int node, int image, int c, int y, int x)
{
    lt_shape s = r->g->nodes[node].shape;
    if (c < 0 || c >= s.c || y < 0 || y >= s.h || x < 0 || x >= s.w) return 0;
    return ref_at(r, node, image)[((size_t)c * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x];
}

static inline ref_net ref_make(const lt_graph *g, int n)
{
    ref_net r = {g, n, calloc((size_t)g->n_nodes, sizeof(double *)), calloc((size_t)g->n_nodes, sizeof(double *)),
                 calloc((size_t)g->n_nodes, sizeof(double *))};
    for (int i = 0; i < g->n_nodes; i++) {
        const lt_node *nd = &g->nodes[i];
        size_t w = lt_node_weights(g, nd);
        r.t[i] = calloc((size_t)n * lt_shape_size(nd->shape), sizeof(double));
        r.w[i] = calloc(w + 1, sizeof(double));
        r.b[i] = calloc((size_t)nd->shape.c, sizeof(double));
        for (size_t k = 0; k < w; k++) r.w[i][k] = (double)nd->weight[k];
        for (int k = 0; k < nd->shape.c && nd->bias; k++) r.b[i][k] = (double)nd->bias[k];
    }
    return r;
}

static inline void ref_free(ref_net *r)
{
    for (int i = 0; i < r->g->n_nodes; i++) {
        free(r->t[i]);
        free(r->w[i]);
        free(r->b[i]);
    }
    free(r->t);
    free(r->w);
    free(r->b);
}

static inline double ref_conv(const ref_net *r, int i, int m, int k, int p, int q)
{
    const lt_node *n = &r->g->nodes[i];
    lt_shape is = r->g->nodes[n->in].shape;
    int cg = is.c / n->groups, kg = n->shape.c / n->groups, first = k / kg * cg;
    const double *w = r->w[i] + (size_t)k * (size_t)(cg * n->r * n->s);
    double acc = r->b[i][k];
    for (int c = 0; c < cg; c++)
        for (int y = 0; y < n->r; y++)
            for (int x = 0; x < n->s; x++)
                acc += *w++ * ref_get(r, n->in, m, first + c, p * n->stride_h + y * n->dil_h - n->pad_t,
                                      q * n->stride_w + x * n->dil_w - n->pad_l);
    return acc;
}

static inline double ref_pool(const ref_net *r, int i, int m, int k, int p, int q)
{
    const lt_node *n = &r->g->nodes[i];
    lt_shape is = r->g->nodes[n->in].shape;
    double sum = 0, max = -INFINITY;
    int inside = 0;
    for (int a = 0; a < n->r; a++)
        for (int b = 0; b < n->s; b++) {
            int y = p * n->stride_h + a - n->pad_t, x = q * n->stride_w + b - n->pad_l;
            if (y < 0 || y >= is.h || x < 0 || x >= is.w) continue;
            double v = ref_get(r, n->in, m, k, y, x);
            sum += v;
            max = v > max ? v : max;
            inside++;
        }
    return n->op == NODE_MAXPOOL ? max : sum / (n->count_pad ? n->r * n->s : inside);
}

static inline void ref_batch_norm(const ref_net *r, int i)
{
    const lt_node *n = &r->g->nodes[i];
    size_t px = (size_t)n->shape.h * (size_t)n->shape.w;
    double count = (double)px * r->n;
    for (int c = 0; c < n->shape.c; c++) {
        double sum = 0, sq = 0;
        for (int m = 0; m < r->n; m++)
            for (size_t k = 0; k < px; k++) sum += ref_at(r, n->in, m)[(size_t)c * px + k];
        double mean = sum / count;
        for (int m = 0; m < r->n; m++)
            for (size_t k = 0; k < px; k++) {
                double d = ref_at(r, n->in, m)[(size_t)c * px + k] - mean;
                sq += d * d;
            }
        double inv = 1 / sqrt(sq / count + 1e-5);
        for (int m = 0; m < r->n; m++)
            for (size_t k = 0; k < px; k++)
                ref_at(r, i, m)[(size_t)c * px + k] =
                    (ref_at(r, n->in, m)[(size_t)c * px + k] - mean) * inv * r->w[i][c] + r->b[i][c];
    }
}

static inline double ref_value(const ref_net *r, int i, int m, int k, int p, int q, size_t at)
{
    const lt_node *n = &r->g->nodes[i];
    double acc;
    switch (n->op) {
    case NODE_CONV:
        return ref_conv(r, i, m, k, p, q);
    case NODE_GEMM: {
        size_t len = lt_shape_size(r->g->nodes[n->in].shape);
        acc = r->b[i][k];
        for (size_t j = 0; j < len; j++) acc += r->w[i][(size_t)k * len + j] * ref_at(r, n->in, m)[j];
        return acc;
    }
    case NODE_MAXPOOL:
    case NODE_AVGPOOL:
        return ref_pool(r, i, m, k, p, q);
    case NODE_SHORTCUT:
        return ref_get(r, n->in, m, k - n->res_c_off, p * n->res_step, q * n->res_step);
    default:
        return ref_at(r, n->in, m)[at];
    }
}

/* Fills every tensor from t[0]. */
static inline void ref_run(const ref_net *r)
{
    for (int i = 1; i < r->g->n_nodes; i++) {
        const lt_node *n = &r->g->nodes[i];
        if (n->op == NODE_BN) ref_batch_norm(r, i);
        for (int m = 0; m < r->n; m++) {
            double *out = ref_at(r, i, m);
            size_t at = 0;
            for (int k = 0; k < n->shape.c; k++)
                for (int p = 0; p < n->shape.h; p++)
                    for (int q = 0; q < n->shape.w; q++, at++) {
                        double v = n->op == NODE_BN ? out[at] : ref_value(r, i, m, k, p, q, at);
                        if (n->res >= 0 && n->op != NODE_SHORTCUT)
                            v += ref_get(r, n->res, m, k - n->res_c_off, p * n->res_step, q * n->res_step);
                        out[at] = v < (double)n->lo ? (double)n->lo : v > (double)n->hi ? (double)n->hi : v;
                    }
        }
    }
}

/* ---- small graphs ---- */
static inline float *ref_random(lt_rng *r, size_t n, double scale)
{
    float *p = malloc(n * sizeof *p);
    for (size_t i = 0; p && i < n; i++) p[i] = (float)(scale * lt_rng_normal(r));
    return p;
}

static inline int ref_add(lt_graph *g, lt_node n)
{
    int id = -1;
    if (lt_graph_add(g, n, &id, NULL) != LT_OK) abort();
    return id;
}

static inline int ref_input(lt_graph *g, int c, int h, int w)
{
    lt_node n = lt_node_make(NODE_INPUT, "input", -1);
    *g = (lt_graph){0};
    strcpy(g->name, "small");
    for (int i = 0; i < LT_MAX_INPUT_CHANNELS; i++) g->pre.std[i] = 1;
    n.shape = (lt_shape){c, h, w};
    return ref_add(g, n);
}

/* n holds the attributes; k outputs. */
static inline int ref_conv_node(lt_graph *g, lt_rng *r, lt_node n, int k, bool bias)
{
    size_t c = (size_t)(g->nodes[n.in].shape.c / n.groups), count = (size_t)k * c * (size_t)(n.r * n.s);
    n.op = NODE_CONV;
    n.shape.c = k;
    n.weight = ref_random(r, count, 1 / sqrt((double)c * n.r * n.s));
    n.bias = bias ? ref_random(r, (size_t)k, 0.3) : NULL;
    return ref_add(g, n);
}

static inline int ref_conv3(lt_graph *g, lt_rng *r, const char *name, int in, int k)
{
    lt_node n = lt_node_make(NODE_CONV, name, in);
    n.r = n.s = 3;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = 1;
    return ref_conv_node(g, r, n, k, false);
}

static inline int ref_bn_node(lt_graph *g, lt_rng *r, const char *name, int in)
{
    lt_node n = lt_node_make(NODE_BN, name, in);
    size_t c = (size_t)g->nodes[in].shape.c;
    n.weight = ref_random(r, c, 0.2);
    n.bias = ref_random(r, c, 0.3);
    for (size_t i = 0; i < c; i++) n.weight[i] += 1;
    return ref_add(g, n);
}

static inline int ref_clip_node(lt_graph *g, const char *name, int in, float lo, float hi)
{
    lt_node n = lt_node_make(NODE_CLIP, name, in);
    n.lo = lo;
    n.hi = hi;
    return ref_add(g, n);
}

static inline int ref_add_node(lt_graph *g, const char *name, int a, int b)
{
    lt_node n = lt_node_make(NODE_ADD, name, a);
    n.res = b;
    return ref_add(g, n);
}

static inline int ref_pool_node(lt_graph *g, lt_op op, const char *name, int in, int size, int stride, int pad)
{
    lt_node n = lt_node_make(op, name, in);
    n.r = n.s = size;
    n.stride_h = n.stride_w = stride;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = pad;
    return ref_add(g, n);
}

static inline int ref_shortcut_node(lt_graph *g, const char *name, int in, int step, int c_off, int c)
{
    lt_node n = lt_node_make(NODE_SHORTCUT, name, in);
    n.res_step = step;
    n.res_c_off = c_off;
    n.shape.c = c;
    return ref_add(g, n);
}

static inline int ref_gemm_node(lt_graph *g, lt_rng *r, const char *name, int in, int k, bool bias)
{
    lt_node n = lt_node_make(NODE_GEMM, name, in);
    size_t len = lt_shape_size(g->nodes[in].shape);
    n.shape.c = k;
    n.weight = ref_random(r, (size_t)k * len, 1 / sqrt((double)len));
    n.bias = bias ? ref_random(r, (size_t)k, 0.3) : NULL;
    return ref_add(g, n);
}

/* conv - bn - relu, a plain block, an option-A block, global pooling, fully connected: ResNet in small. */
static inline void ref_resnet(lt_graph *g, lt_rng *r, int side, int c, int classes)
{
    int x = ref_input(g, 3, side, side);
    x = ref_conv3(g, r, "conv1", x, c);
    x = ref_clip_node(g, "relu1", ref_bn_node(g, r, "bn1", x), 0, INFINITY);
    int y = ref_conv3(g, r, "a.conv1", x, c);
    y = ref_clip_node(g, "a.relu1", ref_bn_node(g, r, "a.bn1", y), 0, INFINITY);
    y = ref_bn_node(g, r, "a.bn2", ref_conv3(g, r, "a.conv2", y, c));
    x = ref_clip_node(g, "a.relu2", ref_add_node(g, "a.add", y, x), 0, INFINITY);
    lt_node down = lt_node_make(NODE_CONV, "b.conv1", x);
    down.r = down.s = 3;
    down.stride_h = down.stride_w = 2;
    down.pad_t = down.pad_l = down.pad_b = down.pad_r = 1;
    y = ref_conv_node(g, r, down, 2 * c, false);
    y = ref_clip_node(g, "b.relu1", ref_bn_node(g, r, "b.bn1", y), 0, INFINITY);
    y = ref_bn_node(g, r, "b.bn2", ref_conv3(g, r, "b.conv2", y, 2 * c));
    int s = ref_shortcut_node(g, "b.shortcut", x, 2, c / 2, 2 * c);
    x = ref_clip_node(g, "b.relu2", ref_add_node(g, "b.add", y, s), 0, INFINITY);
    x = ref_pool_node(g, NODE_AVGPOOL, "gap", x, g->nodes[x].shape.h, 1, 0);
    ref_gemm_node(g, r, "linear", ref_add(g, lt_node_make(NODE_FLATTEN, "flatten", x)), classes, true);
}

#endif
