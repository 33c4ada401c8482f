/* Graph -> layers. A batch norm whose only reader is an add or a clip waits for it, and so does that add for a clip, so
 * that the three become one layer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/net_internal.h"

typedef struct {
    lt_net *net;
    const lt_graph *g;
    int *uses;     /* readers, the output counting as one */
    int *reader;   /* the last of them */
    bool *waiting; /* its layer is not made yet */
    lt_err *err;
} build;

static bool clips(const lt_node *n)
{
    return n->lo != -INFINITY || n->hi != INFINITY;
}

static lt_tensor *new_tensor(build *b, lt_shape s)
{
    lt_net *net = b->net;
    lt_tensor *t = calloc(1, sizeof *t);

    if (!t) return NULL;
    t->s = s;
    t->size = lt_shape_size(s);
    t->v = lt_aligned((size_t)net->env.batch * t->size * sizeof(float));
    net->tensors[net->n_tensors++] = t;
    return t->v ? t : NULL;
}

static lt_code no_memory(build *b, const char *name)
{
    return lt_fail(b->err, LT_EMEM, "%s: out of memory for a minibatch of %d images", name, b->net->env.batch);
}

/* Takes a finished layer; its output is a new tensor of shape s. */
static lt_code place(build *b, lt_layer *l, lt_tensor *in, lt_tensor *res, lt_shape s, lt_tensor **out)
{
    lt_net *net = b->net;

    net->layers[net->n_layers++] = l;
    l->in = in;
    l->res = res;
    *out = l->out = new_tensor(b, s);
    return *out ? LT_OK : no_memory(b, l->name);
}

static lt_code place_join(build *b, const char *name, lt_tensor *in, lt_tensor *res, float lo, float hi,
                          lt_tensor **out)
{
    lt_layer *l;
    LT_TRY(lt_layer_join(name, &b->net->env, lo, hi, &l, b->err));
    return place(b, l, in, res, in->s, out);
}

static lt_code tensor_of(build *b, int node, lt_tensor **t);

/* The second operand as the add needs it. */
static lt_code residual(build *b, const lt_node *n, lt_tensor **t)
{
    lt_layer *l;
    LT_TRY(tensor_of(b, n->res, t));
    if (n->res_step == 1 && n->res_c_off == 0 && (*t)->s.c == n->shape.c) return LT_OK;
    LT_TRY(lt_layer_shortcut(n->name, n->res_step, n->res_c_off, &b->net->env, &l, b->err));
    return place(b, l, *t, NULL, n->shape, t);
}

/* Makes the layer of a waiting node, ending in a clip. */
static lt_code release(build *b, int node, float lo, float hi, lt_tensor **out)
{
    const lt_node *n = &b->g->nodes[node], *bn = n;
    lt_tensor *in, *res = NULL;
    lt_layer *l;
    int bn_node = node;

    b->waiting[node] = false;
    if (n->op == NODE_ADD) {
        bool plain = n->res_step == 1 && n->res_c_off == 0 && b->g->nodes[n->res].shape.c == n->shape.c;
        int other = -1;
        if (b->waiting[n->in] && b->g->nodes[n->in].op == NODE_BN) {
            bn_node = n->in;
            LT_TRY(residual(b, n, &res));
        } else if (plain && b->waiting[n->res] && b->g->nodes[n->res].op == NODE_BN) {
            bn_node = n->res;
            other = n->in;
        } else {
            LT_TRY(tensor_of(b, n->in, &in));
            LT_TRY(residual(b, n, &res));
            return place_join(b, n->name, in, res, lo, hi, out);
        }
        if (other >= 0) LT_TRY(tensor_of(b, other, &res));
        b->waiting[bn_node] = false;
        bn = &b->g->nodes[bn_node];
    }
    LT_TRY(tensor_of(b, bn->in, &in));
    LT_TRY(lt_layer_bn(b->g, bn_node, &b->net->env, lo, hi, &l, b->err));
    return place(b, l, in, res, n->shape, out);
}

static lt_code tensor_of(build *b, int node, lt_tensor **t)
{
    if (b->waiting[node]) LT_TRY(release(b, node, -INFINITY, INFINITY, &b->net->at[node]));
    *t = b->net->at[node];
    return *t ? LT_OK : lt_fail(b->err, LT_EINTERNAL, "%s: no tensor", b->g->nodes[node].name);
}

/* One reader that takes this node in: an add behind a batch norm, a clip behind either. */
static bool can_wait(const build *b, int node)
{
    const lt_node *n = &b->g->nodes[node];
    if (b->uses[node] != 1 || node == b->g->output || clips(n) || (n->op == NODE_BN && n->res >= 0)) return false;
    const lt_node *r = &b->g->nodes[b->reader[node]];
    if (r->op == NODE_CLIP) return r->res < 0;
    return n->op == NODE_BN && r->op == NODE_ADD;
}

static lt_code linear(build *b, int i, lt_tensor **out)
{
    const lt_node *n = &b->g->nodes[i];
    int from = n->in;
    lt_tensor *in;
    lt_layer *l = NULL;

    while (n->op == NODE_GEMM && b->g->nodes[from].op == NODE_FLATTEN) from = b->g->nodes[from].in;
    LT_TRY(tensor_of(b, from, &in));
    const lt_net_parts *parts = &b->net->o.parts;
    if (parts->instead) LT_TRY(parts->instead(parts->ctx, b->g, i, in->s, &b->net->env, &l, b->err));
    if (!l) LT_TRY(lt_layer_conv(b->g, i, in->s, &b->net->env, from != 0, &l, b->err));
    return place(b, l, in, NULL, n->shape, out);
}

