/* Calibration: what values each tensor of a float graph takes on sample images, and the scale that follows. */
#ifndef LUTRA_MODEL_CALIB_H
#define LUTRA_MODEL_CALIB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "model/dataset.h"
#include "model/graph.h"

enum { LT_HIST_BINS = 4096 };

/* Statistics of one tensor over all calibration images. */
typedef struct {
    double min, max;
    uint64_t count;              /* values seen */
    uint64_t hist[LT_HIST_BINS]; /* of |x|, equal bins over 0 .. max(|min|,|max|) */
    double *mean;                /* [C]: per-channel mean */
} lt_tensor_stats;

typedef struct {
    int n, images;
    lt_tensor_stats *t; /* one per node of the graph */
} lt_calib;

typedef enum {
    LT_CALIB_MINMAX,     /* largest magnitude seen */
    LT_CALIB_PERCENTILE, /* magnitude below which `percentile` of the values lie */
    LT_CALIB_MSE         /* clipping point of least squared error for the given number of bits */
} lt_calib_method;

/* Two passes over the first `images` images (range, then histogram), all cores. Deterministic for a given BLAS. */
lt_code lt_calib_run(lt_calib *c, const lt_graph *g, const lt_dataset *d, int images, lt_err *err);
void lt_calib_free(lt_calib *c);

/* real = scale * integer for a `bits` wide signed or unsigned tensor with these statistics. Never 0: a tensor that is
 * all zero gets scale 1. percentile (0..100] is read by LT_CALIB_PERCENTILE only. */
double lt_calib_scale(const lt_tensor_stats *t, lt_calib_method method, double percentile, int bits, bool is_signed);

#endif
