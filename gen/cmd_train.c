/* lutra train: trains a float network and writes it as ONNX. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "cli.h"
#include "model/exec.h"
#include "model/model.h"
#include "train/onnx_write.h"
#include "train/trainer.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE.onnx", NULL, 0, 0, "trained network to write"},
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0, "folder with cifar10/; without it procedural images"},
    {"preproc", 'p', CLI_TEXT, "KIND", "auto", 0, 0, "imagenet, unit, byte, auto or m0,m1,m2/s0,s1,s2 (of byte/255)"},
    {"init", 'i', CLI_CHOICE, "auto|scratch|keep", "auto", 0, 0,
     "new random weights, or those of the file; auto: scratch for resnet20, keep for files"},
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, "seed of weights, order of images, augmentation, procedural set"},
    {"epochs", 'e', CLI_INT, "N", "200", 1, 100000, "passes over the training images"},
    {"batch", 'b', CLI_INT, "N", "128", 1, 65536, "images per step"},
    {"train-images", 0, CLI_INT, "N", "0", 0, 10000000, "training images; 0: all (procedural: 10000)"},
    {"test-images", 'n', CLI_INT, "N", "0", 0, 10000000, "test images; 0: all (procedural: 10000)"},
    {"test-every", 0, CLI_INT, "N", "1", 0, 100000, "epochs between tests; 0: only at the end"},
    {"optimiser", 0, CLI_CHOICE, "sgd|adam", "sgd", 0, 0, "SGD with momentum, or Adam with decoupled weight decay"},
    {"momentum", 'm', CLI_REAL, "M", "0.9", 0, 0.9999, "of SGD"},
    {"nesterov", 0, CLI_FLAG, NULL, NULL, 0, 0, "Nesterov's momentum"},
    {"weight-decay", 'w', CLI_REAL, "W", "1e-4", 0, 0.9999, "of weights; biases and batch norm have none"},
    {"lr", 'l', CLI_REAL, "R", "0.1", 1e-9, 1000, "learning rate"},
    {"schedule", 0, CLI_CHOICE, "cosine|steps|constant", "cosine", 0, 0, "how the learning rate falls"},
    {"last-lr", 0, CLI_REAL, "R", "0", 0, 1000, "cosine: learning rate at the end"},
    {"milestones", 0, CLI_INTS, "E,E,...", NULL, 0, 100000, "steps: epochs after which the learning rate falls"},
    {"factor", 0, CLI_REAL, "F", "0.1", 1e-6, 1, "steps: by which it is multiplied"},
    {"warm-up", 0, CLI_REAL, "EPOCHS", "0", 0, 100000, "epochs in which the learning rate rises"},
    {"smoothing", 0, CLI_REAL, "S", "0", 0, 1, "label smoothing"},
    {"teacher", 't', CLI_TEXT, "MODEL", NULL, 0, 0, "float network to distil from"},
    {"distill", 0, CLI_REAL, "A", "0.9", 0, 1, "with --teacher: its weight in the loss"},
    {"temperature", 0, CLI_REAL, "T", "4", 0.01, 1000, "with --teacher: of both softmaxes"},
    {"no-flip", 0, CLI_FLAG, NULL, NULL, 0, 0, "do not flip images left to right"},
    {"crop", 0, CLI_INT, "N", "4", 0, 1024, "random window of the image with N black pixels around it; 0: none"},
    {"cutout", 0, CLI_INT, "N", "0", 0, 1024, "random square of N pixels set to the mean; 0: none"},
    {"freeze-bn", 0, CLI_FLAG, NULL, NULL, 0, 0, "batch norm keeps its running statistics"},
    {"checkpoint", 'c', CLI_TEXT, "FILE", NULL, 0, 0, "default: OUTPUT.ckpt; if it is there the run goes on from it"},
    {"checkpoint-steps", 0, CLI_INT, "N", "0", 0, 100000000, "also every N steps; 0: only after epochs"},
    {"restart", 0, CLI_FLAG, NULL, NULL, 0, 0, "begin anew whatever the checkpoint holds"},
    {"stop-after", 0, CLI_INT, "N", "0", 0, 100000000, "stop after step N of the run with a checkpoint; 0: do not"},
    {"log", 0, CLI_TEXT, "FILE", NULL, 0, 0, "one line per epoch, as .json or CSV"},
    {"chunk", 0, CLI_INT, "N", "8", 1, 1024, "images a core works on at a time; a part of the numerics"},
    {0}};
static const cli_spec spec = {
    "train",
    "MODEL",
    1,
    1,
    "Trains a float network. MODEL is resnet20 (the built-in architecture), or an .onnx or .npz file of any network "
    "that lutra prep reads. The same command continues a run that was stopped. Results do not depend on the number of "
    "threads.",
    options};

/* The words of --init, --schedule and --optimiser are in the order of the enums. */
static lt_code read_options(const cli *c, lt_train_options *o, lt_err *err)
{
    *o = lt_train_defaults();
    o->model = c->args[0];
    o->data_dir = cli_text(c, "data");
    o->preproc = cli_text(c, "preproc");
    o->scratch = cli_choice(c, "init") == 1 || (cli_choice(c, "init") == 0 && strcmp(o->model, "resnet20") == 0);
    o->seed = (uint64_t)cli_int(c, "seed");
    o->epochs = (int)cli_int(c, "epochs");
    o->batch = (int)cli_int(c, "batch");
    o->chunk = (int)cli_int(c, "chunk");
    o->train_images = (int)cli_int(c, "train-images");
    o->test_images = (int)cli_int(c, "test-images");
    o->optim.kind = (lt_optim_kind)cli_choice(c, "optimiser");
    o->optim.momentum = cli_real(c, "momentum");
    o->optim.nesterov = cli_flag(c, "nesterov");
    o->optim.weight_decay = cli_real(c, "weight-decay");
    o->schedule = (lt_schedule_kind)cli_choice(c, "schedule");
    o->lr = cli_real(c, "lr");
    o->last_lr = cli_real(c, "last-lr");
    o->factor = cli_real(c, "factor");
    o->warmup_epochs = cli_real(c, "warm-up");
    o->loss.smoothing = cli_real(c, "smoothing");
    o->teacher = cli_text(c, "teacher");
    o->loss.distill = o->teacher ? cli_real(c, "distill") : 0;
    o->loss.temperature = cli_real(c, "temperature");
    o->augment = (lt_augment_options){!cli_flag(c, "no-flip"), (int)cli_int(c, "crop"), (int)cli_int(c, "cutout")};
    o->freeze_bn = cli_flag(c, "freeze-bn");
    const int *m = cli_ints(c, "milestones", &o->n_milestones);
    if (o->n_milestones > LT_MAX_MILESTONES)
        return lt_fail(err, LT_EINPUT, "lutra train: --milestones: got %d, expected at most %d", o->n_milestones,
                       LT_MAX_MILESTONES);
    for (int i = 0; i < o->n_milestones; i++) o->milestone[i] = m[i];
    if (o->schedule == LT_STEPS && !o->n_milestones)
        return lt_fail(err, LT_EINPUT, "lutra train: --schedule steps: got no --milestones, expected E,E,...");
    return LT_OK;
}

