/* Imported form -> lowered form, see graph.h. The new graph is built node by node; a tensor of the old graph maps to an
 * alias: a node of the new graph, possibly seen through an option-A shortcut or a flatten that was not made a node. */
#include "model/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int id;             /* node of the new graph */
    int step, c_off, c; /* shortcut on top of it: subsampling, channel offset, channels; c = 0: none */
    bool flat;          /* seen as [C*H*W][1][1] */
    bool shared;        /* the same node is also seen through another tensor: it may not be rewritten */
} alias;

typedef struct {
    lt_graph *old, g;
    alias *at; /* [old->n_nodes] */
    int *uses; /* [old->n_nodes]: readers, the output counting as one */
    lt_err *err;
} lowering;

static lt_node *node_of(lowering *l, int old_id)
{
    return &l->g.nodes[l->at[old_id].id];
}

static lt_code add(lowering *l, lt_node n, int *id)
{
    return lt_graph_add(&l->g, n, id, l->err);
}

static float *zeros(size_t n)
{
    return calloc(n ? n : 1, sizeof(float));
}

static lt_code no_memory(lowering *l, const lt_node *n)
{
    return lt_fail(l->err, LT_EMEM, "%s: out of memory", n->name);
}

/* Makes a shortcut alias a real node: a 1x1 convolution with an identity matrix and the shortcut's stride. */
static lt_code materialise(lowering *l, int old_id)
{
    alias *a = &l->at[old_id];
    if (!a->c) return LT_OK;
    lt_node n = lt_node_make(NODE_CONV, l->old->nodes[old_id].name, a->id);
    int in_c = l->g.nodes[a->id].shape.c;
    n.shape.c = a->c;
    n.stride_h = n.stride_w = a->step;
    n.weight = zeros((size_t)a->c * (size_t)in_c);
    if (!n.weight) return no_memory(l, &n);
    for (int c = 0; c < in_c; c++) n.weight[(size_t)(a->c_off + c) * (size_t)in_c + (size_t)c] = 1.0f;
    LT_TRY(add(l, n, &a->id));
    a->step = 1;
    a->c_off = a->c = 0;
    return LT_OK;
}

/* Kinds that work on [C][H][W] cannot read a flattened map of more than one pixel. */
static lt_code plain(lowering *l, int old_id, const lt_node *reader)
{
    const alias *a = &l->at[old_id];
    lt_shape s = l->g.nodes[a->id].shape;
    if (a->flat && (s.h > 1 || s.w > 1))
        return lt_fail(l->err, LT_EINPUT, "%s: reads a flattened %dx%dx%d tensor; only a fully connected layer may",
                       reader->name, s.c, s.h, s.w);
    return materialise(l, old_id);
}

static bool has_clip(const lt_node *n)
{
    return n->lo != -INFINITY || n->hi != INFINITY;
}

/* The value of old_id is read by its one reader only, and nothing was done to it after the linear part. */
static bool open_to_fusion(lowering *l, int old_id)
{
    const lt_node *p = node_of(l, old_id);
    return l->uses[old_id] == 1 && !l->at[old_id].shared && !l->at[old_id].c && p->op == NODE_CONV && p->res < 0 &&
           !has_clip(p);
}

static lt_code lower_bn(lowering *l, int i, lt_node *n)
{
    LT_TRY(plain(l, n->in, n));
    if (!open_to_fusion(l, n->in)) {
        lt_node conv = lt_node_make(NODE_CONV, n->name, l->at[n->in].id);
        conv.shape.c = conv.groups = n->shape.c;
        conv.weight = n->weight;
        conv.bias = n->bias;
        n->weight = n->bias = NULL;
        return add(l, conv, &l->at[i].id);
    }
    lt_node *p = node_of(l, n->in);
    size_t per = lt_node_weights(&l->g, p) / (size_t)p->shape.c;
    if (!p->bias) p->bias = zeros((size_t)p->shape.c);
    if (!p->bias) return no_memory(l, n);
    for (int k = 0; k < p->shape.c; k++) {
        for (size_t j = 0; j < per; j++) p->weight[(size_t)k * per + j] *= n->weight[k];
        p->bias[k] = p->bias[k] * n->weight[k] + n->bias[k];
    }
    l->at[i] = l->at[n->in];
    return LT_OK;
}

