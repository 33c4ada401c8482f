#include "study_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compress/recon_error.h"
#include "golden/accuracy.h"
#include "model/qnet_file.h"
#include "program/program.h"
#include "study_files.h"
#include "study_grid.h"
#include "train_cli.h"

enum { ERROR_IMAGES = 256, LATENCY = 20 /* as flows/explore.sh has it */ };

/* ---- settings ---- */

static lt_prep_options prep_options(const study_context *s, const study_row *row)
{
    lt_prep_options o = lt_prep_defaults();
    o.model = s->c->args[0];
    o.data_dir = cli_text(s->c, "data");
    o.preproc = cli_text(s->c, "preproc");
    o.seed = row->seed;
    o.calib_images = row->calib_images;
    o.lanes = s->base.lanes;
    o.quant.acc_bits = 32; /* the narrower accumulator has to hold what the network becomes */
    o.quant.mult_bits = s->base.mult_bits;
    return o;
}

static lt_pq_options products(const study_row *row)
{
    lt_pq_options o = lt_pq_defaults();
    o.mode = (qpq_mode)row->mode;
    o.encoder = study_encoder(row);
    o.mirror = row->encoder == STUDY_MIRRORED;
    o.prototypes = row->prototypes;
    o.length = row->length;
    o.lut_bits = row->lut_bits;
    o.enc_bits = row->enc_bits;
    o.lut = strcmp(row->fit, "lsq") == 0 ? PQ_LUT_LSQ : PQ_LUT_PRODUCTS;
    o.images = row->calib_images;
    o.seed = row->seed;
    return o;
}

static lt_code tune_options(const study_context *s, const study_row *row, const lt_pq_options *pq, const char *note,
                            lt_tune_run_options *o, lt_err *err)
{
    study_assign a = {0};

    study_assign_parse(row->assign, &a);
    *o = (lt_tune_run_options){.prep = prep_options(s, row), .pq = pq, .note = note};
    LT_TRY(train_cli_settings(s->c, &o->train, err));
    if (!o->train.teacher) o->train.teacher = o->train.model;
    if (o->train.loss.distill == 0) o->train.teacher = NULL;
    if (row->epochs) o->train.epochs = row->epochs;
    o->prep.quant.acc_bits = s->base.acc_bits;
    o->tune = (lt_tune_options){.acc_bits = s->base.acc_bits,
                                .mult_bits = s->base.mult_bits,
                                .edge_bits = o->prep.quant.edge_bits,
                                .learn_steps = true,
                                .relative_steps = o->train.optim.kind == LT_ADAM,
                                .products = strcmp(row->fit, "tied") == 0,
                                .encode = {.assign = a.assign,
                                           .learn = true,
                                           .learn_temperature = a.last == 0,
                                           .temperature = (float)a.first,
                                           .follow = (float)row->follow}};
    o->softness_end = a.last;
    o->recon_steps = row->recon_steps;
    o->recon_lr = cli_real(s->c, "recon-lr");
    return LT_OK;
}

double study_work(const study_context *s, const study_row *row)
{
    study_assign a = {0};
    double layers = 20, per = 3; /* a training pass, in forward passes */

    if (row->assign[0]) study_assign_parse(row->assign, &a);
    if (a.assign == LT_ASSIGN_SOFT) per = 12;
    return row->test_images + 100.0 * row->calib_images + per * row->train_images * row->epochs +
           per * layers * row->recon_steps * (double)cli_int(s->c, "batch");
}

/* ---- results ---- */

static lt_code predict(const lt_config *cfg, const qnet *net, uint32_t *cycles, lt_err *err)
{
    lt_program_options o = {.profile = true, .last_layer = -1, .latency = LATENCY};
    lt_program p;

    LT_TRY(lt_program_build(cfg, net, &o, &p, err));
    *cycles = p.image.predict[p.image.profile_count].cycles;
    lt_program_free(&p);
    return LT_OK;
}

/* The table of areas has to be of this network. */
static lt_code check_cycles(const study_context *s, const study_row *row, const qnet *net, lt_err *err)
{
    const study_area *a = study_area_of(&s->areas, &s->base, row);
    uint32_t cycles;

    if (!a) return LT_OK;
    LT_TRY(predict(&a->cfg, net, &cycles, err));
    if ((double)cycles == a->cycles) return LT_OK;
    return lt_fail(err, LT_EINPUT, "%s: %s: got %.0f cycles, expected %u: measured with another network or version",
                   cli_text(s->c, "areas"), a->variant, a->cycles, cycles);
}

lt_code study_own_cycles(const study_context *s, study_row *row, lt_err *err)
{
    const study_area *a = study_area_of(&s->areas, &s->base, row);
    uint32_t cycles;
    qnet net;

    row->own_cycles = NAN;
    if (!row->mixed || !a) return LT_OK;
    LT_TRY(lt_qnet_load(row->file, &net, err));
    lt_code rc = predict(&a->cfg, &net, &cycles, err);
    qnet_free(&net);
    if (rc == LT_OK) row->own_cycles = cycles;
    return rc;
}

