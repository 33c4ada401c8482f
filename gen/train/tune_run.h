/* A tuning run: from MODEL over training to the integer network. The trainer does the steps; this makes the network and
 * hands the result over. */
#ifndef LUTRA_TRAIN_TUNE_RUN_H
#define LUTRA_TRAIN_TUNE_RUN_H

#include "compress/pq.h"
#include "train/trainer.h"
#include "train/tune.h"

/* What is trained, as in the study of PQA; the frozen rest keeps its first values. */
typedef enum {
    LT_TUNE_ALL,        /* everything */
    LT_TUNE_PROTOTYPES, /* prototypes or thresholds and temperatures */
    LT_TUNE_TABLES,     /* tables (dense layers: weights), their steps and batch norms */
    LT_TUNE_BOTH        /* both, but nothing of dense layers */
} lt_tune_set;

typedef struct {
    lt_prep_options prep;
    const lt_pq_options *pq; /* NULL: dense layers only */
    lt_tune_options tune;
    lt_train_options
        train; /* model, data_dir, seed, preproc follow prep's; method, graph, parts, prepare are set here */
    lt_tune_set set;
    const char *start;   /* integer network to start from, of the same structure; NULL: what lutra prep makes */
    double softness_end; /* temperatures fall from tune.encode.temperature to this in the steps of the trainer, instead
                            of being learned; 0: they do not */
    int recon_steps;     /* of every layer's own reconstruction before the end-to-end training; 0: none */
    double recon_lr;     /* Adam's */
    const char *note;    /* more that checkpoints have to agree in; NULL: nothing */
} lt_tune_run_options;

typedef struct {
    lt_tune_run_options o;
    lt_prep prep;
    lt_tune tune;
    lt_trainer trainer;
    char method[512];
    bool open;
} lt_tune_run;

/* Prepares, makes the network, and stands before the reconstruction and the first step of the trainer: a checkpoint may
 * be loaded into r->trainer. r must stay where it is until it is closed. */
lt_code lt_tune_run_open(lt_tune_run *r, const lt_tune_run_options *o, lt_err *err);
void lt_tune_run_close(lt_tune_run *r);

/* A layer is done, and the trainer is in a state worth a checkpoint. Errors: mean squared distance from the float
 * network's tensor of the node, over that tensor's variance, on the last training images, before and after. */
typedef lt_code (*lt_recon_done)(void *ctx, const char *layer, double before, double after, lt_err *err);

/* tune_recon.c: the reconstruction that the options ask for, from where a checkpoint left it (lt_trainer.prepared:
 * nodes done): every convolution in turn (encoder, tables or weights, steps, batch norm) against the float network's
 * tensor of its node, on inputs as the layers before leave them; batch statistics stay as they are. recon_steps
 * minibatches each, Adam; a layer that they would make worse stays as it was. LT_EINPUT: an error that is not
 * finite. done may be NULL. */
lt_code lt_tune_reconstruct(lt_tune_run *r, lt_recon_done done, void *ctx, lt_err *err);

#endif
