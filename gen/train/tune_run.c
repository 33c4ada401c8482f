#include "train/tune_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/qnet_file.h"
#include "train/lsq.h"

enum { CALIBRATION_IMAGES = 1024 };

static void freeze(lt_layer *l)
{
    for (int i = 0; l && i < l->n_params; i++) l->params[i].lr_mult = 0;
}

/* Parameters outside the set keep their values. */
static void choose(lt_tune_run *r)
{
    lt_tune *t = &r->tune;

    if (r->o.set == LT_TUNE_ALL) return;
    for (int i = 0; i < t->n; i++) {
        lt_tune_node *v = &t->nodes[i];
        bool table = i > 0 && t->net.layers[i - 1].encoder >= 0;
        bool keep = r->o.set == LT_TUNE_TABLES || (r->o.set == LT_TUNE_BOTH && table);
        if (keep) continue;
        freeze(v->fq);
        if (v->conv) v->conv->params[0].lr_mult = 0; /* a lookup layer lists its encoder's, too */
        if (v->conv && v->conv->n_params > 1 && lt_layer_is_conv(v->conv)) v->conv->params[1].lr_mult = 0;
        freeze(v->norm);
        if (v->conv) lt_lsq_steps(v->conv)->lr_mult = 0;
    }
    for (int i = 0; i < t->net.n_encoders && r->o.set == LT_TUNE_TABLES; i++) {
        int n;
        if (!t->encoders[i]) continue;
        lt_param *p = lt_encoder_params(t->encoders[i], &n);
        while (n--) p[n].lr_mult = 0;
    }
    for (int i = 0; i < t->n && r->o.set == LT_TUNE_TABLES; i++) { /* vectors of products go with the prototypes */
        const lt_input_hook *h = t->nodes[i].conv ? lt_conv_input_hook(t->nodes[i].conv) : NULL;
        for (int k = 0; h && k < h->n_params; k++) h->params[k].lr_mult = 0;
    }
}

static lt_code prepare(void *ctx, lt_trainer *tr, lt_err *err)
{
    lt_tune_run *r = ctx;

    LT_TRY(lt_tune_attach(&r->tune, tr->net, err));
    /* once more, now of what quantised weights give */
    LT_TRY(lt_trainer_calibrate(tr, CALIBRATION_IMAGES, err));
    if (r->o.tune.products) {
        lt_tune_start_products(&r->tune);
        LT_TRY(lt_trainer_calibrate(tr, CALIBRATION_IMAGES, err));
    }
    choose(r);
    return LT_OK;
}

/* Geometric: the first step has the first temperature, the last one the last. */
static void soften(void *ctx, lt_trainer *tr)
{
    lt_tune_run *r = ctx;
    double first = (double)r->o.tune.encode.temperature, last = r->o.softness_end;
    double part = (double)tr->optim.steps / fmax((double)tr->schedule.total - 1, 1);

    for (int i = 0; i < r->tune.net.n_encoders; i++)
        if (r->tune.encoders[i]) lt_encoder_soften(r->tune.encoders[i], (float)(first * pow(last / first, part)));
}

/* For checkpoints: everything that decides what the parameters mean. */
static void describe(lt_tune_run *r)
{
    const lt_quant_options *q = &r->o.prep.quant;
    const lt_pq_options *pq = r->o.pq;
    const lt_encode_options *e = &r->o.tune.encode;
    size_t n = sizeof r->method;
    char temperature[32] = "";

    if (r->o.softness_end > 0)
        snprintf(temperature, sizeof temperature, "..%g", r->o.softness_end);
    else if (e->learn_temperature)
        snprintf(temperature, sizeof temperature, " learned");
    int at = snprintf(r->method, n, "tune w%d a%d edge%d/%d overrides%d acc%d mult%d lanes%d set%d recon%d*%g",
                      q->w_bits, q->a_bits, q->edge_bits, r->o.tune.edge_bits, q->n_overrides, r->o.tune.acc_bits,
                      r->o.tune.mult_bits, r->o.prep.lanes, r->o.set, r->o.recon_steps, r->o.recon_lr);
    if (pq && at > 0 && (size_t)at < n)
        snprintf(r->method + at, n - (size_t)at,
                 " pq mode%d enc%d K%d L%d e%d lut%d%s overrides%d assign%d T%g%s follow%g", pq->mode, pq->encoder,
                 pq->prototypes, pq->length, pq->enc_bits, pq->lut_bits, pq->mirror ? " mirror" : "", pq->n_overrides,
                 e->assign, (double)e->temperature, temperature, (double)e->follow);
    at = (int)strlen(r->method);
    at += snprintf(r->method + at, n - (size_t)at, "%s%s", r->o.tune.products ? " products" : "",
                   r->o.start ? " start" : "");
    if (r->o.note) snprintf(r->method + at, n - (size_t)at, " %s", r->o.note);
}

