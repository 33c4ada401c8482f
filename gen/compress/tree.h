/* Decision-tree encoder of MADDNESS (Blalock & Guttag 2021, section 4.1, algorithms 1 and 2): one split dimension per
 * level, one threshold per node. */
#ifndef LUTRA_COMPRESS_TREE_H
#define LUTRA_COMPRESS_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

/* Learns a tree of `depth` levels from integer vectors x[n][d]: dim[depth], thresh[2^depth - 1] in heap order; a point
 * goes right where x[dim] >= thresh. Greedy: each level takes the dimension whose best thresholds leave the least sum
 * of squared distances to the leaf means. A node whose points are all equal in the dimension gets `never` as threshold.
 */
lt_code lt_tree_fit(const int16_t *x, int n, int d, int depth, int never, uint16_t *dim, int16_t *thresh, lt_err *err);

/* Mirrored trees (configuration key pq_mirror): every element of a vector is quantised alone at thresholds equally far
 * apart, element 0 in the first levels of the tree; the levels are shared out as golden/mirror.h has it. The code of
 * all elements' levels together and its complement then lie opposite each other about the middle thresholds. Thresholds
 * of element j: t[j * stride + level - 1], level = 1 .. 2^bits - 1, with stride = 2^(bits of element 0) - 1. */
enum { LT_TREE_MAX_VALUES = 256 };
/* Is there such a tree? */
bool lt_tree_can_mirror(int prototypes, int length);
/* Node with the threshold below level `level` of element j where the elements before it are at level 0. */
int lt_tree_mirrored_node(int prototypes, int length, int j, int level);
/* The tree of thresholds t. */
void lt_tree_mirrored(const int16_t *t, int prototypes, int length, uint16_t *dim, int16_t *thresh);
/* Fits it to x[n][length], integers within lo..hi: per element, the middle and the distance of least squared error. */
lt_code lt_tree_fit_mirrored(const int16_t *x, int n, int length, int prototypes, int lo, int hi, uint16_t *dim,
                             int16_t *thresh, lt_err *err);

#endif
