/* Lookup tables of a PQ layer, solved against the layer's true output (lut_round.h rounds them). */
#ifndef LUTRA_COMPRESS_LUT_FIT_H
#define LUTRA_COMPRESS_LUT_FIT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

/* Samples of one layer: `rows` output pixels; each row looks up `active` entries (one per codebook and tap), numbers
 * idx[rows][active] in 0..entries-1, ascending along a row, ~number where the negative of the entry is looked up
 * (mirrored tables), or LT_LUT_NONE where the tap lies outside; y[rows][k] = true output. */
enum { LT_LUT_NONE = INT32_MIN };
typedef struct {
    int rows, active, entries, k;
    const int32_t *idx;
    const float *y;
    bool mirrored; /* entries lie in -max..max */
} lt_lut_samples;

/* The entry of a sample and the sign it is looked up with; 0: none. */
static inline int lt_lut_entry(int32_t idx, int *entry)
{
    *entry = idx < 0 ? ~idx : idx;
    return idx == LT_LUT_NONE ? 0 : idx < 0 ? -1 : 1;
}

/* Normal matrix [entries][entries] of the samples, for lt_lut_round: centred counts of entries looked up together, with
 * ridge*rows on the diagonal. */
lt_code lt_lut_normal(const lt_lut_samples *s, double ridge, double *normal, lt_err *err);

/* Ridge least squares, joint over all codebooks and taps: table[entries][k] and bias[k] minimise
 * |y - sum of entries - bias|^2 + ridge*rows*|table|^2. normal (may be NULL) receives the matrix
 * of lt_lut_normal. Entries that never occur become 0. Deterministic whatever the number of threads. */
lt_code lt_lut_solve(const lt_lut_samples *s, double ridge, float *table, float *bias, double *normal, lt_err *err);

/* Mean squared error and variance of y over the samples with the rounded table. */
void lt_lut_error(const lt_lut_samples *s, const int8_t *q, const float *scale, const float *bias, double *mse,
                  double *variance);

#endif