static lt_code measure(const study_context *s, const lt_graph *g, const qnet *net, study_row *row, lt_err *err)
{
    double *error = malloc((size_t)net->n_layers * sizeof *error);
    int right = 0;

    row->layers = calloc((size_t)net->n_layers, sizeof *row->layers);
    if (!error || !row->layers) {
        free(error);
        return lt_fail(err, LT_EMEM, "out of memory");
    }
    lt_code rc = lt_recon_error(g, net, &s->test, ERROR_IMAGES, error, err);
    if (rc == LT_OK) rc = golden_accuracy(net, s->test.pixels, s->test.labels, s->test.n, "accuracy", &right, err);
    row->accuracy = s->real ? 100.0 * right / s->test.n : NAN;
    row->mean_error = 0;
    for (int i = 0; rc == LT_OK && i < net->n_layers; i++) {
        if (net->layers[i].encoder < 0) continue;
        study_layer *l = &row->layers[row->n_layers++];
        snprintf(l->name, sizeof l->name, "%s", net->layers[i].name);
        l->error = error[i];
        row->mean_error += error[i];
    }
    row->mean_error = row->n_layers ? row->mean_error / row->n_layers : NAN;
    free(error);
    return rc;
}

static lt_code frozen(const study_context *s, study_row *row, lt_err *err)
{
    lt_prep_options o = prep_options(s, row);
    lt_pq_options pq = products(row);
    lt_prep p;
    int n;

    LT_TRY(lt_prep_dense(&o, &p, err));
    lt_pq_result *r = calloc((size_t)p.net.n_layers, sizeof *r);
    lt_code rc = r ? lt_pq_fit(&p, &pq, s->base.acc_bits, s->base.mult_bits, r, &n, err)
                   : lt_fail(err, LT_EMEM, "out of memory");
    free(r);
    if (rc == LT_OK) rc = check_cycles(s, row, &p.net, err);
    if (rc == LT_OK) rc = measure(s, &p.graph, &p.net, row, err);
    lt_prep_free(&p);
    return rc;
}

static lt_code from_file(const study_context *s, study_row *row, lt_err *err)
{
    lt_prep_options o = prep_options(s, row);
    lt_prep p;
    qnet net;

    o.seed = (uint64_t)cli_int(s->c, "seed"); /* of MODEL; the row's is the file's */
    o.calib_images = (int)cli_int(s->c, "calib-images");
    LT_TRY(lt_prep_dense(&o, &p, err));
    lt_code rc = study_file_load(row, &p.net, &net, err);
    if (rc == LT_OK) {
        rc = row->mixed ? study_own_cycles(s, row, err) : check_cycles(s, row, &net, err);
        if (rc == LT_OK) rc = measure(s, &p.graph, &net, row, err);
        qnet_free(&net);
    }
    lt_prep_free(&p);
    return rc;
}

typedef struct {
    const study_context *s;
    lt_tune_run *t;
} watch;

static lt_code layer_done(void *ctx, const char *layer, double before, double after, lt_err *err)
{
    const watch *w = ctx;
    if (cli_flag(w->s->c, "verbose")) printf("%s: reconstruction error %.4f -> %.4f\n", layer, before, after);
    return lt_trainer_save(&w->t->trainer, w->s->checkpoint, err);
}

/* What a stopped study left of this row; a checkpoint of another one is of no use. */
static lt_code resume(const study_context *s, lt_tune_run *t, study_row *row, lt_err *err)
{
    if (access(s->checkpoint, F_OK) != 0) return LT_OK;
    lt_code rc = lt_trainer_load(&t->trainer, s->checkpoint, err);
    if (rc == LT_EINPUT) return LT_OK;
    for (int i = 0; rc == LT_OK && i < t->trainer.n_rows; i++) row->seconds += t->trainer.rows[i].seconds;
    return rc;
}

static lt_code train(study_context *s, lt_tune_run *t, const study_method *m, study_row *row, lt_err *err)
{
    train_cli_run r = {.what = "end to end", .quiet = !cli_flag(s->c, "verbose")};
    watch w = {s, t};
    bool stopped;
    qnet net;

    LT_TRY(check_cycles(s, row, &t->prep.net, err));
    memcpy(r.checkpoint, s->checkpoint, sizeof r.checkpoint);
    LT_TRY(resume(s, t, row, err));
    if (m->layers) LT_TRY(lt_tune_reconstruct(t, layer_done, &w, err));
    if (m->network) LT_TRY(train_cli_steps(&r, &t->trainer, &stopped, err));
    LT_TRY(lt_tune_export(&t->tune, &net, err));
    lt_code rc = measure(s, &t->prep.graph, &net, row, err);
    qnet_free(&net);
    return rc;
}

static lt_code trained(study_context *s, const study_method *m, study_row *row, lt_err *err)
{
    lt_pq_options pq = products(row);
    lt_tune_run_options o;
    char note[128];
    lt_tune_run *t = malloc(sizeof *t);

    if (!t) return lt_fail(err, LT_EMEM, "out of memory");
    const char *crc = strrchr(row->model, '-');
    snprintf(note, sizeof note, "model%s %s rest-%08x", crc ? crc : "", row->fit, row->rest);
    lt_code rc = tune_options(s, row, &pq, note, &o, err);
    o.set = m->part;
    if (rc == LT_OK) rc = lt_tune_run_open(t, &o, err);
    if (rc == LT_OK) {
        rc = train(s, t, m, row, err);
        lt_tune_run_close(t);
    }
    free(t);
    return rc;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

lt_code study_run(study_context *s, study_row *row, lt_err *err)
{
    double start = now();
    study_method m;
    lt_code rc;

    row->seconds = 0;
    if (study_is_file(row))
        rc = from_file(s, row, err);
    else if (!study_method_parse(row->method, &m))
        rc = lt_fail(err, LT_EINTERNAL, "method: got '%s'", row->method);
    else
        rc = m.trained ? trained(s, &m, row, err) : frozen(s, row, err);
    row->seconds += now() - start;
    if (rc != LT_OK) {
        free(row->layers);
        row->layers = NULL;
        row->n_layers = 0;
    }
    return rc;
}
