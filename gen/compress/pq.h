/* Product quantisation of a network without training: layers are replaced in order, each fitted on the activations that
 * the already replaced ones before it produce, against the float network's output of the layer. */
#ifndef LUTRA_COMPRESS_PQ_H
#define LUTRA_COMPRESS_PQ_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "model/prep.h"

enum { LT_PQ_MAX_OVERRIDES = 256 };

typedef enum { PQ_LUT_LSQ, PQ_LUT_PRODUCTS } lt_pq_lut;

/* Settings of one layer by name (may end in '*'); 0 = as the options say. */
typedef struct {
    char name[QN_NAME];
    int dense; /* 1: keep dense, -1: replace although it is first or last */
    int prototypes, length;
} lt_pq_override;

typedef struct {
    qpq_mode mode;
    qpq_encoder encoder;
    int prototypes, length; /* length: channels per codebook (channel mode); spatial mode takes R*S */
    int enc_bits, lut_bits;
    bool mirror; /* tables antisymmetric, T[K-1-c] = -T[c]; needs trees, channel mode and K of at least 2^length */
    lt_pq_lut lut;
    bool feedback;  /* LSQ: feed rounding errors forward (see lt_lut_round) */
    double ridge;   /* LSQ: weight of |table|^2 per sample */
    int iterations; /* of k-means */
    int images;     /* calibration images used; <= prep's */
    int positions;  /* output pixels sampled per image and layer */
    uint64_t seed;
    int n_overrides;
    lt_pq_override override[LT_PQ_MAX_OVERRIDES];
} lt_pq_options;

lt_pq_options lt_pq_defaults(void);

/* Reads overrides, one per line: `name dense`, `name lookup`, `name prototypes=N length=N`; # starts a comment. */
lt_code lt_pq_read_overrides(const char *path, lt_pq_options *o, lt_err *err);

/* What became of one convolution. */
typedef struct {
    int layer; /* of the network */
    int codebooks, prototypes, length;
    double error; /* mean squared error over variance of the layer's linear output, on the calibration samples */
} lt_pq_result;

/* Replaces convolutions of p->net: every one but the first and last, grouped ones, and (spatial mode) 1x1 kernels.
 * results[p->net.n_layers] receives one entry per replaced layer, *n_results of them. The proof that nothing overflows
 * (acc_bits) is repeated for the result. */
lt_code lt_pq_fit(lt_prep *p, const lt_pq_options *o, int acc_bits, int mult_bits, lt_pq_result *results,
                  int *n_results, lt_err *err);

#endif
