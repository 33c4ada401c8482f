/* What the commands that train share: rows of the option table, their reading, the loop over steps. Part of the program
 * like cli.h. */
#ifndef LUTRA_TRAIN_CLI_H
#define LUTRA_TRAIN_CLI_H

#include "cli.h"
#include "train/trainer.h"

/* clang-format off */

/* What determines a run's result; defaults and two texts are the command's. */
#define TRAIN_CLI_SETTINGS(EPOCHS, OPTIMISER, LR, TEACHER, DISTILL) \
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0, "folder with cifar10/ and models/; without it procedural images"}, \
    {"preproc", 'p', CLI_TEXT, "KIND", "auto", 0, 0, "imagenet, unit, byte, auto or m0,m1,m2/s0,s1,s2 (of byte/255)"}, \
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, \
     "seed of first weights or k-means, order of images, augmentation, procedural set"}, \
    {"epochs", 'e', CLI_INT, "N", EPOCHS, 1, 100000, "passes over the training images"}, \
    {"batch", 'b', CLI_INT, "N", "128", 1, 65536, "images per step"}, \
    {"train-images", 0, CLI_INT, "N", "0", 0, 10000000, "training images; 0: all (procedural: 10000)"}, \
    {"test-images", 'n', CLI_INT, "N", "0", 0, 10000000, "test images; 0: all (procedural: 10000)"}, \
    {"optimiser", 0, CLI_CHOICE, "sgd|adam", OPTIMISER, 0, 0, "SGD with momentum, or Adam with decoupled weight decay"}, \
    {"momentum", 0, CLI_REAL, "M", "0.9", 0, 0.9999, "of SGD"}, \
    {"nesterov", 0, CLI_FLAG, NULL, NULL, 0, 0, "Nesterov's momentum"}, \
    {"weight-decay", 'w', CLI_REAL, "W", "1e-4", 0, 0.9999, "of dense weights; nothing else has any"}, \
    {"lr", 'l', CLI_REAL, "R", LR, 1e-9, 1000, "learning rate"}, \
    {"schedule", 0, CLI_CHOICE, "cosine|steps|constant", "cosine", 0, 0, "how the learning rate falls"}, \
    {"last-lr", 0, CLI_REAL, "R", "0", 0, 1000, "cosine: learning rate at the end"}, \
    {"milestones", 0, CLI_INTS, "E,E,...", NULL, 0, 100000, "steps: epochs after which the learning rate falls"}, \
    {"factor", 0, CLI_REAL, "F", "0.1", 1e-6, 1, "steps: by which it is multiplied"}, \
    {"warm-up", 0, CLI_REAL, "EPOCHS", "0", 0, 100000, "epochs in which the learning rate rises"}, \
    {"smoothing", 0, CLI_REAL, "S", "0", 0, 1, "label smoothing"}, \
    {"teacher", 't', CLI_TEXT, "MODEL,...", NULL, 0, 0, TEACHER}, \
    {"distill", 0, CLI_REAL, "A", "0.9", 0, 1, DISTILL}, \
    {"temperature", 0, CLI_REAL, "T", "4", 0.01, 1000, "of both softmaxes of the distillation"}, \
    {"no-flip", 0, CLI_FLAG, NULL, NULL, 0, 0, "do not flip images left to right"}, \
    {"crop", 0, CLI_INT, "N", "4", 0, 1024, "random window of the image with N black pixels around it; 0: none"}, \
    {"cutout", 0, CLI_INT, "N", "0", 0, 1024, "random square of N pixels set to the mean; 0: none"}, \
    {"freeze-bn", 0, CLI_FLAG, NULL, NULL, 0, 0, "batch norm keeps its running statistics"}, \
    {"chunk", 0, CLI_INT, "N", "8", 1, 1024, "images a core works on at a time; a part of the numerics"}, \
    {"precision", 0, CLI_CHOICE, "f32|bf16", "f32", 0, 0, \
     "what convolutions multiply while training: floats, or floats rounded to bfloat16; sums and all else are floats"}

/* How one run is watched and stopped. */
#define TRAIN_CLI_RUN \
    {"test-every", 0, CLI_INT, "N", "1", 0, 100000, "epochs between tests; 0: only at the end"}, \
    {"checkpoint", 'c', CLI_TEXT, "FILE", NULL, 0, 0, "default: OUTPUT.ckpt; if it is there the run goes on from it"}, \
    {"checkpoint-steps", 0, CLI_INT, "N", "0", 0, 100000000, "also every N steps; 0: only after epochs"}, \
    {"restart", 0, CLI_FLAG, NULL, NULL, 0, 0, "begin anew whatever the checkpoint holds"}, \
    {"stop-after", 0, CLI_INT, "N", "0", 0, 100000000, "stop after step N of the run with a checkpoint; 0: do not"}, \
    {"log", 0, CLI_TEXT, "FILE", NULL, 0, 0, "one line per epoch, as .json or CSV"}

/* clang-format on */

/* TRAIN_CLI_SETTINGS -> o, but for the model: o->model = args[0], and o->teacher as given. */
lt_code train_cli_settings(const cli *c, lt_train_options *o, lt_err *err);

/* TRAIN_CLI_RUN and --output, which has to be given. */
typedef struct {
    const char *what; /* of the progress line */
    const char *log;  /* NULL: none */
    char checkpoint[4096];
    int test_every;
    long checkpoint_steps, stop_after;
    bool resume; /* the checkpoint is there and wanted */
    bool quiet;  /* no line per epoch, no test at its end */
} train_cli_run;

lt_code train_cli_run_read(const cli *c, const char *what, train_cli_run *r, lt_err *err);

/* Continues from the checkpoint if r->resume, and says after which step, if that or nothing else came before it. */
lt_code train_cli_resume(const train_cli_run *r, lt_trainer *t, lt_err *err);
/* The steps that are left, with a line per epoch; *stopped: ended by --stop-after, which is said, too. */
lt_code train_cli_steps(const train_cli_run *r, lt_trainer *t, bool *stopped, lt_err *err);

#endif
