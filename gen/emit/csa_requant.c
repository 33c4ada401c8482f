#include "emit/csa_requant.h"

#include "emit/csa_plan.h"

/* The tree proper and the carries of the low columns go before the registers, as far as they come within 2.6 ns in
 * osu018: the final adder is short, and most columns need one register only. */
enum {
    RES_BITS = 9,
    TREE_DELAY = 780,
    NARROW = 32, /* bits of a sum that leave time in the second stage: there the first one ends earlier */
    NARROW_DELAY = 720,
    RES_FANOUT = 120 /* one code serves all lanes */
};

static void push_product(csa_net *net, const csa_operand *multiplier, const char *code, const csa_operand *x, int time,
                         long long *constant)
{
    for (int k = 0; k < csa_digits(multiplier->bits, false); k++) {
        csa_digit kind = csa_digit_kind(multiplier->bits, false, k);
        int c = CSA_CODE_BITS * k;
        *constant += csa_push_products(net, kind, code, c, x, 2 * k, time);
        if (csa_can_be_negative(kind))
            csa_push_wire(net, 2 * k, time, code[0] == 'm' ? "~mult_code[%d]" : "~res_code[%d]", c);
    }
}

static void push_requant(csa_net *net, const csa_tree *t, int stage)
{
    const csa_operand res = {"res", 0, RES_BITS, true};
    long long constant = 0;

    if (stage != 0) return;
    push_product(net, &t->a, "mult_code", &t->w, 0, &constant);
    push_product(net, &t->a, "res_code", &res, RES_FANOUT, &constant);
    csa_constant(net, constant);
}

lt_code lt_csa_emit_requant(const char *module, int acc_bits, int mult_bits, lt_buf *out, lt_err *err)
{
    int widest = acc_bits > RES_BITS ? acc_bits : RES_BITS;
    csa_tree t = {.width = widest + mult_bits + 1,
                  .stages = 1,
                  .inverted = true,
                  .result = "v",
                  .push = push_requant,
                  .a = {"mult", 0, mult_bits, false},
                  .w = {"x", 0, acc_bits, true}};

    if (acc_bits < 12 || acc_bits > 32 || mult_bits < 8 || mult_bits > 16)
        return lt_fail(err, LT_EINPUT, "requantiser: %d accumulator bits, %d multiplier bits: expected 12..32, 8..16",
                       acc_bits, mult_bits);
    int code_w = CSA_CODE_BITS * csa_digits(mult_bits, false);
    csa_net net = csa_build(&t, t.width <= NARROW ? NARROW_DELAY : TREE_DELAY);
    lt_buf_printf(out,
                  "// Sum of two products, %d x %d and %d x %d bits, structural form of lutra_requant_mac.\n"
                  "// Latency 1. Emitted: change the generator, not this file.\n"
                  "`default_nettype none\n\n"
                  "module %s #(\n    parameter ACC_BITS  = %d,\n    parameter MULT_BITS = %d,\n"
                  "    parameter CODE_W    = %d,\n    parameter V_W       = %d\n) (\n"
                  "    input  wire                clk,\n    input  wire [ACC_BITS-1:0] x,\n"
                  "    // verilator lint_off UNUSED\n"
                  "    input  wire [CODE_W-1:0]   mult_code, // not every digit uses all three bits\n"
                  "    input  wire [CODE_W-1:0]   res_code,\n    // verilator lint_on UNUSED\n"
                  "    input  wire [8:0]          res,\n    output wire [V_W-1:0]      v\n);\n",
                  acc_bits, mult_bits, RES_BITS, mult_bits, module, acc_bits, mult_bits, code_w, t.width);
    lt_buf_printf(out,
                  "`ifndef YOSYS\n    generate\n"
                  "        if (ACC_BITS != %d || MULT_BITS != %d) begin : g_size\n"
                  "            %s_was_emitted_for_another_size u_error ();\n        end\n    endgenerate\n`endif\n\n",
                  acc_bits, mult_bits, module);
    bool ok = csa_net_ok(&net);
    if (ok) lt_buf_add(out, net.text.data, net.text.len);
    csa_net_free(&net);
    lt_buf_puts(out, "\nendmodule\n`default_nettype wire\n");
    return ok && lt_buf_ok(out) ? LT_OK : lt_fail(err, LT_EMEM, "requantiser: out of memory");
}
