/* Lookup tables to small integers. */
#ifndef LUTRA_COMPRESS_LUT_ROUND_H
#define LUTRA_COMPRESS_LUT_ROUND_H

#include <stdint.h>
#include "base/err.h"
#include "compress/lut_fit.h"

/* What scales may be: at least finest; snap moves those of all outputs to ones that the layer's multipliers can say
 * (NULL: any will do). */
typedef struct {
    float finest;
    lt_code (*snap)(void *ctx, float *scale, lt_err *err);
    void *ctx;
} lt_lut_scaling;

/* Rounds column k of table[entries][k] to multiples of scale[k], which it sets: q[entries][k] of `bits` signed bits.
 * Scales are of least squared error weighted by how often entries occur. With normal (of
 * lt_lut_normal) != NULL the error is that of the layer's output over the samples: rounding errors are fed forward into
 * the entries not yet rounded (GPTQ, Frantar et al. 2022, section 3.2), single entries are then moved until none lowers
 * the error (coordinate descent), and scales near the first one are tried. bias[k] is corrected so that the mean
 * error over the samples is 0. Deterministic whatever the number of threads. */
lt_code lt_lut_round(const lt_lut_samples *s, const float *table, const double *normal, int bits,
                     const lt_lut_scaling *to, int8_t *q, float *scale, float *bias, lt_err *err);

#endif
