/* lutra tune: trains an integer network, starting from what lutra prep makes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "cli.h"
#include "config/config.h"
#include "golden/accuracy.h"
#include "model/qnet_file.h"
#include "train/tune_run.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE.lqn", NULL, 0, 0, "integer network to write"},
    {"config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     "accelerator configuration: lanes, acc_bits, mult_bits; of core pq: layers become lookups"},
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0, "folder with cifar10/ and models/; without it procedural images"},
    {"preproc", 'p', CLI_TEXT, "KIND", "auto", 0, 0, "imagenet, unit, byte, auto or m0,m1,m2/s0,s1,s2 (of byte/255)"},
    {"bits-w", 0, CLI_INT, "N", "8", 2, 8, "bits of weights"},
    {"bits-a", 0, CLI_INT, "N", "8", 2, 8, "bits of activations (input and output of the network: 8)"},
    {"bits-edge", 0, CLI_INT, "N", "8", 2, 8, "bits of the first and last layer's weights and the last one's input"},
    {"override", 'r', CLI_TEXT, "FILE", NULL, 0, 0, "bits per layer, as --overrides of lutra prep"},
    {"pq-overrides", 'q', CLI_TEXT, "FILE", NULL, 0, 0, "as that of lutra prep"},
    {"method", 'm', CLI_CHOICE, "layers|network|both", "network", 0, 0,
     "reconstruct layer by layer, train end to end, or one after the other"},
    {"train", 0, CLI_CHOICE, "all|prototypes|tables|both", "all", 0, 0,
     "prototypes: of lookup layers only; tables: tables and weights; both: nothing but lookup layers"},
    {"assign", 0, CLI_CHOICE, "hard|soft", "hard", 0, 0,
     "gradient of the codes: straight through, or that of a soft assignment"},
    {"softness", 0, CLI_REAL, "T", "1", 0.001, 1000, "--assign soft: first temperature, in distances of neighbours"},
    {"fixed-softness", 0, CLI_FLAG, NULL, NULL, 0, 0, "--assign soft: do not train the temperature"},
    {"follow", 0, CLI_REAL, "S", "0", 0, 1,
     "share of the way that prototypes go, in each step, to the mean of what they stand for"},
    {"recon-steps", 0, CLI_INT, "N", "100", 1, 1000000, "minibatches per layer of --method layers and both"},
    {"recon-lr", 0, CLI_REAL, "R", "1e-3", 1e-9, 1, "learning rate (Adam) of the same"},
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, "seed of order of images, augmentation, k-means, procedural set"},
    {"epochs", 'e', CLI_INT, "N", "20", 1, 100000, "passes over the training images"},
    {"batch", 'b', CLI_INT, "N", "128", 1, 65536, "images per step"},
    {"train-images", 0, CLI_INT, "N", "0", 0, 10000000, "training images; 0: all (procedural: 10000)"},
    {"test-images", 'n', CLI_INT, "N", "0", 0, 10000000, "test images; 0: all (procedural: 10000)"},
    {"test-every", 0, CLI_INT, "N", "1", 0, 100000, "epochs between tests; 0: only at the end"},
    {"calib-images", 'i', CLI_INT, "N", "512", 1, 50000, "training images the first steps and tables come from"},
    {"optimiser", 0, CLI_CHOICE, "sgd|adam", "adam", 0, 0, "SGD with momentum, or Adam with decoupled weight decay"},
    {"momentum", 0, CLI_REAL, "M", "0.9", 0, 0.9999, "of SGD"},
    {"weight-decay", 'w', CLI_REAL, "W", "1e-4", 0, 0.9999, "of dense weights; nothing else has any"},
    {"lr", 'l', CLI_REAL, "R", "1e-3", 1e-9, 1000, "learning rate"},
    {"schedule", 0, CLI_CHOICE, "cosine|constant", "cosine", 0, 0, "how the learning rate falls"},
    {"warm-up", 0, CLI_REAL, "EPOCHS", "0", 0, 100000, "epochs in which the learning rate rises"},
    {"teacher", 't', CLI_TEXT, "MODEL", NULL, 0, 0, "float network to distil from; default: MODEL itself"},
    {"distill", 0, CLI_REAL, "A", "0.9", 0, 1, "weight of the teacher in the loss; 0: none"},
    {"temperature", 0, CLI_REAL, "T", "4", 0.01, 1000, "of both softmaxes of the distillation"},
    {"no-flip", 0, CLI_FLAG, NULL, NULL, 0, 0, "do not flip images left to right"},
    {"crop", 0, CLI_INT, "N", "4", 0, 1024, "random window of the image with N black pixels around it; 0: none"},
    {"freeze-bn", 0, CLI_FLAG, NULL, NULL, 0, 0, "batch norm keeps its running statistics, as if folded"},
    {"checkpoint", 'c', CLI_TEXT, "FILE", NULL, 0, 0, "default: OUTPUT.ckpt; if it is there the run goes on from it"},
    {"restart", 0, CLI_FLAG, NULL, NULL, 0, 0, "begin anew whatever the checkpoint holds"},
    {"stop-after", 0, CLI_INT, "N", "0", 0, 100000000, "stop after step N of the run with a checkpoint; 0: do not"},
    {"log", 0, CLI_TEXT, "FILE", NULL, 0, 0, "one line per epoch, as .json or CSV"},
    {"chunk", 0, CLI_INT, "N", "8", 1, 1024, "images a core works on at a time; a part of the numerics"},
    {0}};
static const cli_spec spec = {
    "tune",
    "MODEL",
    1,
    1,
    "Trains an integer network: weights, activations and tables are quantised while they are trained, with learned "
    "steps. "
    "MODEL is an .onnx or .npz file, or resnet20 as for lutra prep, whose result is where training starts. "
    "The same command continues a run that was stopped.",
    options};

static lt_code read_quantisation(const cli *c, lt_tune_run_options *o, lt_config *cfg, lt_err *err)
{
    /* hard assignment sends no gradient to the prototypes */
    if (cli_choice(c, "train") == LT_TUNE_PROTOTYPES && cli_choice(c, "assign") == LT_ASSIGN_HARD)
        return lt_fail(err, LT_EINPUT, "lutra tune: --train prototypes: got --assign hard, expected --assign soft");
    *cfg = (lt_config){0};
    o->prep = lt_prep_defaults();
    o->prep.model = c->args[0];
    o->prep.data_dir = cli_text(c, "data");
    o->prep.preproc = cli_text(c, "preproc");
    o->prep.seed = (uint64_t)cli_int(c, "seed");
    o->prep.calib_images = (int)cli_int(c, "calib-images");
    o->prep.quant.w_bits = (int)cli_int(c, "bits-w");
    o->prep.quant.a_bits = (int)cli_int(c, "bits-a");
    o->prep.quant.edge_bits = (int)cli_int(c, "bits-edge");
    if (cli_text(c, "config")) {
        LT_TRY(lt_config_load(cli_text(c, "config"), cfg, err));
        o->prep.lanes = cfg->lanes;
        o->prep.quant.acc_bits = cfg->acc_bits;
        o->prep.quant.mult_bits = cfg->mult_bits;
    }
    o->tune = (lt_tune_options){.acc_bits = o->prep.quant.acc_bits,
                                .mult_bits = o->prep.quant.mult_bits,
                                .edge_bits = (int)cli_int(c, "bits-edge"),
                                .learn_steps = true,
                                .relative_steps = cli_choice(c, "optimiser") == LT_ADAM,
                                .encode = {.assign = (lt_assign)cli_choice(c, "assign"),
                                           .learn = true,
                                           .learn_temperature = !cli_flag(c, "fixed-softness"),
                                           .temperature = (float)cli_real(c, "softness"),
                                           .follow = (float)cli_real(c, "follow")}};
    return cli_text(c, "override") ? lt_quant_read_overrides(cli_text(c, "override"), &o->prep.quant, err) : LT_OK;
}

