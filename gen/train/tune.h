/* Tuning of an integer network: the float network that computes, in floats, what the integer network computes, so that
 * training it trains the integers.
 *
 * It is made from what `lutra prep` leaves (lt_prep: the lowered float graph and the integer network made of it) and
 * starts as that network. Every convolution but the last has a batch norm behind it, also where the file had folded it:
 * its scale and shift go into the multipliers and the bias of the integer network at the end. That costs nothing in
 * hardware, and low bits train far better with batch statistics than with folded weights, whose rounding would change
 * with every change of the statistics. Every tensor is fake-quantised with a learned step, weights and tables with one
 * step per output channel; the steps used are those that the narrow multiplier can say exactly.
 *
 * Lookup layers have their encoders and tables trained (encode.h). */
#ifndef LUTRA_TRAIN_TUNE_H
#define LUTRA_TRAIN_TUNE_H

#include <stdbool.h>
#include "base/err.h"
#include "golden/qnet.h"
#include "model/prep.h"
#include "train/encode.h"
#include "train/grid.h"
#include "train/net.h"

typedef struct {
    int acc_bits, mult_bits;
    int edge_bits; /* the input of the last layer has this many bits unless the network says otherwise; 0: as it is */
    bool learn_steps;
    bool relative_steps; /* for Adam, whose steps are as large as the learning rate: that of a step is its share */
    bool continued;      /* the integer network is to be trained on: dense layers, too, begin as it has them */
    bool products;       /* tables are products of vectors and weights (products.h); else each entry is free */
    bool mirror; /* tables are antisymmetric (lt_pq_options.mirror); their trees then change with products only */
    lt_encode_options encode;
} lt_tune_options;

/* One node of the lowered graph, as it is trained. */
typedef struct {
    int linear, bn, tail;       /* nodes of the training graph, -1: none */
    lt_layer *conv, *norm, *fq; /* its layers; conv: of the tables, too */
    float step;                 /* scale of the node's tensor in this pass: lt_tune_refresh */
    float *steps;               /* [K] first steps of weights or tables */
} lt_tune_node;

typedef struct lt_tune lt_tune;

/* Context of hooks: a node of a network. */
typedef struct {
    lt_tune *t;
    int node;
} lt_tune_place;

struct lt_tune {
    const lt_prep *p;
    lt_tune_options o;
    qnet net;       /* p's, its encoders and tables not owned: where formats and first values come from */
    lt_graph graph; /* the training graph */
    int n;          /* nodes of the lowered graph */
    lt_tune_node *nodes;
    lt_tune_place *place;  /* [n] */
    lt_encoder **encoders; /* [net.n_encoders], owned by layers; NULL where there is a grid */
    lt_grid **grids;       /* [net.n_encoders] of mirrored products, owned by layers */
};

/* p must outlive t. */
lt_code lt_tune_open(lt_tune *t, const lt_prep *p, const lt_tune_options *o, lt_err *err);
void lt_tune_free(lt_tune *t);

/* For lt_net_options.parts: encoders and fake quantisation. t must stay where it is. */
lt_net_parts lt_tune_parts(lt_tune *t);
/* Once the network of t->graph is made: finds its layers, sets hooks and limits. */
lt_code lt_tune_attach(lt_tune *t, lt_net *net, lt_err *err);

/* After a calibration: the vectors that tables of products begin with. */
void lt_tune_start_products(lt_tune *t);

/* Scales of all tensors from the learned steps. Where a residual is added, the output's is moved so that the residual's
 * multiplier is an integer. Done at the start of every pass. */
void lt_tune_refresh(lt_tune *t);

/* Numbers of the requantisation of node i for these steps of its weights. */
typedef struct {
    int shift, res_mult;
    int *mult;    /* [K] */
    double *gain; /* [K] real output per accumulator step that mult stands for */
    double *bias; /* [K] in real units of the output */
} lt_tune_scales;

lt_code lt_tune_scales_of(const lt_tune *t, int i, const float *steps, lt_tune_scales *s, lt_err *err);
void lt_tune_scales_free(lt_tune_scales *s);

/* The integer network that the present parameters stand for; proven as prep does. */
lt_code lt_tune_export(lt_tune *t, qnet *out, lt_err *err);

#endif
