/* Bias and multiplier words of the post unit (docs/architecture.md section 2). */
#ifndef LUTRA_PROGRAM_PACK_PARAMS_H
#define LUTRA_PROGRAM_PACK_PARAMS_H

#include <stdbool.h>
#include "base/buf.h"
#include "golden/qnet.h"

/* Appends lanes/post_lanes words for each of `og` output groups of layer l from group og0 on. A word holds post_lanes
 * times {int32 bias, uint16 mult, uint16 0}, padded with zeros to a power of two of bytes; lanes beyond K are zero.
 * in_c: input channels of all convolution groups. in_unsigned: the multipliers read an unsigned byte u as u - 128, so
 * 128 * (sum of the output's weights) is added to the bias (docs/arithmetic.md); false for pools and for whatever does
 * not go through multipliers. */
void lt_pack_params(const qlayer *l, int in_c, int lanes, int post_lanes, int og0, int og, bool in_unsigned,
                    lt_buf *words);

#endif
