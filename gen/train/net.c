#include "train/net_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

void lt_net_free(lt_net *net)
{
    if (!net) return;
    for (int i = 0; i < net->n_layers; i++) net->layers[i]->ops->free(net->layers[i]);
    for (int i = 0; i < net->n_tensors; i++) {
        free(net->tensors[i]->v);
        free(net->tensors[i]);
    }
    for (int i = 0; i < net->n_buffers; i++) free(net->buffers[i]);
    for (int i = 0; net->env.scratch && i < net->env.workers; i++) free(net->env.scratch[i]);
    free(net->env.scratch);
    lt_dnn_close(net->env.dnn);
    lt_pool_free(net->pool);
    free(net->layers);
    free(net->tensors);
    free(net->at);
    free(net->forward);
    free(net->eval);
    free(net->backward);
    free(net->buffers);
    free(net->params);
    lt_graph_free(&net->g);
    free(net);
}

/* The order in which a chunk goes through layers and steps. */
static void schedule(lt_net *net)
{
    net->n_forward = net->n_eval = net->n_backward = 0;
    for (int i = 0; i <= net->to; i++) {
        lt_layer *l = net->layers[i];
        int steps = l->ops->forward_steps;
        for (int s = 0; s < steps; s++) net->forward[net->n_forward++] = (lt_net_op){l, s, s < steps - 1};
        net->eval[net->n_eval++] = (lt_net_op){l, steps - 1, false};
    }
    for (int i = net->to; i >= net->from; i--) {
        lt_layer *l = net->layers[i];
        int steps = l->ops->backward_steps;
        if (!l->out->g) continue; /* nothing before it is trained */
        for (int s = 0; s < steps; s++) net->backward[net->n_backward++] = (lt_net_op){l, s, s < steps - 1};
    }
}

lt_code lt_net_window(lt_net *net, int first, int last, lt_err *err)
{
    if (first < 0 || first > last || last >= net->n_layers)
        return lt_fail(err, LT_EINTERNAL, "%s: layers %d..%d, expected 0..%d", net->g.name, first, last,
                       net->n_layers - 1);
    net->from = first;
    net->to = last;
    net->out = net->layers[last]->out;
    net->pass.n = 0; /* nothing to go back from */
    if (net->o.train) LT_TRY(lt_net_plan(net, err));
    schedule(net);
    return LT_OK;
}

static lt_code make(lt_net *net, lt_err *err)
{
    lt_env *env = &net->env;
    size_t largest = 0;

    LT_TRY(lt_pool_create(&net->pool, net->o.workers, err));
    env->vec = lt_vec_best();
    env->train = net->o.train;
    env->batch = net->o.batch;
    env->chunk = net->o.chunk > 0 ? net->o.chunk : LT_CHUNK;
    if (env->chunk > env->batch) env->chunk = env->batch;
    env->chunks = (env->batch + env->chunk - 1) / env->chunk;
    env->workers = lt_pool_size(net->pool);
    LT_TRY(lt_dnn_open(&env->dnn, env->workers, net->o.precision, err));
    LT_TRY(lt_net_build(net, err));
    net->forward = calloc(2 * (size_t)net->n_layers, sizeof(lt_net_op));
    net->eval = calloc((size_t)net->n_layers, sizeof(lt_net_op));
    net->backward = calloc(2 * (size_t)net->n_layers, sizeof(lt_net_op));
    if (!net->forward || !net->eval || !net->backward) return lt_fail(err, LT_EMEM, "%s: out of memory", net->g.name);
    LT_TRY(lt_net_window(net, 0, net->n_layers - 1, err));
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->size > largest) largest = net->tensors[i]->size;
    env->scratch = calloc((size_t)env->workers, sizeof *env->scratch);
    if (!env->scratch) return lt_fail(err, LT_EMEM, "%s: out of memory", net->g.name);
    for (int i = 0; i < env->workers; i++) {
        env->scratch[i] = lt_aligned((size_t)env->chunk * largest * sizeof(float));
        if (!env->scratch[i]) return lt_fail(err, LT_EMEM, "%s: out of memory", net->g.name);
    }
    return LT_OK;
}

