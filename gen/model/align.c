/* Channel alignment of option-A shortcuts, see graph.h.
 *
 * Tensors tied by plain residual adds, pools and depthwise convolutions form a class: they must list their channels in
 * the same order. Each class has a permutation order[new] = old. A shortcut from class A into class B at offset c wants
 * B's channels c .. c+|A|-1 in A's order; any offset that is a multiple of lanes will do. */
#include "model/graph.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int root;   /* union-find parent; a class is named by its root */
    bool fixed; /* the class must keep its order (kept at the root) */
    bool used;  /* the order has been relied on: it must not change any more (at the root) */
    int *order; /* [C] or NULL = as it is (at the root) */
} tie;

static int find(tie *t, int i)
{
    while (t[i].root != i) i = t[i].root = t[t[i].root].root;
    return i;
}

static void unite(tie *t, int a, int b)
{
    a = find(t, a);
    b = find(t, b);
    if (a == b) return;
    int keep = a < b ? a : b, drop = a < b ? b : a;
    t[drop].root = keep;
    t[keep].fixed |= t[drop].fixed;
}

/* Every channel of the residual meets one of the output: a plain add. */
static bool plain_residual(const lt_graph *g, const lt_node *n)
{
    return n->res_c_off == 0 && g->nodes[n->res].shape.c == n->shape.c;
}

static bool is_shortcut(const lt_graph *g, const lt_node *n)
{
    return n->res >= 0 && !plain_residual(g, n);
}

static bool depthwise(const lt_graph *g, const lt_node *n)
{
    return n->op == NODE_CONV && n->groups == g->nodes[n->in].shape.c && n->groups == n->shape.c;
}

static void build_ties(const lt_graph *g, tie *t)
{
    for (int i = 0; i < g->n_nodes; i++) t[i].root = i;
    for (int i = 1; i < g->n_nodes; i++) {
        const lt_node *n = &g->nodes[i];
        if (n->op != NODE_CONV || depthwise(g, n))
            unite(t, i, n->in);
        else if (n->groups > 1)
            t[find(t, i)].fixed = t[find(t, n->in)].fixed = true;
        if (n->res >= 0 && plain_residual(g, n)) unite(t, i, n->res);
    }
    t[find(t, 0)].fixed = true;
    t[find(t, g->output)].fixed = true;
}

static int at(const int *order, int i)
{
    return order ? order[i] : i;
}

/* Can the class order b (size kb) serve a shortcut of class order a (size ka) at offset c in original numbers? */
static bool serves(const int *a, int ka, const int *b, int kb, int c, int lanes, int *offset)
{
    for (int o = 0; o + ka <= kb; o += lanes) {
        int j = 0;
        while (j < ka && at(b, o + j) == c + at(a, j)) j++;
        if (j == ka) {
            *offset = o;
            return true;
        }
    }
    return false;
}

/* An order for the class of node n in which the shortcut is contiguous at a multiple of lanes. */
static lt_code make_order(tie *class, const lt_node *n, const int *a, int ka, int lanes, int *offset, lt_err *err)
{
    int k = n->shape.c, c = n->res_c_off, fill = 0;
    int *order = malloc((size_t)k * sizeof *order);

    if (!order) return lt_fail(err, LT_EMEM, "%s: out of memory", n->name);
    *offset = c / lanes * lanes;
    for (int i = 0; i < k; i++) {
        if (i >= *offset && i < *offset + ka) {
            order[i] = c + at(a, i - *offset);
        } else {
            if (fill == c) fill += ka;
            order[i] = fill++;
        }
    }
    class->order = order;
    return LT_OK;
}

