/* Layer-by-layer reconstruction (tune_run.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "train/lsq.h"
#include "train/tune_run.h"

typedef struct {
    lt_tune *t;
    lt_trainer *tr;
    lt_net *teacher; /* of the lowered float graph */
    int node, at, n; /* the node in work; images order[at..at+n-1] */
    double scale;    /* of the loss: 1 / (values * variance) */
} recon;

static void fill(void *ctx, int i, float *x)
{
    const recon *r = ctx;
    const lt_trainer *t = r->tr;
    lt_augment(&t->o.augment, NULL, &t->table, r->t->graph.nodes[0].shape,
               lt_dataset_image(&t->train, (size_t)(r->at + i)), x);
}

/* Squared distance from the float network's tensor. */
static void each(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    const recon *r = ctx;
    const lt_tensor *want = lt_net_tensor(r->teacher, r->node);
    const float *w = want->v + (size_t)c->first * want->size;
    size_t n = (size_t)c->n * want->size;
    float k = (float)(2 * r->scale);
    for (size_t i = 0; g && i < n; i++) g[i] = k * (out[i] - w[i]);
}

static int index_of(lt_net *net, const lt_layer *l)
{
    for (int i = 0; i < lt_net_n_layers(net); i++)
        if (lt_net_layer(net, i) == l) return i;
    return -1;
}

/* The layers of one node and their parameters. */
static lt_code window(recon *r, lt_param **params, int *n, lt_err *err)
{
    lt_net *net = r->tr->net;
    const lt_tune_node *v = &r->t->nodes[r->node];
    int first = index_of(net, v->conv), last = index_of(net, v->fq);

    LT_TRY(lt_net_window(net, first, last, err));
    *n = 0;
    lt_layer *layers[] = {v->conv, v->norm, v->fq};
    for (int i = 0; i < 3; i++)
        for (int k = 0; layers[i] && k < layers[i]->n_params; k++) params[(*n)++] = &layers[i]->params[k];
    params[(*n)++] = lt_lsq_steps(v->conv);
    return LT_OK;
}

static lt_code one(recon *r, int steps, double lr, lt_progress *p, lt_err *err)
{
    lt_param *params[16];
    lt_optim_options oo = lt_optim_defaults();
    lt_optim opt;
    lt_io io = {fill, each, r}, teacher = {fill, NULL, r};
    int n, batch = r->tr->o.batch < r->tr->train.n ? r->tr->o.batch : r->tr->train.n;

    LT_TRY(window(r, params, &n, err));
    oo.kind = LT_ADAM;
    oo.weight_decay = 0;
    LT_TRY(lt_optim_create(&opt, &oo, params, n, err));
    lt_schedule s = {.kind = LT_COSINE, .lr = lr, .total = steps};
    lt_param *own[] = {&r->t->nodes[r->node].fq->params[0], lt_lsq_steps(r->t->nodes[r->node].conv)};
    float rates[2];
    for (int i = 0; i < 2; i++) {
        rates[i] = own[i]->lr_mult; /* of the optimiser to come; Adam's is a share of the value */
        if (rates[i] != 0) own[i]->lr_mult = own[i]->value[0];
    }
    lt_code rc = LT_OK;
    for (int i = 0; rc == LT_OK && i < steps; i++) {
        r->at = (int)((long)i * batch % (r->tr->train.n - batch + 1));
        rc = lt_net_forward(r->teacher, batch, LT_MODE_EVAL, &teacher, err);
        const lt_tensor *want = lt_net_tensor(r->teacher, r->node);
        double sum = 0, squares = 0, values = (double)batch * (double)want->size;
        for (size_t k = 0; i == 0 && k < (size_t)batch * want->size; k++) {
            sum += (double)want->v[k];
            squares += (double)want->v[k] * (double)want->v[k];
        }
        if (i == 0) r->scale = 1 / fmax(squares - sum * sum / values, 1e-9 * values);
        if (rc == LT_OK) rc = lt_net_forward(r->tr->net, batch, LT_MODE_TRAIN, &io, err);
        if (rc == LT_OK) rc = lt_net_backward(r->tr->net, err);
        if (rc == LT_OK) lt_optim_step(&opt, lt_schedule_lr(&s, i));
        lt_progress_add(p, 1);
    }
    for (int i = 0; i < 2; i++) own[i]->lr_mult = rates[i];
    lt_optim_free(&opt);
    return rc;
}

lt_code lt_tune_reconstruct(lt_tune *t, lt_trainer *tr, int steps, double lr, lt_err *err)
{
    recon r = {.t = t, .tr = tr};
    lt_net_options o = {.batch = tr->o.batch, .chunk = tr->o.chunk};
    lt_net *net = tr->net;
    int layers = 0;

    LT_TRY(lt_net_create(&r.teacher, &t->p->graph, &o, err));
    for (int i = 0; i < lt_net_n_layers(net); i++) lt_bn_freeze(lt_net_layer(net, i), true);
    for (int i = 1; i < t->n; i++) layers += t->nodes[i].conv != NULL;
    lt_progress *p = lt_progress_start("layer-wise reconstruction", (size_t)layers * (size_t)steps);
    lt_code rc = LT_OK;
    for (int i = 1; rc == LT_OK && i < t->n; i++) {
        if (!t->nodes[i].conv || !t->nodes[i].fq) continue;
        r.node = i;
        rc = one(&r, steps, lr, p, err);
    }
    lt_progress_end(p);
    for (int i = 0; i < lt_net_n_layers(net); i++) lt_bn_freeze(lt_net_layer(net, i), tr->o.freeze_bn);
    if (rc == LT_OK) rc = lt_net_window(net, 0, lt_net_n_layers(net) - 1, err);
    lt_net_free(r.teacher);
    return rc;
}