static void print_row(const lt_trainer *t, const lt_train_row *r)
{
    printf("epoch %d/%d: loss %.4f, %.2f %% of training images right", r->epoch, t->o.epochs, r->loss, r->train_acc);
    if (r->test_acc >= 0) printf(", %.2f %% of test images", r->test_acc);
    printf(", lr %.3g, %.0f images/s\n", r->lr, r->seconds > 0 ? t->train.n / r->seconds : 0);
    fflush(stdout);
}

static lt_code finish_epoch(const cli *c, lt_trainer *t, const char *checkpoint, lt_err *err)
{
    lt_train_row *r = &t->rows[t->n_rows - 1];
    int every = (int)cli_int(c, "test-every"), right;

    if ((every && r->epoch % every == 0) || lt_trainer_done(t)) {
        LT_TRY(lt_trainer_test(t, 0, &right, err));
        r->test_acc = 100.0 * right / t->test.n;
    }
    print_row(t, r);
    LT_TRY(lt_trainer_save(t, checkpoint, err));
    return cli_text(c, "log") ? lt_trainer_log(t, cli_text(c, "log"), err) : LT_OK;
}

static lt_code train(const cli *c, lt_trainer *t, const char *checkpoint, bool *stopped, lt_err *err)
{
    long every = (long)cli_int(c, "checkpoint-steps"), stop = (long)cli_int(c, "stop-after");
    lt_progress *p = lt_progress_start("training", (size_t)(t->schedule.total - t->optim.steps));
    lt_code rc = LT_OK;

    *stopped = false;
    while (rc == LT_OK && !lt_trainer_done(t)) {
        bool end;
        *stopped = stop && t->optim.steps >= stop;
        if (*stopped) break;
        rc = lt_trainer_step(t, &end, err);
        lt_progress_add(p, 1);
        if (rc == LT_OK && end)
            rc = finish_epoch(c, t, checkpoint, err);
        else if (rc == LT_OK && every && t->optim.steps % every == 0)
            rc = lt_trainer_save(t, checkpoint, err);
    }
    if (rc == LT_OK && *stopped) rc = lt_trainer_save(t, checkpoint, err);
    lt_progress_end(p);
    return rc;
}