/* The integer network of a file in the place of the prepared one. */
static lt_code start_from(lt_tune_run *r, lt_err *err)
{
    qnet q, *own = &r->prep.net;
    LT_TRY(lt_qnet_load(r->o.start, &q, err));
    bool same = qnet_differs(&q, own) < 0;
    for (int i = 0; i < q.n_layers; i++) same = same && (r->o.pq || q.layers[i].encoder < 0);
    if (!same) {
        qnet_free(&q);
        return lt_fail(err, LT_EINPUT, "%s: is another network than %s", r->o.start, r->o.prep.model);
    }
    qnet_free(own);
    *own = q;
    return LT_OK;
}

static lt_code open_network(lt_tune_run *r, lt_err *err)
{
    lt_prep_options p = r->o.prep;
    lt_train_options *t = &r->o.train;
    lt_pq_result *results;
    int n;

    if (r->o.pq) p.quant.acc_bits = 32; /* the narrower accumulator has to hold what the network becomes */
    LT_TRY(lt_prep_dense(&p, &r->prep, err));
    if (r->o.start) {
        LT_TRY(start_from(r, err));
    } else if (r->o.pq) {
        results = calloc((size_t)r->prep.net.n_layers, sizeof *results);
        if (!results) return lt_fail(err, LT_EMEM, "out of memory");
        lt_code rc = lt_pq_fit(&r->prep, r->o.pq, r->o.tune.acc_bits, r->o.tune.mult_bits, results, &n, err);
        free(results);
        if (rc != LT_OK) return rc;
    }
    r->o.tune.continued = r->o.start != NULL;
    r->o.tune.mirror = r->o.pq && r->o.pq->mirror;
    if (r->o.tune.mirror) r->o.tune.encode.follow = 0; /* thresholds of a mirrored tree do not move one by one */
    LT_TRY(lt_tune_open(&r->tune, &r->prep, &r->o.tune, err));
    describe(r);
    t->model = p.model;
    t->data_dir = p.data_dir;
    t->preproc = NULL; /* the graph has it */
    t->seed = p.seed;
    t->scratch = false;
    t->method = r->method;
    t->graph = &r->tune.graph;
    t->parts = lt_tune_parts(&r->tune);
    t->prepare = prepare;
    t->before_step = r->o.softness_end > 0 ? soften : NULL;
    t->prepare_ctx = r;
    return lt_trainer_create(&r->trainer, t, err);
}

lt_code lt_tune_run_open(lt_tune_run *r, const lt_tune_run_options *o, lt_err *err)
{
    *r = (lt_tune_run){.o = *o};
    if (o->softness_end > 0) r->o.tune.encode.learn_temperature = false;
    lt_code rc = open_network(r, err);
    r->open = rc == LT_OK;
    if (rc != LT_OK) lt_tune_run_close(r);
    return rc;
}

void lt_tune_run_close(lt_tune_run *r)
{
    if (r->open) lt_trainer_free(&r->trainer); /* frees itself where it could not be made */
    lt_tune_free(&r->tune);
    lt_prep_free(&r->prep);
    r->open = false;
}