static lt_code lower_gemm(lowering *l, int i, lt_node *n)
{
    LT_TRY(materialise(l, n->in));
    lt_shape in = node_of(l, n->in)->shape;
    lt_node conv = lt_node_make(NODE_CONV, n->name, l->at[n->in].id);
    conv.shape.c = n->shape.c;
    conv.r = in.h;
    conv.s = in.w;
    conv.weight = n->weight;
    conv.bias = n->bias;
    n->weight = n->bias = NULL;
    return add(l, conv, &l->at[i].id);
}

static lt_code lower_clip(lowering *l, int i, lt_node *n)
{
    LT_TRY(materialise(l, n->in));
    lt_node *p = node_of(l, n->in);
    l->at[i] = l->at[n->in];
    if (l->uses[n->in] == 1 && !l->at[n->in].shared && p->op != NODE_INPUT) {
        p->lo = fminf(fmaxf(p->lo, n->lo), n->hi);
        p->hi = fminf(fmaxf(p->hi, n->lo), n->hi);
        return LT_OK;
    }
    /* the unclipped value has other readers: copy it through a 1x1 pool, which carries the clip */
    lt_node copy = lt_node_make(NODE_MAXPOOL, n->name, l->at[n->in].id);
    copy.lo = n->lo;
    copy.hi = n->hi;
    return add(l, copy, &l->at[i].id);
}

/* Moves node id of the new graph to the end. Only its (future) reader may depend on it. */
static void move_to_end(lowering *l, int id)
{
    lt_graph *g = &l->g;
    int last = g->n_nodes - 1;
    lt_node moved = g->nodes[id];

    memmove(&g->nodes[id], &g->nodes[id + 1], (size_t)(last - id) * sizeof moved);
    g->nodes[last] = moved;
    for (int i = id; i < last; i++) {
        if (g->nodes[i].in > id) g->nodes[i].in--;
        if (g->nodes[i].res > id) g->nodes[i].res--;
    }
    for (int i = 0; i < l->old->n_nodes; i++) {
        if (l->at[i].id == id)
            l->at[i].id = last;
        else if (l->at[i].id > id)
            l->at[i].id--;
    }
}

/* Takes the sum into the convolution behind old tensor a, with old tensor b as its residual. */
static bool fuse_add(lowering *l, int a, int b)
{
    if (!open_to_fusion(l, a) || l->at[a].id == l->at[b].id) return false;
    if (l->at[a].id < l->at[b].id) {
        /* it must be the last writer; nothing but this sum reads it, so it may wait */
        move_to_end(l, l->at[a].id);
    }
    lt_node *p = node_of(l, a);
    p->res = l->at[b].id;
    if (l->at[b].c) {
        p->res_step = l->at[b].step;
        p->res_c_off = l->at[b].c_off;
    }
    return true;
}

static lt_code lower_add(lowering *l, int i, lt_node *n)
{
    int a = n->in, b = n->res;
    LT_TRY(l->at[a].c ? LT_OK : plain(l, a, n));
    LT_TRY(l->at[b].c ? LT_OK : plain(l, b, n));
    if (l->at[a].c && l->at[b].c) LT_TRY(materialise(l, a));
    /* the operand computed later is the natural one to carry the sum */
    if (l->at[a].c || (!l->at[b].c && l->at[b].id > l->at[a].id)) {
        a = n->res;
        b = n->in;
    }
    for (int turn = 0; turn < 2; turn++) {
        if (fuse_add(l, a, b)) {
            l->at[i] = (alias){.id = l->at[a].id, .step = 1};
            return LT_OK;
        }
        if (l->at[b].c) break;
        int t = a;
        a = b;
        b = t;
    }
    lt_node sum = lt_node_make(NODE_ADD, n->name, l->at[a].id);
    sum.res = l->at[b].id;
    if (l->at[b].c) {
        sum.res_step = l->at[b].step;
        sum.res_c_off = l->at[b].c_off;
    }
    return add(l, sum, &l->at[i].id);
}

