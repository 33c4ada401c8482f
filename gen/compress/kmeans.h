/* k-means with k-means++ seeding (Arthur & Vassilvitskii 2007), for the prototypes of product quantisation. */
#ifndef LUTRA_COMPRESS_KMEANS_H
#define LUTRA_COMPRESS_KMEANS_H

#include <stdint.h>
#include "base/err.h"

typedef enum { KM_L2, KM_L1 } km_metric;

/* Clusters x[n][d] into k centres c[k][d]: means (L2) or per-element medians (L1). An empty cluster takes the point
 * farthest from its centre. Stops after `iterations` rounds or when no assignment changes. assign[n] receives the last
 * assignment. With fewer than k distinct points the surplus centres repeat points. Returns the mean distance (squared
 * for L2) of a point to its centre in *error (may be NULL). Deterministic for a seed; single-threaded: codebooks are
 * clustered in parallel. */
lt_code lt_kmeans(const float *x, int n, int d, int k, km_metric metric, int iterations, uint64_t seed, float *c,
                  int *assign, double *error, lt_err *err);

#endif
