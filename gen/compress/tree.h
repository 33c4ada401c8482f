/* Decision-tree encoder of MADDNESS (Blalock & Guttag 2021, section 4.1, algorithms 1 and 2): one split dimension per
 * level, one threshold per node. */
#ifndef LUTRA_COMPRESS_TREE_H
#define LUTRA_COMPRESS_TREE_H

#include <stdint.h>
#include "base/err.h"

/* Learns a tree of `depth` levels from integer vectors x[n][d]: dim[depth], thresh[2^depth - 1] in heap order; a point
 * goes right where x[dim] >= thresh. Greedy: each level takes the dimension whose best thresholds leave the least sum
 * of squared distances to the leaf means. A node whose points are all equal in the dimension gets `never` as threshold.
 */
lt_code lt_tree_fit(const int16_t *x, int n, int d, int depth, int never, uint16_t *dim, int16_t *thresh, lt_err *err);

#endif