lt_code lt_net_create(lt_net **out, const lt_graph *g, const lt_net_options *o, lt_err *err)
{
    lt_net *net = calloc(1, sizeof *net);

    *out = NULL;
    if (!net) return lt_fail(err, LT_EMEM, "out of memory");
    net->o = *o;
    lt_code rc = LT_OK;
    if (o->batch < 1) rc = lt_fail(err, LT_EINPUT, "%s: minibatch of %d images, expected 1 or more", g->name, o->batch);
    if (rc == LT_OK && g->n_nodes < 2) rc = lt_fail(err, LT_EINPUT, "%s: the network computes nothing", g->name);
    if (rc == LT_OK) rc = lt_graph_copy(g, &net->g, err);
    if (rc == LT_OK) rc = make(net, err);
    if (rc != LT_OK) {
        lt_net_free(net);
        return rc;
    }
    *out = net;
    return LT_OK;
}

static lt_chunk chunk_of(const lt_net *net, size_t i, int worker)
{
    int first = (int)i * net->env.chunk, left = net->pass.n - first;
    return (lt_chunk){&net->pass, (int)i, first, left < net->env.chunk ? left : net->env.chunk, worker};
}

static void forward_phase(void *ctx, size_t i, int worker)
{
    lt_net *net = ctx;
    lt_chunk c = chunk_of(net, i, worker);

    if (net->first)
        for (int k = 0; k < c.n; k++)
            net->io->fill(net->io->ctx, c.first + k, lt_value(net->tensors[0], &c) + (size_t)k * net->tensors[0]->size);
    for (int k = 0; k < net->n_ops; k++) net->ops[k].l->ops->forward(net->ops[k].l, &c, net->ops[k].step);
    if (net->last && net->io->each) {
        const lt_tensor *out = net->out;
        net->io->each(net->io->ctx, &c, lt_value(out, &c),
                      net->pass.mode == LT_MODE_TRAIN && out->g ? lt_gradient(out, &c) : NULL);
    }
}

static void backward_phase(void *ctx, size_t i, int worker)
{
    lt_net *net = ctx;
    lt_chunk c = chunk_of(net, i, worker);
    for (int k = 0; k < net->n_ops; k++) net->ops[k].l->ops->backward(net->ops[k].l, &c, net->ops[k].step);
}

/* Splits the operations at barriers. */
static void run(lt_net *net, const lt_net_op *ops, int n, bool forward)
{
    net->first = true;
    for (int from = 0, to; from < n; from = to) {
        for (to = from; to < n && !ops[to].barrier;) to++;
        bool barrier = to < n;
        if (barrier) to++;
        net->ops = ops + from;
        net->n_ops = to - from;
        net->last = to == n;
        lt_pool_run(net->pool, (size_t)net->pass.chunks, forward ? forward_phase : backward_phase, net);
        net->first = false;
        if (!barrier) continue;
        lt_layer *l = ops[to - 1].l;
        void (*join)(lt_layer *, const lt_pass *, int) = forward ? l->ops->forward_join : l->ops->backward_join;
        if (join) join(l, &net->pass, ops[to - 1].step);
    }
}

lt_code lt_net_forward(lt_net *net, int n, lt_mode mode, const lt_io *io, lt_err *err)
{
    if (n < 1 || n > net->env.batch)
        return lt_fail(err, LT_EINTERNAL, "%s: pass of %d images, expected 1..%d", net->g.name, n, net->env.batch);
    if (mode == LT_MODE_TRAIN && !net->env.train)
        return lt_fail(err, LT_EINTERNAL, "%s: was not made for training", net->g.name);
    net->pass = (lt_pass){mode, n, (n + net->env.chunk - 1) / net->env.chunk};
    net->io = io;
    for (int i = 0; i <= net->to; i++)
        if (net->layers[i]->ops->begin) LT_TRY(net->layers[i]->ops->begin(net->layers[i], &net->pass, err));
    bool train = mode == LT_MODE_TRAIN;
    run(net, train ? net->forward : net->eval, train ? net->n_forward : net->n_eval, true);
    for (int i = 0; i <= net->to; i++) {
        const lt_layer_ops *ops = net->layers[i]->ops;
        if (ops->forward_join) ops->forward_join(net->layers[i], &net->pass, ops->forward_steps - 1);
    }
    return lt_dnn_check(net->env.dnn, err);
}

static void finish(void *ctx, size_t i, int worker)
{
    lt_net *net = ctx;
    lt_layer *l = net->layers[net->from + (int)i];
    if (l->ops->finish && l->out->g) l->ops->finish(l, &net->pass, worker);
}

lt_code lt_net_backward(lt_net *net, lt_err *err)
{
    if (net->pass.mode != LT_MODE_TRAIN || net->pass.n < 1)
        return lt_fail(err, LT_EINTERNAL, "%s: no forward pass to go back from", net->g.name);
    run(net, net->backward, net->n_backward, false);
    lt_pool_run(net->pool, (size_t)(net->to - net->from + 1), finish, net);
    return lt_dnn_check(net->env.dnn, err);
}

