/* Structural arithmetic: Verilog modules that add many partial products in one carry-save tree.
 *
 * Logic synthesis maps a behavioural sum of products to separate multipliers and adders, or sign-extends every partial
 * product to the width of the sum; the modules made here are what an arithmetic designer would draw: radix-4 recoded
 * partial products (csa_digits.h), one merged column compression over all products (csa_reduce.c), pipeline registers
 * where they balance the delay, and a single carry-propagate adder (csa_final.c). They instantiate lutra_fa and
 * lutra_ha, which flows/techmap/ maps onto a library's full and half adder cells.
 *
 * All functions append one module to `out`. They are pure: the same arguments give the same text. Errors: LT_EINPUT for
 * a size out of range, LT_EMEM. */
#ifndef LUTRA_EMIT_CSA_TREE_H
#define LUTRA_EMIT_CSA_TREE_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/err.h"

enum {
    LT_CSA_MAX_INPUTS = 256, /* products or operands added */
    LT_CSA_MAX_BITS = 32,    /* operand width */
    LT_CSA_MAX_STAGES = 7
};

/* Structural lutra_dot: sum over i of a[i] * w[i], all signed, `inputs` products of a_bits x w_bits, exact, with
 * `stages` registers inside and one at the output. Ports and parameters are those of rtl_templates/lutra_dot.v. The
 * activations come in recoded form from the module that lt_csa_emit_recode() makes for the same arguments: recoding
 * depends on the activations only, so one recoder serves all columns of an array. late: hundredths of a full adder by
 * which its code comes late, where many columns hang on it without a register between. */
lt_code lt_csa_emit_dot(const char *module, int inputs, int a_bits, int w_bits, int stages, int late, lt_buf *out,
                        lt_err *err);

/* Structural lutra_recode for that dot product: ports and parameters of rtl_templates/lutra_recode.v. */
lt_code lt_csa_emit_recode(const char *module, int inputs, int a_bits, int w_bits, int stages, int late, lt_buf *out,
                           lt_err *err);

/* One multiplier: module (input clk if stages > 0, input [a_bits-1:0] a, input [b_bits-1:0] b,
 * output [a_bits+b_bits-1:0] p), p = a * b exact, latency `stages`. */
lt_code lt_csa_emit_mul(const char *module, int a_bits, bool a_signed, int b_bits, bool b_signed, int stages,
                        lt_buf *out, lt_err *err);

/* Many-operand adder: module (input clk if stages > 0, input [inputs*bits-1:0] x, output [sum_bits-1:0] sum), operand i
 * at x[i*bits +: bits], latency `stages`, sum modulo 2^sum_bits; bits + ceil(log2 inputs) bits are always enough. */
lt_code lt_csa_emit_sum(const char *module, int inputs, int bits, bool is_signed, int sum_bits, int stages, lt_buf *out,
                        lt_err *err);

#endif