static lt_code lower_node(lowering *l, int i)
{
    lt_node *n = &l->old->nodes[i];
    alias *a = &l->at[i];

    *a = (alias){.step = 1};
    switch (n->op) {
    case NODE_BN:
        return lower_bn(l, i, n);
    case NODE_GEMM:
        return lower_gemm(l, i, n);
    case NODE_CLIP:
        return lower_clip(l, i, n);
    case NODE_ADD:
        if (n->res_step == 1 && n->res_c_off == 0 && l->old->nodes[n->res].shape.c == n->shape.c && !has_clip(n))
            return lower_add(l, i, n);
        break; /* already carries attributes: as it is */
    case NODE_FLATTEN:
        LT_TRY(materialise(l, n->in));
        *a = l->at[n->in];
        a->flat = true;
        a->shared |= l->uses[n->in] > 1;
        return LT_OK;
    case NODE_SHORTCUT:
        if (l->at[n->in].flat) LT_TRY(plain(l, n->in, n));
        *a = l->at[n->in];
        a->flat = false;
        a->step *= n->res_step;
        a->c_off += n->res_c_off;
        a->c = n->shape.c;
        a->shared |= l->uses[n->in] > 1;
        if (a->step > LT_MAX_SIDE) return lt_fail(l->err, LT_EINPUT, "%s: subsampling by %d", n->name, a->step);
        return LT_OK;
    default:
        break;
    }
    lt_node m = *n;
    if (n->in >= 0) {
        LT_TRY(plain(l, n->in, n));
        m.in = l->at[n->in].id;
    }
    if (n->res >= 0) {
        LT_TRY(plain(l, n->res, n));
        m.res = l->at[n->res].id;
    }
    n->weight = n->bias = NULL;
    return add(l, m, &a->id);
}

/* Drops nodes the output does not depend on; node 0 stays. */
static void drop_dead(lt_graph *g)
{
    int *number = calloc((size_t)g->n_nodes, sizeof *number);
    if (!number) return; /* dead nodes cost time, not correctness */
    number[0] = number[g->output] = 1;
    for (int i = g->output; i > 0; i--) {
        if (!number[i]) continue;
        number[g->nodes[i].in] = 1;
        if (g->nodes[i].res >= 0) number[g->nodes[i].res] = 1;
    }
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        if (!number[i]) {
            free(g->nodes[i].weight);
            free(g->nodes[i].bias);
            continue;
        }
        lt_node m = g->nodes[i];
        if (m.in >= 0) m.in = number[m.in];
        if (m.res >= 0) m.res = number[m.res];
        g->nodes[n] = m;
        number[i] = n++;
    }
    g->n_nodes = n;
    g->output = n - 1;
    free(number);
}

static lt_code run(lowering *l)
{
    lt_graph *old = l->old;

    for (int i = 0; i < old->n_nodes; i++) {
        if (old->nodes[i].in >= 0) l->uses[old->nodes[i].in]++;
        if (old->nodes[i].res >= 0) l->uses[old->nodes[i].res]++;
    }
    l->uses[old->output]++;
    for (int i = 0; i < old->n_nodes; i++) LT_TRY(lower_node(l, i));
    LT_TRY(materialise(l, old->output));
    l->g.output = l->at[old->output].id;
    if (l->g.nodes[l->g.output].op == NODE_INPUT)
        return lt_fail(l->err, LT_EINPUT, "%s: the network computes nothing", old->name);
    drop_dead(&l->g);
    return lt_graph_check(&l->g, l->err);
}

lt_code lt_graph_lower(lt_graph *g, lt_err *err)
{
    size_t n = (size_t)g->n_nodes;
    lowering l = {.old = g, .at = calloc(n + 1, sizeof(alias)), .uses = calloc(n + 1, sizeof(int)), .err = err};
    lt_code rc = LT_EMEM;

    memcpy(l.g.name, g->name, sizeof g->name);
    l.g.pre = g->pre;
    if (n == 0)
        rc = lt_fail(err, LT_EINPUT, "%s: empty network", g->name);
    else if (l.at && l.uses)
        rc = run(&l);
    else
        lt_fail(err, LT_EMEM, "%s: out of memory", g->name);
    free(l.at);
    free(l.uses);
    if (rc != LT_OK) {
        lt_graph_free(&l.g);
        return rc;
    }
    lt_graph_free(g);
    *g = l.g;
    return LT_OK;
}
