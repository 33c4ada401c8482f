/* Mirrored codes (configuration key pq_mirror): the tree of an encoder quantises every element of a vector alone, and
 * the table entry of a code is the negative of its complement's. */
#ifndef LUTRA_GOLDEN_MIRROR_H
#define LUTRA_GOLDEN_MIRROR_H

#include "golden/qnet.h"

/* The log2 K levels of a tree are shared out evenly among the elements, the first ones taking one more where some are
 * left over: how many belong to element j of `length`, and how many are before them. */
int qenc_element_bits(int prototypes, int length, int j);
int qenc_element_level(int prototypes, int length, int j);
/* Has every element a level of its own? */
bool qenc_has_elements(int prototypes, int length);

/* Tables of a lookup layer: codebooks times taps. */
int qlayer_tables(const qlayer *l, const qencoder *e);
/* First entry of the layer's tables, an index into lut, that is not the negative of its opposite; -1: none. */
long qlayer_unmirrored(const qlayer *l, const qencoder *e);

/* Tables [tables][prototypes][k] from their lower halves [tables][prototypes / 2][k]; malloc'ed, NULL: out of memory.
 */
int8_t *qlut_mirrored(const int8_t *half, int tables, int prototypes, int k);

#endif
