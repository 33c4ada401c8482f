/* Gradients live from the backward step of their first writer to that of the layer that made the tensor; their memory
 * is shared. A buffer gives every image the same room whatever tensor is in it (lt_tensor.pitch), so that a chunk that
 * is ahead of another does not write over it. */
#include <stdlib.h>
#include <string.h>

#include "train/net_internal.h"

typedef struct {
    size_t pitch;
    bool busy;
} buffer;

typedef struct {
    lt_net *net;
    buffer *b; /* [n_buffers] */
    int *home; /* [n_tensors]: the tensor's buffer, -1 none yet */
    bool *wanted;
} plan;

static int index_of(const lt_net *net, const lt_tensor *t)
{
    int i = 0;
    while (net->tensors[i] != t) i++;
    return i;
}

/* The smallest free buffer that is large enough, else a new one. */
static int take(plan *p, size_t size)
{
    int best = -1;
    for (int i = 0; i < p->net->n_buffers; i++)
        if (!p->b[i].busy && p->b[i].pitch >= size && (best < 0 || p->b[i].pitch < p->b[best].pitch)) best = i;
    if (best < 0) {
        best = p->net->n_buffers++;
        p->b[best].pitch = size;
    }
    p->b[best].busy = true;
    return best;
}

/* t gets a gradient buffer unless it has one; returns whether it had. */
static bool target(plan *p, const lt_tensor *t, int offered, bool *took)
{
    int i = index_of(p->net, t);
    if (took) *took = false;
    if (!p->wanted[i]) return false;
    if (p->home[i] >= 0) return true;
    if (offered >= 0 && p->b[offered].pitch >= t->size) {
        p->home[i] = offered;
        if (took) *took = true;
    } else {
        p->home[i] = take(p, t->size);
    }
    return false;
}

static bool trained(const lt_layer *l)
{
    for (int i = 0; i < l->n_params; i++)
        if (l->params[i].grad) return true;
    return false;
}

static void run(plan *p)
{
    lt_net *net = p->net;

    for (int i = net->from; i <= net->to; i++) {
        const lt_layer *l = net->layers[i];
        bool any = trained(l) || p->wanted[index_of(net, l->in)];
        if (l->res) any |= p->wanted[index_of(net, l->res)];
        p->wanted[index_of(net, l->out)] |= any;
    }
    for (int i = net->to; i >= net->from; i--) {
        lt_layer *l = net->layers[i];
        int out = index_of(net, l->out), home;
        bool took = false;
        if (!p->wanted[out]) continue;
        /* a tensor that is written but never read, or the result, which the loss writes */
        if (p->home[out] < 0) p->home[out] = take(p, l->out->size);
        home = p->home[out];
        /* in the order in which the layer writes them: it matters when both are the same tensor */
        if (l->res && l->ops->res_first) l->add_res = target(p, l->res, -1, NULL);
        l->add_in = target(p, l->in, l->ops->in_place ? home : -1, &took);
        if (l->res && !l->ops->res_first) l->add_res = target(p, l->res, -1, NULL);
        p->b[home].busy = took;
    }
}

lt_code lt_net_plan(lt_net *net, lt_err *err)
{
    size_t n = (size_t)net->n_tensors;
    plan p = {net, calloc(n, sizeof(buffer)), calloc(n, sizeof(int)), calloc(n, sizeof(bool))};
    lt_code rc = LT_OK;

    for (int i = 0; i < net->n_buffers; i++) free(net->buffers[i]);
    free(net->buffers);
    net->n_buffers = 0;
    for (size_t i = 0; i < n; i++) net->tensors[i]->g = NULL;
    net->buffers = calloc(n, sizeof(float *));
    if (!p.b || !p.home || !p.wanted || !net->buffers) rc = lt_fail(err, LT_EMEM, "%s: out of memory", net->g.name);
    for (size_t i = 0; i < n && rc == LT_OK; i++) p.home[i] = -1;
    if (rc == LT_OK) run(&p);
    for (int i = 0; i < net->n_buffers && rc == LT_OK; i++) {
        net->buffers[i] = lt_aligned((size_t)net->env.batch * p.b[i].pitch * sizeof(float));
        if (!net->buffers[i])
            rc = lt_fail(err, LT_EMEM, "%s: out of memory for the gradients of %d images", net->g.name, net->env.batch);
    }
    for (size_t i = 0; i < n && rc == LT_OK; i++) {
        if (p.home[i] < 0) continue;
        net->tensors[i]->g = net->buffers[p.home[i]];
        net->tensors[i]->pitch = p.b[p.home[i]].pitch;
    }
    free(p.b);
    free(p.home);
    free(p.wanted);
    return rc;
}
