/* Codes of the pq core: what follows from a configuration's keys about their bits. */
#ifndef LUTRA_CONFIG_PQ_SHAPE_H
#define LUTRA_CONFIG_PQ_SHAPE_H

#include "config/config.h"

/* Bits of a code, log2 K. */
int lt_pq_code_bits(int prototypes);
/* Bits of a code word. */
int lt_pq_code_word_bits(const lt_config *c);
/* Values in a word of a map of values: spatial mode: all channels of a group; channel mode: the largest power
 * of two of bytes that fits the word and divides the lanes, in the order of addresses, which then count values. */
int lt_pq_word_values(const lt_config *c);
/* Do encoders compare every element of a subvector alone (trees of pq_mirror)? Then layers may have fewer prototypes
 * than the configuration. */
bool lt_pq_alone(const lt_config *c);
/* Levels of the tree that belong to element j of `length`, where log2 K bits are shared out evenly, the first elements
 * taking one more; and how many levels are before them. */
int lt_pq_element_bits(int prototypes, int length, int j);
int lt_pq_element_level(int prototypes, int length, int j);

#endif