/* prep and eval guess the preprocessing from the file's name; say so if they will guess wrong. */
static void print_preproc(const lt_graph *read, const lt_graph *trained)
{
    const float *m = trained->pre.mean, *s = trained->pre.std;
    if (memcmp(&read->pre, &trained->pre, sizeof read->pre) == 0) return;
    printf("prep and eval need --preproc %.9g,%.9g,%.9g/%.9g,%.9g,%.9g for it\n", (double)m[0], (double)m[1],
           (double)m[2], (double)s[0], (double)s[1], (double)s[2]);
}

/* Writes the network, reads it back and evaluates what was read, exactly as lutra eval does. */
static lt_code deliver(lt_trainer *t, const char *path, lt_err *err)
{
    lt_graph g;
    int right = 0, own = 0;

    LT_TRY(lt_net_save_onnx(t->net, path, err));
    LT_TRY(lt_trainer_test(t, 0, &own, err));
    LT_TRY(lt_model_load(path, NULL, 0, &g, NULL, err));
    print_preproc(&g, lt_net_graph(t->net));
    g.pre = lt_net_graph(t->net)->pre;
    lt_code rc = lt_graph_lower(&g, err);
    if (rc == LT_OK) rc = lt_exec_accuracy(&g, &t->test, t->test.n, &right, err);
    lt_graph_free(&g);
    if (rc != LT_OK) return rc;
    printf("%s: %.2f %% (%d of %d) on %s\n", path, 100.0 * right / t->test.n, right, t->test.n, t->test.name);
    /* rounding may turn an image or two that were on the edge */
    if (abs(right - own) > 2 + t->test.n / 500)
        return lt_fail(err, LT_EINTERNAL, "%s: the written network is right on %d images, the trained one on %d", path,
                       right, own);
    return LT_OK;
}

static lt_code run(const cli *c, lt_err *err)
{
    const char *out = cli_text(c, "output");
    char checkpoint[4096];
    lt_train_options o;
    lt_trainer t;
    bool stopped;

    if (!out) return lt_fail(err, LT_EINPUT, "lutra train: got no --output, expected a file name");
    const char *given = cli_text(c, "checkpoint");
    if (snprintf(checkpoint, sizeof checkpoint, "%s%s", given ? given : out, given ? "" : ".ckpt") >=
        (int)sizeof checkpoint)
        return lt_fail(err, LT_EINPUT, "%s: path too long", out);
    LT_TRY(read_options(c, &o, err));
    LT_TRY(lt_trainer_create(&t, &o, err));
    lt_code rc = LT_OK;
    if (!cli_flag(c, "restart") && access(checkpoint, F_OK) == 0) {
        rc = lt_trainer_load(&t, checkpoint, err);
        if (rc == LT_OK) printf("continuing after step %ld of %ld\n", t.optim.steps, t.schedule.total);
        if (rc == LT_EINPUT) {
            lt_err why = *err;
            lt_fail(err, rc, "%.900s; --restart begins anew", why.msg);
        }
    }
    if (rc == LT_OK) rc = train(c, &t, checkpoint, &stopped, err);
    if (rc == LT_OK && stopped)
        printf("stopped after step %ld of %ld: %s\n", t.optim.steps, t.schedule.total, checkpoint);
    else if (rc == LT_OK)
        rc = deliver(&t, out, err);
    lt_trainer_free(&t);
    return rc;
}

lt_code cmd_train(int argc, char **argv, lt_err *err)
{
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code rc = run(&c, err);
    cli_free(&c);
    return rc;
}