static lt_code read_products(const cli *c, const lt_config *cfg, lt_pq_options *pq, lt_err *err)
{
    *pq = lt_pq_defaults();
    pq->mode = (qpq_mode)cfg->pq_mode;
    pq->encoder = (qpq_encoder)cfg->pq_encoder;
    pq->prototypes = cfg->pq_prototypes;
    pq->length = cfg->pq_length;
    pq->enc_bits = cfg->pq_enc_bits;
    pq->lut_bits = cfg->pq_lut_bits;
    pq->images = (int)cli_int(c, "calib-images");
    pq->seed = (uint64_t)cli_int(c, "seed");
    return cli_text(c, "pq-overrides") ? lt_pq_read_overrides(cli_text(c, "pq-overrides"), pq, err) : LT_OK;
}

static void read_training(const cli *c, lt_tune_run_options *o)
{
    lt_train_options *t = &o->train;
    int method = cli_choice(c, "method");

    *t = lt_train_defaults();
    t->epochs = (int)cli_int(c, "epochs");
    t->batch = (int)cli_int(c, "batch");
    t->chunk = (int)cli_int(c, "chunk");
    t->train_images = (int)cli_int(c, "train-images");
    t->test_images = (int)cli_int(c, "test-images");
    t->optim.kind = (lt_optim_kind)cli_choice(c, "optimiser");
    t->optim.momentum = cli_real(c, "momentum");
    t->optim.weight_decay = cli_real(c, "weight-decay");
    t->schedule = cli_choice(c, "schedule") == 0 ? LT_COSINE : LT_CONSTANT;
    t->lr = cli_real(c, "lr");
    t->warmup_epochs = cli_real(c, "warm-up");
    t->loss.distill = cli_real(c, "distill");
    t->loss.temperature = cli_real(c, "temperature");
    t->teacher = t->loss.distill > 0 ? cli_text(c, "teacher") ? cli_text(c, "teacher") : c->args[0] : NULL;
    t->augment = (lt_augment_options){!cli_flag(c, "no-flip"), (int)cli_int(c, "crop"), 0};
    t->freeze_bn = cli_flag(c, "freeze-bn");
    o->set = (lt_tune_set)cli_choice(c, "train");
    o->recon_steps = method == 1 ? 0 : (int)cli_int(c, "recon-steps");
    o->recon_lr = cli_real(c, "recon-lr");
}

