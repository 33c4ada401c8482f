/* Words of the on-chip memories as LOAD and STORE move them (docs/architecture.md, section 2). */
#ifndef LUTRA_GOLDEN_LOAD_WORD_H
#define LUTRA_GOLDEN_LOAD_WORD_H

#include "config/config.h"

enum { LT_LOAD_TARGETS = 5 }; /* FB, WEIGHT, PARAM, ENC, CODE: numbers as in the descriptor field TARGET */

/* Bytes of a word of target 0..4 in memory: padded to a power of two. 0: this configuration does not have the target.
 */
int lt_load_word_bytes(const lt_config *cfg, int target);

#endif
