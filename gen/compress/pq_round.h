/* Rounding the tables of a trained network in the metric of what its layers see, errors fed forward (lut_round.h). */
#ifndef LUTRA_COMPRESS_PQ_ROUND_H
#define LUTRA_COMPRESS_PQ_ROUND_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "compress/lut_round.h"
#include "model/prep.h"

/* Layer `layer` of net, whose layers before it are as they will be; images: the calibration images of p. table:
 * [codebook][tap][code][k] before rounding, antisymmetric if mirror is set. scale[k] receives the scales of the
 * integers, chosen as lt_lut_round does. lut receives the
 * integers in the order of table (malloc'ed), shift[k] what the layer's output loses by rounding on average, in units
 * of the table. */
lt_code lt_pq_round(const lt_prep *p, const qnet *net, int layer, const float *table, bool mirror,
                    const lt_lut_scaling *to, float *scale, int8_t **lut, float *shift, lt_err *err);

#endif
