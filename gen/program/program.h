/* Network -> program: layer descriptors and the packed weights, LUTs and parameters they load (docs/architecture.md,
 * sections 2, 4..6), as a program image. Every tensor gets a home: feature-buffer banks, a code map, or DRAM when it
 * does not fit; layers that touch DRAM tensors are cut into row tiles whose transfers overlap the computation of the
 * tile before. */
#ifndef LUTRA_PROGRAM_PROGRAM_H
#define LUTRA_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include "config/config.h"
#include "golden/cycle.h"
#include "golden/qnet.h"
#include "program/image.h"

typedef struct {
    bool dumps;     /* store every layer's output to scratch and wait for it: for tests, not for timing */
    bool profile;   /* one profile record per layer, in scratch */
    int last_layer; /* stop after this layer; -1: the whole network */
    int latency;    /* memory latency that the prediction assumes, cycles */
    int batch;      /* images per run, at least 1 (0: 1): they share table loads (pq); no dumps, no profile */
} lt_program_options;

typedef struct {
    lt_image image;       /* with the prediction of the cycle model, if it was built with profile */
    uint32_t (*desc)[16]; /* the descriptors, as they lie in the image's blob */
    int n_desc;
} lt_program;

/* n must have passed lt_quant_check with cfg->acc_bits. LT_EINPUT where the configuration cannot run a layer at all
 * (named, with what would have to be larger). On failure nothing is left to free. */
lt_code lt_program_build(const lt_config *cfg, const qnet *n, const lt_program_options *o, lt_program *p, lt_err *err);
void lt_program_free(lt_program *p);

#endif
