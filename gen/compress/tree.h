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

/* Mirrored trees (configuration key pq_mirror): every element of a vector is quantised alone, with b bits at thresholds
 * equally far apart, element 0 in the first b levels. The code of all elements' levels together and its complement then
 * lie opposite each other about the middle thresholds. */
enum { LT_TREE_MAX_VALUES = 256 };
/* b, so that prototypes = 2^(b * length); 0: there is none. */
int lt_tree_mirrored_bits(int prototypes, int length);
/* Node with the threshold below level `level` (1 .. 2^b - 1) of element j where the elements before it are at level 0.
 */
int lt_tree_mirrored_node(int bits, int j, int level);
/* The tree of thresholds t[d][2^bits - 1], ascending. */
void lt_tree_mirrored(const int16_t *t, int bits, int d, uint16_t *dim, int16_t *thresh);
/* Fits it to x[n][d], integers within lo..hi: per element, the middle and the distance of least squared error. */
lt_code lt_tree_fit_mirrored(const int16_t *x, int n, int d, int bits, int lo, int hi, uint16_t *dim, int16_t *thresh,
                             lt_err *err);

#endif