static lt_code finish_epoch(const cli *c, lt_trainer *t, const char *checkpoint, lt_err *err)
{
    lt_train_row *r = &t->rows[t->n_rows - 1];
    int every = (int)cli_int(c, "test-every"), right;

    if ((every && r->epoch % every == 0) || lt_trainer_done(t)) {
        LT_TRY(lt_trainer_test(t, 0, &right, err));
        r->test_acc = 100.0 * right / t->test.n;
    }
    printf("epoch %d/%d: loss %.4f, %.2f %% of training images right", r->epoch, t->o.epochs, r->loss, r->train_acc);
    if (r->test_acc >= 0) printf(", %.2f %% of test images", r->test_acc);
    printf(", lr %.3g, %.0f images/s\n", r->lr, r->seconds > 0 ? t->train.n / r->seconds : 0);
    fflush(stdout);
    LT_TRY(lt_trainer_save(t, checkpoint, err));
    return cli_text(c, "log") ? lt_trainer_log(t, cli_text(c, "log"), err) : LT_OK;
}

static lt_code train(const cli *c, lt_trainer *t, const char *checkpoint, bool *stopped, lt_err *err)
{
    long stop = (long)cli_int(c, "stop-after");
    lt_progress *p = lt_progress_start("tuning", (size_t)(t->schedule.total - t->optim.steps));
    lt_code rc = LT_OK;

    *stopped = false;
    while (rc == LT_OK && !lt_trainer_done(t)) {
        bool end;
        *stopped = stop && t->optim.steps >= stop;
        if (*stopped) break;
        rc = lt_trainer_step(t, &end, err);
        lt_progress_add(p, 1);
        if (rc == LT_OK && end) rc = finish_epoch(c, t, checkpoint, err);
    }
    if (rc == LT_OK && *stopped) rc = lt_trainer_save(t, checkpoint, err);
    lt_progress_end(p);
    return rc;
}

