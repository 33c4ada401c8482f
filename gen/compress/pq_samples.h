/* Sampled output pixels of a layer: the true outputs (float network) and the integer windows they are computed from. */
#ifndef LUTRA_COMPRESS_PQ_SAMPLES_H
#define LUTRA_COMPRESS_PQ_SAMPLES_H

#include <stdint.h>
#include "base/err.h"
#include "model/prep.h"

typedef struct {
    int layer;
    int per_image, rows, k; /* rows = images * per_image */
    int32_t *at;            /* [rows] output pixel p*Q + q */
    float *y;               /* [rows][k] linear output of the float network, bias included */
    int c, taps;
    int16_t *x;      /* [rows][taps][c] input integers; 0 where outside */
    uint8_t *inside; /* [rows][taps] */
} lt_pq_samples;

void lt_pq_samples_free(lt_pq_samples *s);

/* Chooses pixels of layers[0..n-1] (convolutions) -> s[0..n-1]. */
lt_code lt_pq_sample_places(const lt_prep *p, const int *layers, int n, int images, int positions, uint64_t seed,
                            lt_pq_samples *s, lt_err *err);

/* Records their float outputs, of all layers in one pass over the images. */
lt_code lt_pq_sample_outputs(const lt_prep *p, int n, int images, lt_pq_samples *s, lt_err *err);

/* Runs the integer network as it is now up to the layer and records the windows. */
lt_code lt_pq_sample_inputs(const lt_prep *p, lt_pq_samples *s, lt_err *err);

#endif