/* A fully connected layer reads the map itself; only others need the values in order. */
static lt_code flatten(build *b, int i, lt_tensor **out)
{
    const lt_node *n = &b->g->nodes[i];
    bool order = i == b->g->output;
    lt_tensor *in;
    lt_layer *l;

    for (int k = i + 1; k < b->g->n_nodes; k++)
        order |= (b->g->nodes[k].in == i && b->g->nodes[k].op != NODE_GEMM) || b->g->nodes[k].res == i;
    LT_TRY(tensor_of(b, n->in, &in));
    *out = in;
    if (!order || (in->s.h == 1 && in->s.w == 1)) return LT_OK;
    LT_TRY(lt_layer_flatten(n->name, &b->net->env, &l, b->err));
    return place(b, l, in, NULL, n->shape, out);
}

static lt_code node(build *b, int i)
{
    const lt_node *n = &b->g->nodes[i];
    lt_net *net = b->net;
    lt_tensor *in, *out = NULL, *res = NULL;
    lt_layer *l;
    bool joined = false; /* residual and clip of the node are in its layer */

    switch (n->op) {
    case NODE_INPUT:
        net->at[i] = new_tensor(b, n->shape);
        return net->at[i] ? LT_OK : no_memory(b, n->name);
    case NODE_BN:
    case NODE_ADD:
        if (can_wait(b, i)) {
            b->waiting[i] = true;
            return LT_OK;
        }
        joined = n->op == NODE_ADD;
        LT_TRY(release(b, i, joined ? n->lo : -INFINITY, joined ? n->hi : INFINITY, &out));
        break;
    case NODE_CLIP:
        joined = n->res < 0;
        if (joined && b->waiting[n->in]) {
            LT_TRY(release(b, n->in, n->lo, n->hi, &out));
        } else if (joined) {
            LT_TRY(tensor_of(b, n->in, &in));
            LT_TRY(place_join(b, n->name, in, NULL, n->lo, n->hi, &out));
        } else {
            LT_TRY(tensor_of(b, n->in, &out));
        }
        break;
    case NODE_CONV:
    case NODE_GEMM:
        LT_TRY(linear(b, i, &out));
        break;
    case NODE_FLATTEN:
        LT_TRY(flatten(b, i, &out));
        break;
    case NODE_SHORTCUT:
        LT_TRY(tensor_of(b, n->in, &in));
        LT_TRY(lt_layer_shortcut(n->name, n->res_step, n->res_c_off, &net->env, &l, b->err));
        LT_TRY(place(b, l, in, NULL, n->shape, &out));
        break;
    case NODE_MAXPOOL:
    case NODE_AVGPOOL:
        LT_TRY(tensor_of(b, n->in, &in));
        LT_TRY(lt_layer_pool(b->g, i, &net->env, &l, b->err));
        LT_TRY(place(b, l, in, NULL, n->shape, &out));
        break;
    }
    if (!joined && (n->res >= 0 || clips(n)) && n->op != NODE_SHORTCUT) {
        if (n->res >= 0) LT_TRY(residual(b, n, &res));
        LT_TRY(place_join(b, n->name, out, res, n->lo, n->hi, &out));
    }
    net->at[i] = out;
    return LT_OK;
}

static lt_code behind(build *b, int i)
{
    const lt_net_parts *parts = &b->net->o.parts;
    lt_tensor *t = b->net->at[i];
    lt_layer *l = NULL;

    if (!parts->behind || b->waiting[i]) return LT_OK;
    LT_TRY(parts->behind(parts->ctx, b->g, i, &b->net->env, &l, b->err));
    return l ? place(b, l, t, NULL, t->s, &b->net->at[i]) : LT_OK;
}

static void count_uses(build *b, bool *needed)
{
    const lt_graph *g = b->g;
    needed[0] = needed[g->output] = true;
    b->uses[g->output]++;
    for (int i = g->output; i > 0; i--) {
        const lt_node *n = &g->nodes[i];
        if (!needed[i]) continue;
        needed[n->in] = true;
        b->uses[n->in]++;
        if (b->reader[n->in] < i) b->reader[n->in] = i;
        if (n->res < 0) continue;
        needed[n->res] = true;
        b->uses[n->res]++;
        if (b->reader[n->res] < i) b->reader[n->res] = i;
    }
}

lt_code lt_net_build(lt_net *net, lt_err *err)
{
    size_t n = (size_t)net->g.n_nodes;
    build b = {net, &net->g, calloc(n, sizeof(int)), calloc(n, sizeof(int)), calloc(n, sizeof(bool)), err};
    bool *needed = calloc(n, sizeof(bool));
    lt_code rc = LT_OK;

    /* a node makes at most its own layer, a shortcut, a join and one behind it */
    net->layers = calloc(4 * n, sizeof(lt_layer *));
    net->tensors = calloc(4 * n, sizeof(lt_tensor *));
    net->at = calloc(n, sizeof(lt_tensor *));
    if (!b.uses || !b.reader || !b.waiting || !needed || !net->layers || !net->tensors || !net->at)
        rc = lt_fail(err, LT_EMEM, "%s: out of memory", net->g.name);
    if (rc == LT_OK) count_uses(&b, needed);
    for (int i = 0; i < net->g.n_nodes && rc == LT_OK; i++)
        if (needed[i] && (rc = node(&b, i)) == LT_OK) rc = behind(&b, i);
    if (rc == LT_OK && net->n_layers == 0)
        rc = lt_fail(err, LT_EINPUT, "%s: the network computes nothing", net->g.name);
    free(b.uses);
    free(b.reader);
    free(b.waiting);
    free(needed);
    return rc;
}