/* Replaces the shortcut of node i by an identity convolution in front of it. */
static lt_code insert_identity(lt_graph *g, int i, lt_err *err)
{
    lt_graph old = *g;
    lt_code rc = LT_OK;

    g->nodes = NULL;
    g->n_nodes = g->cap = 0;
    for (int j = 0; j < old.n_nodes && rc == LT_OK; j++) {
        lt_node m = old.nodes[j];
        if (j == i) {
            lt_node conv = lt_node_make(NODE_CONV, m.name, m.res);
            size_t used = strlen(conv.name), room = sizeof conv.name - 1 - used;
            strncat(conv.name, ".shortcut", room);
            int in_c = g->nodes[m.res].shape.c;
            conv.shape.c = m.shape.c;
            conv.stride_h = conv.stride_w = m.res_step;
            conv.weight = calloc((size_t)m.shape.c * (size_t)in_c, sizeof *conv.weight);
            if (!conv.weight) {
                rc = lt_fail(err, LT_EMEM, "%s: out of memory", m.name);
                break;
            }
            for (int c = 0; c < in_c; c++) conv.weight[(size_t)(m.res_c_off + c) * (size_t)in_c + (size_t)c] = 1.0f;
            rc = lt_graph_add(g, conv, &m.res, err);
            if (rc != LT_OK) break;
            m.res_step = 1;
            m.res_c_off = 0;
        } else if (m.res >= i) {
            m.res++;
        }
        if (m.in >= i) m.in++;
        old.nodes[j].weight = old.nodes[j].bias = NULL;
        rc = lt_graph_add(g, m, NULL, err);
    }
    lt_graph_free(&old);
    return rc;
}

static lt_code permute(lt_graph *g, int i, const int *out, const int *in, lt_err *err)
{
    lt_node *n = &g->nodes[i];
    int cg = g->nodes[n->in].shape.c / n->groups, k = n->shape.c;
    size_t taps = (size_t)n->r * (size_t)n->s, row = (size_t)cg * taps;

    if (n->op != NODE_CONV || (!out && !in)) return LT_OK;
    float *w = malloc((size_t)k * row * sizeof *w), *b = n->bias ? malloc((size_t)k * sizeof *b) : NULL;
    if (!w || (n->bias && !b)) {
        free(w);
        free(b);
        return lt_fail(err, LT_EMEM, "%s: out of memory", n->name);
    }
    for (int kk = 0; kk < k; kk++) {
        const float *from = n->weight + (size_t)at(out, kk) * row;
        for (int c = 0; c < cg; c++)
            memcpy(w + (size_t)kk * row + (size_t)c * taps, from + (size_t)(cg == 1 ? 0 : at(in, c)) * taps,
                   taps * sizeof *w);
        if (b) b[kk] = n->bias[at(out, kk)];
    }
    free(n->weight);
    free(n->bias);
    n->weight = w;
    n->bias = b;
    return LT_OK;
}

/* Decides the order of every class. *stuck = a node whose shortcut cannot be served, or -1. */
static lt_code decide(lt_graph *g, tie *t, int lanes, int *offset, int *stuck, lt_err *err)
{
    *stuck = -1;
    for (int i = 1; i < g->n_nodes; i++) {
        const lt_node *n = &g->nodes[i];
        if (!is_shortcut(g, n)) continue;
        tie *a = &t[find(t, n->res)], *b = &t[find(t, i)];
        int ka = g->nodes[n->res].shape.c;
        a->used = true;
        if (!serves(a->order, ka, b->order, n->shape.c, n->res_c_off, lanes, &offset[i])) {
            if (b->fixed || b->used || b->order || a == b) {
                *stuck = i;
                return LT_OK;
            }
            LT_TRY(make_order(b, n, a->order, ka, lanes, &offset[i], err));
        }
        b->used = true;
    }
    return LT_OK;
}

lt_code lt_graph_align(lt_graph *g, int lanes, lt_err *err)
{
    bool needed = false;
    for (int i = 1; i < g->n_nodes && lanes > 1; i++)
        needed |= is_shortcut(g, &g->nodes[i]) && g->nodes[i].res_c_off % lanes;
    if (!needed) return LT_OK;

    for (;;) {
        size_t n = (size_t)g->n_nodes;
        tie *t = calloc(n, sizeof *t);
        int *offset = calloc(n, sizeof *offset), stuck = -1;
        lt_code rc = t && offset ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", g->name);

        if (rc == LT_OK) {
            build_ties(g, t);
            rc = decide(g, t, lanes, offset, &stuck, err);
        }
        for (int i = 1; i < (int)n && rc == LT_OK && stuck < 0; i++) {
            if (is_shortcut(g, &g->nodes[i])) g->nodes[i].res_c_off = offset[i];
            rc = permute(g, i, t[find(t, i)].order, t[find(t, g->nodes[i].in)].order, err);
        }
        for (size_t i = 0; t && i < n; i++) free(t[i].order);
        free(t);
        free(offset);
        if (rc != LT_OK || stuck < 0) return rc;
        LT_TRY(insert_identity(g, stuck, err));
    }
}
