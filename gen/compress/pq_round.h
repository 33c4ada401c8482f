/* Rounding the tables of a trained network in the metric of what its layers see, errors fed forward (lut_fit.h). */
#ifndef LUTRA_COMPRESS_PQ_ROUND_H
#define LUTRA_COMPRESS_PQ_ROUND_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "model/prep.h"

/* Moves scales to ones that the layer's multipliers can say. */
typedef struct {
    lt_code (*snap)(void *ctx, float *scale, lt_err *err);
    void *ctx;
} lt_pq_snap;

/* Layer `layer` of net, whose layers before it are as they will be; images: the calibration images of p. table:
 * [codebook][tap][code][k] before rounding, antisymmetric if mirror is set. scale[k] receives the scales of the
 * integers: those of least squared error over the entries that the samples look up, after snap. lut receives the
 * integers in the order of table (malloc'ed), shift[k] what the layer's output loses by rounding on average, in units
 * of the table. */
lt_code lt_pq_round(const lt_prep *p, const qnet *net, int layer, const float *table, bool mirror,
                    const lt_pq_snap *snap, float *scale, int8_t **lut, float *shift, lt_err *err);

#endif
