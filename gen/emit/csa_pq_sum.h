/* Structural form of lutra_pq_sum: the table entries of one lane in one carry-save tree with one final adder. */
#ifndef LUTRA_EMIT_CSA_PQ_SUM_H
#define LUTRA_EMIT_CSA_PQ_SUM_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/err.h"

/* Bits of a sum of `inputs` signed entries of `bits` bits, and latency of lutra_pq_sum. */
int lt_csa_pq_sum_bits(int inputs, int bits);
int lt_csa_pq_sum_latency(int inputs);

/* Appends the module to `out`; ports and parameters are those of rtl_templates/lutra_pq_sum.v. inputs 1..576,
 * bits 4..8, else LT_EINPUT; LT_EMEM. */
lt_code lt_csa_emit_pq_sum(const char *module, int inputs, int bits, bool mirror, lt_buf *out, lt_err *err);

#endif
