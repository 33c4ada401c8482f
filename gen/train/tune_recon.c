/* Layer-by-layer reconstruction (tune_run.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "train/lsq.h"
#include "train/tune_run.h"

enum { ERROR_IMAGES = 256 };

typedef struct {
    lt_tune *t;
    lt_trainer *tr;
    lt_net *teacher;     /* of the lowered float graph */
    int node, at;        /* the node in work; image at.. is the first of a pass */
    double scale;        /* of the loss: 1 / (values * variance) */
    double *far;         /* [chunks] sum of squared distances in a pass that measures */
    double sum, squares; /* of the float network's tensor */
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
    double sum = 0;

    for (size_t i = 0; g && i < n; i++) g[i] = k * (out[i] - w[i]);
    for (size_t i = 0; !g && i < n; i++) sum += (double)(out[i] - w[i]) * (double)(out[i] - w[i]);
    r->far[c->index] = sum;
}

/* The float network's tensor of n images, and (if wanted) its sums. */
static lt_code teach(recon *r, int n, lt_mode mode, bool sums, lt_err *err)
{
    lt_io io = {fill, NULL, r};

    LT_TRY(lt_net_forward(r->teacher, n, mode, &io, err));
    const lt_tensor *want = lt_net_tensor(r->teacher, r->node);
    r->sum = r->squares = 0;
    for (size_t k = 0; sums && k < (size_t)n * want->size; k++) {
        r->sum += (double)want->v[k];
        r->squares += (double)want->v[k] * (double)want->v[k];
    }
    return LT_OK;
}

/* The error of the node on the last training images, which the steps come to last. */
static lt_code measure(recon *r, double *error, lt_err *err)
{
    const lt_trainer *tr = r->tr;
    int batch = tr->o.batch, first = tr->train.n > ERROR_IMAGES ? tr->train.n - ERROR_IMAGES : 0;
    double far = 0, sum = 0, squares = 0, values = 0;
    lt_io io = {fill, each, r};

    for (r->at = first; r->at < tr->train.n; r->at += batch) {
        int left = tr->train.n - r->at, n = left < batch ? left : batch,
            chunk = tr->o.chunk > 0 ? tr->o.chunk : LT_CHUNK;
        if (chunk > batch) chunk = batch;
        LT_TRY(teach(r, n, LT_MODE_EVAL, true, err));
        LT_TRY(lt_net_forward(tr->net, n, LT_MODE_EVAL, &io, err));
        for (int c = 0; c * chunk < n; c++) far += r->far[c];
        sum += r->sum;
        squares += r->squares;
        values += (double)n * (double)lt_net_tensor(r->teacher, r->node)->size;
    }
    *error = far / fmax(squares - sum * sum / values, 1e-9 * values);
    return LT_OK;
}

static int index_of(lt_net *net, const lt_layer *l)
{
    for (int i = 0; i < lt_net_n_layers(net); i++)
        if (lt_net_layer(net, i) == l) return i;
    return -1;
}

/* The layers of one node and their parameters: n that are trained, all that may change. */
static lt_code window(recon *r, lt_param **params, int *n, int *all, lt_err *err)
{
    int encoder = r->t->net.layers[r->node - 1].encoder, count;
    lt_net *net = r->tr->net;
    const lt_tune_node *v = &r->t->nodes[r->node];
    int first = index_of(net, v->conv), last = index_of(net, v->fq);

    LT_TRY(lt_net_window(net, first, last, err));
    *n = 0;
    lt_layer *layers[] = {v->conv, v->norm, v->fq};
    for (int i = 0; i < 3; i++)
        for (int k = 0; layers[i] && k < layers[i]->n_params; k++) params[(*n)++] = &layers[i]->params[k];
    params[(*n)++] = lt_lsq_steps(v->conv);
    const lt_input_hook *vectors = lt_conv_input_hook(v->conv); /* of tables of products */
    for (int k = 0; vectors && k < vectors->n_params; k++) params[(*n)++] = &vectors->params[k];
    *all = *n;
    if (encoder < 0) return LT_OK;
    /* prototypes that follow what they stand for do so for every reader, the first of which lists them */
    lt_param *shared = lt_encoder_params(r->t->encoders[encoder], &count);
    bool listed = false;
    for (int i = 0; i < *n; i++) listed |= params[i] == shared;
    for (int i = 0; i < count && !listed; i++) params[(*all)++] = &shared[i];
    return LT_OK;
}

/* The node's steps of tensor and weights: the optimiser to come has its own rates for them, Adam's is a share of the
 * value. */
static void set_rates(recon *r, float *kept, bool restore)
{
    const lt_tune_node *v = &r->t->nodes[r->node];
    lt_param *own[] = {&v->fq->params[0], lt_lsq_steps(v->conv)};

    for (int i = 0; i < 2; i++) {
        if (!restore) kept[i] = own[i]->lr_mult;
        if (kept[i] != 0) own[i]->lr_mult = restore ? kept[i] : own[i]->value[0];
    }
}

