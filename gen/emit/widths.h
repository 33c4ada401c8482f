/* Sizes of words in memory that follow from a configuration (docs/architecture.md, sections 2 and 6). */
#ifndef LUTRA_EMIT_WIDTHS_H
#define LUTRA_EMIT_WIDTHS_H

#include "config/config.h"

/* Bits of one word of LOAD target 0..4 (FB, WEIGHT, PARAM, ENC, CODE) without the padding to a power of two of bytes; 0
 * if the core does not have it. */
int lt_target_bits(const lt_config *cfg, int target);

#endif
