/* Structural form of lutra_requant_mac: x * mult + res * res_mult in one carry-save tree with one final adder.
 * See csa_tree.h for what the structural modules have in common. */
#ifndef LUTRA_EMIT_CSA_REQUANT_H
#define LUTRA_EMIT_CSA_REQUANT_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the module to `out`; ports and parameters are those of rtl_templates/lutra_requant_mac.v. acc_bits 12..32,
 * mult_bits (the width of both multipliers) 8..16. Errors: LT_EINPUT for a size out of range, LT_EMEM. */
lt_code lt_csa_emit_requant(const char *module, int acc_bits, int mult_bits, lt_buf *out, lt_err *err);

#endif