static lt_code steps_of(recon *r, lt_optim *opt, const lt_schedule *s, lt_progress *p, lt_err *err)
{
    int all = r->tr->train.n, batch = r->tr->o.batch < all ? r->tr->o.batch : all;
    lt_io io = {fill, each, r};

    for (int i = 0; i < s->total; i++) {
        r->at = (int)((long)i * batch % (all - batch + 1));
        LT_TRY(teach(r, batch, LT_MODE_TEACH, i == 0, err));
        double values = (double)batch * (double)lt_net_tensor(r->teacher, r->node)->size;
        if (i == 0) r->scale = 1 / fmax(r->squares - r->sum * r->sum / values, 1e-9 * values);
        LT_TRY(lt_net_forward(r->tr->net, batch, LT_MODE_TRAIN, &io, err));
        LT_TRY(lt_net_backward(r->tr->net, err));
        lt_optim_step(opt, lt_schedule_lr(s, i));
        lt_progress_add(p, 1);
    }
    return LT_OK;
}

/* Between the parameters and a copy of them. */
static void copy(lt_param *const *params, int n, float *kept, bool back)
{
    for (int i = 0; i < n; kept += params[i++]->n)
        memcpy(back ? params[i]->value : kept, back ? kept : params[i]->value, params[i]->n * sizeof *kept);
}

/* A layer that was as good as rounding allows would only be made worse by steps of the learning rate's size. */
static lt_code one(recon *r, int steps, double lr, double *before, double *after, lt_progress *p, lt_err *err)
{
    size_t values = 0;
    lt_param *params[24];
    lt_optim_options oo = lt_optim_defaults();
    lt_schedule s = {.kind = LT_COSINE, .lr = lr, .total = steps};
    lt_optim opt;
    float rates[2];
    int n, all;

    LT_TRY(window(r, params, &n, &all, err));
    LT_TRY(measure(r, before, err));
    oo.kind = LT_ADAM;
    oo.weight_decay = 0;
    for (int i = 0; i < all; i++) values += params[i]->n;
    float *kept = malloc(values * sizeof *kept);
    if (!kept) return lt_fail(err, LT_EMEM, "out of memory");
    copy(params, all, kept, false);
    lt_code rc = lt_optim_create(&opt, &oo, params, n, err);
    set_rates(r, rates, false);
    if (rc == LT_OK) rc = steps_of(r, &opt, &s, p, err);
    set_rates(r, rates, true);
    lt_optim_free(&opt);
    if (rc == LT_OK) rc = measure(r, after, err);
    if (rc == LT_OK && !isfinite(*after))
        rc = lt_fail(err, LT_EINPUT, "%s: the reconstruction error is not finite: try a lower learning rate",
                     r->t->net.layers[r->node - 1].name);
    if (rc == LT_OK && *after > *before) {
        copy(params, all, kept, true);
        *after = *before;
    }
    free(kept);
    return rc;
}

static bool is_reconstructed(const lt_tune_node *v)
{
    return v->conv && v->fq;
}

static lt_code all_layers(recon *r, const lt_tune_run_options *o, lt_recon_done done, void *ctx, lt_progress *p,
                          lt_err *err)
{
    double before, after;

    for (int i = r->tr->prepared + 1; i < r->t->n; i++) {
        if (!is_reconstructed(&r->t->nodes[i])) continue;
        r->node = i;
        LT_TRY(one(r, o->recon_steps, o->recon_lr, &before, &after, p, err));
        r->tr->prepared = i;
        if (done) LT_TRY(done(ctx, r->t->net.layers[i - 1].name, before, after, err));
    }
    return LT_OK;
}

lt_code lt_tune_reconstruct(lt_tune_run *run, lt_recon_done done, void *ctx, lt_err *err)
{
    lt_tune *t = &run->tune;
    lt_trainer *tr = &run->trainer;
    recon r = {.t = t, .tr = tr};
    lt_net_options o = {.batch = tr->o.batch, .chunk = tr->o.chunk, .precision = tr->o.precision};
    lt_net *net = tr->net;
    int layers = 0, last = lt_net_n_layers(net) - 1;

    for (int i = tr->prepared < t->n ? tr->prepared + 1 : t->n; i < t->n; i++) layers += is_reconstructed(&t->nodes[i]);
    if (run->o.recon_steps <= 0 || tr->optim.steps > 0 || !layers) return LT_OK;
    r.far = calloc((size_t)tr->o.batch, sizeof *r.far);
    if (!r.far) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = lt_net_create(&r.teacher, &t->p->graph, &o, err);
    for (int i = 0; i <= last; i++) lt_bn_freeze(lt_net_layer(net, i), true);
    lt_progress *p = lt_progress_start("layer-wise reconstruction", (size_t)layers * (size_t)run->o.recon_steps);
    if (rc == LT_OK) rc = all_layers(&r, &run->o, done, ctx, p, err);
    lt_progress_end(p);
    for (int i = 0; i <= last; i++) lt_bn_freeze(lt_net_layer(net, i), tr->o.freeze_bn);
    if (rc == LT_OK) rc = lt_net_window(net, 0, last, err);
    lt_net_free(r.teacher);
    free(r.far);
    return rc;
}