/* Writes the integer network and evaluates it, exactly as lutra eval does. */
static lt_code deliver(lt_tune_run *r, const char *path, lt_err *err)
{
    const lt_dataset *d = &r->trainer.test;
    int right = 0, own = 0;
    qnet q, written;

    LT_TRY(lt_trainer_test(&r->trainer, 0, &own, err));
    LT_TRY(lt_tune_export(&r->tune, &q, err));
    lt_code rc = lt_qnet_save(&q, path, err);
    qnet_free(&q);
    if (rc == LT_OK) rc = lt_qnet_load(path, &written, err);
    if (rc != LT_OK) return rc;
    rc = golden_accuracy(&written, d->pixels, d->labels, d->n, NULL, &right, err);
    qnet_free(&written);
    if (rc == LT_OK)
        printf("%s: %.2f %% (%d of %d) on %s; before rounding to integers %.2f %%\n", path, 100.0 * right / d->n, right,
               d->n, d->name, 100.0 * own / d->n);
    return rc;
}

static lt_code go_on(const cli *c, lt_tune_run *r, const char *checkpoint, bool there, lt_err *err)
{
    const char *out = cli_text(c, "output");
    lt_trainer *t = &r->trainer;
    int right;
    bool stopped = false;

    if (there) {
        lt_code rc = lt_trainer_load(t, checkpoint, err);
        if (rc == LT_EINPUT) {
            lt_err why = *err;
            return lt_fail(err, rc, "%.900s; --restart begins anew", why.msg);
        }
        if (rc != LT_OK) return rc;
        printf("continuing after step %ld of %ld\n", t->optim.steps, t->schedule.total);
    } else {
        LT_TRY(lt_trainer_test(t, 0, &right, err));
        printf("before end-to-end training: %.2f %% of test images\n", 100.0 * right / t->test.n);
        fflush(stdout);
    }
    if (cli_choice(c, "method") != 0) LT_TRY(train(c, t, checkpoint, &stopped, err));
    if (!stopped) return deliver(r, out, err);
    printf("stopped after step %ld of %ld: %s\n", t->optim.steps, t->schedule.total, checkpoint);
    return LT_OK;
}

static lt_code run(const cli *c, lt_err *err)
{
    const char *out = cli_text(c, "output"), *given = cli_text(c, "checkpoint");
    char checkpoint[4096];
    lt_tune_run_options o = {0};
    lt_pq_options pq;
    lt_config cfg;

    if (!out) return lt_fail(err, LT_EINPUT, "lutra tune: got no --output, expected a file name");
    if (snprintf(checkpoint, sizeof checkpoint, "%s%s", given ? given : out, given ? "" : ".ckpt") >=
        (int)sizeof checkpoint)
        return lt_fail(err, LT_EINPUT, "%s: path too long", out);
    LT_TRY(read_quantisation(c, &o, &cfg, err));
    if (cfg.lanes && cfg.core == CORE_PQ) {
        LT_TRY(read_products(c, &cfg, &pq, err));
        o.pq = &pq;
    }
    read_training(c, &o);
    bool there = !cli_flag(c, "restart") && cli_choice(c, "method") != 0 && access(checkpoint, F_OK) == 0;
    o.skip_recon = there;
    lt_tune_run *r = malloc(sizeof *r);
    if (!r) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = lt_tune_run_open(r, &o, err);
    if (rc == LT_OK) {
        rc = go_on(c, r, checkpoint, there, err);
        lt_tune_run_close(r);
    }
    free(r);
    return rc;
}

lt_code cmd_tune(int argc, char **argv, lt_err *err)
{
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code rc = run(&c, err);
    cli_free(&c);
    return rc;
}
