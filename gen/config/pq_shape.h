/* Codes of the pq core: what follows from a configuration's keys about their bits. */
#ifndef LUTRA_CONFIG_PQ_SHAPE_H
#define LUTRA_CONFIG_PQ_SHAPE_H

#include "config/config.h"

/* Bits of a code word. */
int lt_pq_code_word_bits(const lt_config *c);
/* Values in a word of a map of values: spatial mode: all channels of a group; channel mode: the largest power
 * of two of bytes that fits the word and divides the lanes, in the order of addresses, which then count values. */
int lt_pq_word_values(const lt_config *c);
/* Do encoders compare every element of a subvector alone (trees of pq_mirror)? Then layers may have fewer prototypes
 * than the configuration. */
bool lt_pq_alone(const lt_config *c);

#endif
