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
    int recon_steps; /* of every layer's own reconstruction before the end-to-end training; 0: none */
    double recon_lr; /* Adam's */
    bool skip_recon; /* a checkpoint replaces its result */
} lt_tune_run_options;

typedef struct {
    lt_tune_run_options o;
    lt_prep prep;
    lt_tune tune;
    lt_trainer trainer;
    char method[256];
    bool open;
} lt_tune_run;

/* Prepares, makes the network, reconstructs layer by layer, and stands before the first step of the trainer. r must
 * stay where it is until it is closed. */
lt_code lt_tune_run_open(lt_tune_run *r, const lt_tune_run_options *o, lt_err *err);
void lt_tune_run_close(lt_tune_run *r);

/* tune_recon.c: every convolution in turn (encoder, tables or weights, steps, batch norm) against the float network's
 * tensor of its node, on inputs as the layers before leave them; batch statistics stay as they are. steps minibatches
 * each, Adam. */
lt_code lt_tune_reconstruct(lt_tune *t, lt_trainer *tr, int steps, double lr, lt_err *err);

#endif
