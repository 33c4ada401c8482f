/* The training graph of tune.h and its layers. */
#include "train/tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/tree.h"
#include "golden/golden.h"
#include "golden/mirror.h"
#include "train/lsq.h"
#include "train/tune_internal.h"

typedef struct {
    lt_tune *t;
    lt_err *err;
} maker;

static lt_code no_memory(lt_err *err)
{
    return lt_fail(err, LT_EMEM, "out of memory");
}

static lt_node named(lt_op op, const char *name, const char *part, int in)
{
    char full[QN_NAME];
    snprintf(full, sizeof full, "%.40s%.20s", name, part);
    return lt_node_make(op, full, in);
}

static float *constants(int n, float v)
{
    float *p = malloc((size_t)n * sizeof *p);
    for (int i = 0; p && i < n; i++) p[i] = v;
    return p;
}

static float *copied(const float *v, size_t n)
{
    float *p = malloc(n * sizeof *p);
    if (p) memcpy(p, v, n * sizeof *p);
    return p;
}

double lt_tune_first_gain(const qnet *n, const qlayer *l, int k)
{
    return (double)l->mult[k] * ldexp(n->tensors[l->out].scale, -l->shift);
}

/* The tables' place in the graph: a convolution, whose weights are read only where tables are products. */
static lt_code lookup(maker *m, int i, int *id)
{
    const lt_tune *t = m->t;
    const lt_node *old = &t->p->graph.nodes[i];
    lt_node n = *old;

    n.in = t->nodes[old->in].tail;
    n.res = -1;
    n.res_step = 1;
    n.res_c_off = 0;
    n.lo = -INFINITY;
    n.hi = INFINITY;
    n.bias = NULL;
    n.weight = copied(old->weight, lt_node_weights(&t->p->graph, old));
    if (!n.weight) return no_memory(m->err);
    return lt_graph_add(&m->t->graph, n, id, m->err);
}

/* Weights that the integer network has. */
static void integer_weights(const lt_tune *t, int i, float *w)
{
    const qlayer *l = &t->net.layers[i - 1];
    size_t row = lt_node_weights(&t->p->graph, &t->p->graph.nodes[i]) / (size_t)l->k;
    for (int k = 0; k < l->k; k++) {
        float step = (float)(lt_tune_first_gain(&t->net, l, k) / t->net.tensors[l->in].scale);
        for (size_t j = 0; j < row; j++) w[(size_t)k * row + j] = step * (float)l->w[(size_t)k * row + j];
    }
}

static lt_code dense(maker *m, int i, bool bias, int *id)
{
    const lt_tune *t = m->t;
    const lt_node *old = &t->p->graph.nodes[i];
    lt_node n = *old;

    n.in = t->nodes[old->in].tail;
    n.res = -1;
    n.res_step = 1;
    n.res_c_off = 0;
    n.lo = -INFINITY;
    n.hi = INFINITY;
    n.weight = copied(old->weight, lt_node_weights(&t->p->graph, old));
    if (t->o.continued && n.weight) integer_weights(t, i, n.weight);
    n.bias = !bias ? NULL : old->bias ? copied(old->bias, (size_t)n.shape.c) : constants(n.shape.c, 0);
    for (int k = 0; n.bias && t->o.continued && k < n.shape.c; k++)
        n.bias[k] = (float)(t->net.layers[i - 1].bias[k] * lt_tune_first_gain(&t->net, &t->net.layers[i - 1], k));
    if (!n.weight || (bias && !n.bias)) {
        free(n.weight);
        free(n.bias);
        return no_memory(m->err);
    }
    return lt_graph_add(&m->t->graph, n, id, m->err);
}

bool lt_tune_products(const lt_tune *t, int i)
{
    return t->o.products && i > 0 && t->net.layers[i - 1].encoder >= 0;
}

