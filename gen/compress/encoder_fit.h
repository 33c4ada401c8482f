/* Fitting the encoders of product quantisation to sample vectors. */
#ifndef LUTRA_COMPRESS_ENCODER_FIT_H
#define LUTRA_COMPRESS_ENCODER_FIT_H

#include <stdint.h>
#include "base/err.h"
#include "golden/qnet.h"

/* Allocates the arrays of *e, whose scalar members (mode .. s) are set. */
lt_code lt_encoder_alloc(qencoder *e, lt_err *err);

/* Fits codebook cb of e to x[n][length], full integers of tensor t (low bits are dropped here): k-means prototypes
 * rounded to enc_bits, or a tree (mirrored: one of lt_tree_fit_mirrored). Codebooks are independent and may be fitted
 * in parallel. The samples' codes go to codes[n] if it is not NULL. */
lt_code lt_encoder_fit(qencoder *e, const qtensor *t, int cb, const int16_t *x, int n, bool mirrored, int iterations,
                       uint64_t seed, uint8_t *codes, lt_err *err);

/* Mean of the vectors that fall on each code, in full integers: proto[prototypes][length]; a code that no sample has
 * gets the encoder's own prototype (l1, l2) or the mean of all samples (tree). */
lt_code lt_encoder_means(const qencoder *e, int cb, const int16_t *x, const uint8_t *codes, int n, float *proto,
                         lt_err *err);

#endif
