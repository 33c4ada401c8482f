/* lutra tune: trains an integer network, starting from what lutra prep makes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "golden/accuracy.h"
#include "model/qnet_file.h"
#include "train/tune_run.h"
#include "train_cli.h"

enum { LAYERS, NETWORK, BOTH }; /* the words of --method */

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE.lqn", NULL, 0, 0, "integer network to write"},
    {"config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     "accelerator configuration: lanes, acc_bits, mult_bits; of core pq: layers become lookups"},
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
    {"softness-end", 0, CLI_REAL, "T", "0", 0, 1000,
     "--assign soft: temperature of the last step, falling geometrically instead of being trained; 0: it does not"},
    {"fixed-softness", 0, CLI_FLAG, NULL, NULL, 0, 0, "--assign soft: do not train the temperature"},
    {"tables", 0, CLI_CHOICE, "free|products", "free", 0, 0,
     "entries are free, or products of the codes' vectors and weights"},
    {"start", 0, CLI_TEXT, "FILE.lqn", NULL, 0, 0,
     "tables and steps to start from, made of MODEL with the same settings"},
    {"follow", 0, CLI_REAL, "S", "0", 0, 1,
     "share of the way that prototypes go, in each step, to the mean of what they stand for"},
    {"recon-steps", 0, CLI_INT, "N", "100", 1, 1000000, "minibatches per layer of --method layers and both"},
    {"recon-lr", 0, CLI_REAL, "R", "1e-3", 1e-9, 1, "learning rate (Adam) of the same"},
    {"calib-images", 'i', CLI_INT, "N", "512", 1, 50000, "training images the first steps and tables come from"},
    TRAIN_CLI_SETTINGS("20", "adam", "1e-3",
                       "float networks to distil from, the mean of their logits; default: MODEL itself",
                       "weight of the teacher in the loss; 0: none"),
    TRAIN_CLI_RUN,
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
    if (cli_real(c, "softness-end") > 0 && cli_choice(c, "assign") == LT_ASSIGN_HARD)
        return lt_fail(err, LT_EINPUT, "lutra tune: --softness-end: got --assign hard, expected --assign soft");
    o->softness_end = cli_real(c, "softness-end");
    if (o->softness_end > 0 && o->softness_end < 0.001)
        return lt_fail(err, LT_EINPUT, "lutra tune: --softness-end: got %g, expected 0 or 0.001..1000",
                       o->softness_end);
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
                                           .follow = (float)cli_real(c, "follow")},
                                .products = cli_choice(c, "tables") == 1};
    o->start = cli_text(c, "start");
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
    pq->mirror = cfg->pq_mirror;
    pq->images = (int)cli_int(c, "calib-images");
    pq->seed = (uint64_t)cli_int(c, "seed");
    return cli_text(c, "pq-overrides") ? lt_pq_read_overrides(cli_text(c, "pq-overrides"), pq, err) : LT_OK;
}

static lt_code read_training(const cli *c, lt_tune_run_options *o, lt_err *err)
{
    lt_train_options *t = &o->train;

    LT_TRY(train_cli_settings(c, t, err));
    if (!t->teacher) t->teacher = t->model;
    if (t->loss.distill == 0) t->teacher = NULL;
    o->set = (lt_tune_set)cli_choice(c, "train");
    o->recon_steps = cli_choice(c, "method") == NETWORK ? 0 : (int)cli_int(c, "recon-steps");
    o->recon_lr = cli_real(c, "recon-lr");
    return LT_OK;
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

typedef struct {
    const lt_trainer *trainer;
    const char *checkpoint;
} recon_watch;

static lt_code reconstructed(void *ctx, const char *layer, double before, double after, lt_err *err)
{
    const recon_watch *w = ctx;
    printf("%s: reconstruction error %.4f -> %.4f\n", layer, before, after);
    fflush(stdout);
    return lt_trainer_save(w->trainer, w->checkpoint, err);
}

static lt_code go_on(const cli *c, lt_tune_run *t, const train_cli_run *r, lt_err *err)
{
    recon_watch w = {&t->trainer, r->checkpoint};
    bool stopped = false;
    int right;

    LT_TRY(train_cli_resume(r, &t->trainer, err));
    int done = t->trainer.prepared;
    if (done > 0 && done < t->tune.n && !t->trainer.optim.steps)
        printf("continuing after the reconstruction of %s\n", t->tune.net.layers[done - 1].name);
    LT_TRY(lt_tune_reconstruct(t, reconstructed, &w, err));
    if (!t->trainer.optim.steps) {
        LT_TRY(lt_trainer_test(&t->trainer, 0, &right, err));
        printf("before end-to-end training: %.2f %% of test images\n", 100.0 * right / t->trainer.test.n);
        fflush(stdout);
    }
    if (cli_choice(c, "method") != LAYERS) LT_TRY(train_cli_steps(r, &t->trainer, &stopped, err));
    return stopped ? LT_OK : deliver(t, cli_text(c, "output"), err);
}

static lt_code run(const cli *c, lt_err *err)
{
    lt_tune_run_options o = {0};
    train_cli_run r;
    lt_pq_options pq;
    lt_config cfg;

    LT_TRY(train_cli_run_read(c, "tuning", &r, err));
    LT_TRY(read_quantisation(c, &o, &cfg, err));
    if (cfg.lanes && cfg.core == CORE_PQ) {
        LT_TRY(read_products(c, &cfg, &pq, err));
        o.pq = &pq;
    }
    LT_TRY(read_training(c, &o, err));
    lt_tune_run *t = malloc(sizeof *t);
    if (!t) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = lt_tune_run_open(t, &o, err);
    if (rc == LT_OK) {
        rc = go_on(c, t, &r, err);
        lt_tune_run_close(t);
    }
    free(t);
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