/* Of 8 bits. */
static void weight_steps(const lt_graph *g, const lt_node *n, float *s)
{
    size_t row = lt_node_weights(g, n) / (size_t)n->shape.c;
    for (int k = 0; k < n->shape.c; k++) {
        float most = 1e-6f;
        for (size_t i = 0; i < row; i++) most = fmaxf(most, fabsf(n->weight[(size_t)k * row + i]));
        s[k] = most / 127;
    }
}

/* First steps: those of the integer network as it is. */
static lt_code first_steps(maker *m, int i)
{
    const qnet *n = &m->t->net;
    const qlayer *l = &n->layers[i - 1];
    float *s = m->t->nodes[i].steps = malloc((size_t)l->k * sizeof *s);

    if (!s) return no_memory(m->err);
    if (lt_tune_products(m->t, i)) {
        weight_steps(&m->t->p->graph, &m->t->p->graph.nodes[i], s);
        return LT_OK;
    }
    for (int k = 0; k < l->k; k++)
        s[k] = (float)(lt_tune_first_gain(n, l, k) / (l->encoder >= 0 ? 1 : n->tensors[l->in].scale));
    return LT_OK;
}

/* What the centres of a mirrored tree (grid.h) add to output k of a picture's middle. */
static double centre_bias(const lt_tune *t, int i, int k)
{
    const lt_node *n = &t->p->graph.nodes[i];
    const qlayer *l = &t->net.layers[i - 1];
    const qtensor *in = &t->net.tensors[l->in];
    const qencoder *e = &t->net.encoders[l->encoder];
    int taps = l->r * l->s;
    double sum = 0;

    for (int c = 0; c < in->c; c++) {
        const int16_t *thresh = e->thresh + (size_t)(c / e->length) * (size_t)(e->prototypes - 1);
        int j = c % e->length, middle = 1 << (qenc_element_bits(e->prototypes, e->length, j) - 1);
        double centre = thresh[lt_tree_mirrored_node(e->prototypes, e->length, j, middle)] * (1 << (8 - e->enc_bits));
        for (int tap = 0; tap < taps; tap++)
            sum += centre * in->scale * (double)n->weight[(k * in->c + c) * taps + tap];
    }
    return sum;
}

static lt_code convolution(maker *m, int i, int *id)
{
    lt_tune *t = m->t;
    const lt_node *old = &t->p->graph.nodes[i];
    const qlayer *l = &t->net.layers[i - 1];
    bool last = i == t->p->graph.output;

    LT_TRY(first_steps(m, i));
    if (l->encoder >= 0)
        LT_TRY(lookup(m, i, id));
    else
        LT_TRY(dense(m, i, last, id));
    t->nodes[i].linear = *id;
    if (last && l->encoder < 0) return LT_OK;
    lt_node n = named(NODE_BN, old->name, ".bn", *id);
    n.weight = constants(l->k, 1);
    n.bias = constants(l->k, 0);
    if (!n.weight || !n.bias) {
        free(n.weight);
        free(n.bias);
        return no_memory(m->err);
    }
    for (int k = 0; k < l->k; k++)
        n.bias[k] = t->o.continued || (l->encoder >= 0 && !t->o.products)
                        ? (float)(l->bias[k] * lt_tune_first_gain(&t->net, l, k))
                    : old->bias ? old->bias[k]
                                : 0;
    for (int k = 0; k < l->k && t->o.mirror && lt_tune_products(t, i); k++) n.bias[k] += (float)centre_bias(t, i, k);
    LT_TRY(lt_graph_add(&t->graph, n, id, m->err));
    t->nodes[i].bn = *id;
    return LT_OK;
}