static void list(lt_net *net, lt_param *p, int n)
{
    for (int i = 0; i < n; i++) net->params[net->n_params++] = &p[i];
}

lt_param *const *lt_net_params(lt_net *net, int *n)
{
    int total = 0;

    for (int i = 0; i < net->n_layers; i++) {
        const lt_weight_hook *w = lt_layer_weight_hook(net->layers[i]);
        const lt_input_hook *x = lt_conv_input_hook(net->layers[i]);
        total += net->layers[i]->n_params + (w ? w->n_params : 0) + (x ? x->n_params : 0);
    }
    free(net->params);
    net->n_params = 0;
    net->params = calloc((size_t)total + 1, sizeof *net->params);
    for (int i = 0; i < net->n_layers && net->params; i++) {
        const lt_weight_hook *w = lt_layer_weight_hook(net->layers[i]);
        const lt_input_hook *x = lt_conv_input_hook(net->layers[i]);
        list(net, net->layers[i]->params, net->layers[i]->n_params);
        if (w) list(net, w->params, w->n_params);
        if (x) list(net, x->params, x->n_params);
    }
    *n = net->n_params;
    return net->params;
}

int lt_net_n_layers(const lt_net *net)
{
    return net->n_layers;
}

lt_layer *lt_net_layer(lt_net *net, int i)
{
    return net->layers[i];
}

lt_layer *lt_net_find(lt_net *net, const char *name)
{
    for (int i = 0; i < net->n_layers; i++)
        if (strcmp(net->layers[i]->name, name) == 0) return net->layers[i];
    return NULL;
}

const lt_graph *lt_net_graph(const lt_net *net)
{
    return &net->g;
}

lt_pool *lt_net_pool(lt_net *net)
{
    return net->pool;
}

size_t lt_net_out_size(const lt_net *net)
{
    return net->out->size;
}

const lt_tensor *lt_net_tensor(const lt_net *net, int node)
{
    return net->at[node];
}

void lt_net_init(lt_net *net, uint64_t seed)
{
    for (int i = 0; i < net->n_layers; i++) {
        lt_layer *l = net->layers[i];
        lt_bn_view v;
        if (lt_layer_bn_view(l, &v)) {
            for (int c = 0; c < v.c; c++) {
                v.gamma[c] = v.var[c] = 1;
                v.beta[c] = v.mean[c] = 0;
            }
        } else if (lt_layer_is_conv(l)) {
            lt_param *w = &l->params[0];
            size_t fan_in = w->n / (size_t)l->out->s.c;
            double sigma = sqrt(2.0 / (double)fan_in);
            lt_rng r = lt_rng_make(seed, (uint64_t)i + 1000);
            for (size_t k = 0; k < w->n; k++) w->value[k] = (float)(sigma * lt_rng_normal(&r));
            if (l->n_params > 1) memset(l->params[1].value, 0, l->params[1].n * sizeof(float));
        }
    }
}

void lt_net_calibrate(lt_net *net)
{
    for (int i = 0; i < net->n_layers; i++) lt_bn_take_calibration(net->layers[i]);
}

lt_code lt_net_to_graph(lt_net *net, lt_graph *g, lt_err *err)
{
    LT_TRY(lt_graph_copy(&net->g, g, err));
    for (int i = 0; i < net->n_layers; i++) {
        lt_layer *l = net->layers[i];
        lt_bn_view v;
        if (l->node < 0) continue;
        lt_node *n = &g->nodes[l->node];
        if (lt_layer_bn_view(l, &v)) {
            for (int c = 0; c < v.c; c++) {
                double s = (double)v.gamma[c] / sqrt((double)v.var[c] + (double)LT_BN_EPS);
                n->weight[c] = (float)s;
                n->bias[c] = (float)((double)v.beta[c] - (double)v.mean[c] * s);
            }
            continue;
        }
        const lt_weight_hook *h = lt_layer_weight_hook(l);
        if (h)
            h->forward(h->ctx, l->params[0].value, n->weight, l->params[0].n, LT_MODE_EVAL);
        else
            memcpy(n->weight, l->params[0].value, l->params[0].n * sizeof(float));
        if (n->bias) memcpy(n->bias, l->params[1].value, l->params[1].n * sizeof(float));
    }
    lt_code rc = lt_graph_check(g, err);
    if (rc != LT_OK) lt_graph_free(g);
    return rc;
}