static lt_code add_node(maker *m, int i)
{
    lt_tune *t = m->t;
    const lt_node *old = &t->p->graph.nodes[i];
    lt_tune_node *v = &t->nodes[i];
    bool last = i == t->p->graph.output;
    int id;

    *v = (lt_tune_node){.linear = -1, .bn = -1};
    if (old->op == NODE_CONV) {
        LT_TRY(convolution(m, i, &id));
    } else {
        lt_node n = *old;
        if (n.in >= 0) n.in = t->nodes[n.in].tail;
        n.res = -1;
        n.lo = -INFINITY;
        n.hi = INFINITY;
        if (n.op == NODE_ADD) /* made below */
            id = n.in;
        else
            LT_TRY(lt_graph_add(&t->graph, n, &id, m->err));
    }
    if (old->res >= 0) {
        lt_node n = named(NODE_ADD, old->name, ".add", id);
        n.res = t->nodes[old->res].tail;
        n.res_step = old->res_step;
        n.res_c_off = old->res_c_off;
        LT_TRY(lt_graph_add(&t->graph, n, &id, m->err));
    }
    /* a clip ends every chain, so that the tensor to quantise is not fused into another layer's */
    if (old->op == NODE_CONV || old->op == NODE_ADD || old->lo > -INFINITY || old->hi < INFINITY) {
        bool free_end = last && old->res < 0 && old->lo == -INFINITY && old->hi == INFINITY;
        if (!free_end || v->bn >= 0) {
            lt_node n = named(NODE_CLIP, old->name, ".clip", id);
            n.lo = old->lo;
            n.hi = old->hi;
            LT_TRY(lt_graph_add(&t->graph, n, &id, m->err));
        }
    }
    v->tail = id;
    return LT_OK;
}

/* Published low-bit networks keep 8 bits for the first and the last layer, inputs included. */
static void widen_last_input(lt_tune *t, int usual)
{
    const qlayer *last = &t->net.layers[t->net.n_layers - 1];
    qtensor *in = &t->net.tensors[last->in];
    int bits = t->o.edge_bits;

    if (!bits || last->op != QOP_CONV || last->in == 0 || in->bits != usual || in->bits >= bits) return;
    for (int i = 0; i < t->net.n_layers; i++) /* a pool that hands its numbers on has to keep them */
        if ((t->net.layers[i].in == last->in || t->net.layers[i].out == last->in) && t->net.layers[i].op == QOP_MAXPOOL)
            return;
    in->bits = bits;
    in->scale = lt_calib_scale(&t->p->calib.t[last->in], LT_CALIB_MSE, 100, bits, in->is_signed);
}

lt_code lt_tune_open(lt_tune *t, const lt_prep *p, const lt_tune_options *o, lt_err *err)
{
    size_t n = (size_t)p->graph.n_nodes, e = (size_t)p->net.n_encoders + 1;
    maker m = {t, err};
    lt_code rc = LT_OK;

    *t = (lt_tune){.p = p, .o = *o, .net = p->net, .n = p->graph.n_nodes};
    snprintf(t->graph.name, sizeof t->graph.name, "%s", p->graph.name);
    t->graph.pre = p->graph.pre;
    t->net.tensors = malloc(n * sizeof *t->net.tensors);
    t->nodes = calloc(n, sizeof *t->nodes);
    t->place = calloc(n, sizeof *t->place);
    t->encoders = calloc(e, sizeof *t->encoders);
    t->grids = calloc(e, sizeof *t->grids);
    if (!t->net.tensors || !t->nodes || !t->place || !t->encoders || !t->grids) rc = no_memory(err);
    for (int i = 0; rc == LT_OK && i < t->n; i++) t->place[i] = (lt_tune_place){t, i};
    if (rc == LT_OK) memcpy(t->net.tensors, p->net.tensors, n * sizeof *t->net.tensors);
    for (int i = 0; rc == LT_OK && i < t->n; i++) rc = add_node(&m, i);
    if (rc == LT_OK) t->graph.output = t->nodes[t->n - 1].tail;
    if (rc == LT_OK) widen_last_input(t, p->net.n_layers > 1 ? p->net.tensors[1].bits : 8);
    if (rc != LT_OK) lt_tune_free(t);
    return rc;
}

void lt_tune_free(lt_tune *t)
{
    for (int i = 0; t->nodes && i < t->n; i++) free(t->nodes[i].steps);
    free(t->net.tensors);
    free(t->nodes);
    free(t->place);
    free(t->encoders);
    free(t->grids);
    lt_graph_free(&t->graph);
    *t = (lt_tune){0};
}
