#include "emit/csa_tree.h"

#include <stdio.h>
#include "base/bits.h"
#include "emit/csa_plan.h"

static lt_code check_size(const char *what, int value, int lo, int hi, lt_err *err)
{
    if (value >= lo && value <= hi) return LT_OK;
    return lt_fail(err, LT_EINPUT, "carry-save tree: %s: got %d, expected %d to %d", what, value, lo, hi);
}

static void put_header(lt_buf *out, const char *what, int latency, int delay)
{
    lt_buf_printf(out,
                  "// %s.\n// Latency %d; modelled delay of a stage: %d.%02d full adders. Emitted: change the "
                  "generator, not this file.\n"
                  "`default_nettype none\n\n",
                  what, latency, delay / 100, delay % 100);
}

static lt_code finish(const csa_tree *tree, int delay, const char *tail, lt_buf *out, lt_err *err)
{
    csa_net net = csa_build(tree, delay);
    bool ok = csa_net_ok(&net);

    if (ok) lt_buf_add(out, net.text.data, net.text.len);
    csa_net_free(&net);
    lt_buf_printf(out, "%s\nendmodule\n`default_nettype wire\n", tail);
    return ok && lt_buf_ok(out) ? LT_OK : lt_fail(err, LT_EMEM, "carry-save tree: out of memory");
}

/* Dot product ------------------------------------------------------------------------------------------------------ */

static void push_dot(csa_net *net, const csa_tree *t, int stage)
{
    int digits = csa_digits(t->a.bits, true);
    int corr_w = 2 * digits + lt_clog2(t->inputs) - 1;

    if (stage == 0) {
        uint64_t constant = 0;
        for (int i = 0; i < t->inputs; i++) {
            csa_operand w = t->w;
            w.base = i * w.bits;
            for (int k = 0; k < digits; k++)
                constant += csa_push_products(net, csa_digit_kind(t->a.bits, true, k), "code",
                                              CSA_CODE_BITS * (i * digits + k), &w, 2 * k, t->late);
        }
        csa_constant(net, constant);
    }
    for (int j = 0; j < corr_w && stage == t->join; j++) csa_push_wire(net, j, 0, "~corr[%d]", j);
}

static void push_corr(csa_net *net, const csa_tree *t, int stage)
{
    int digits = csa_digits(t->a.bits, true);

    for (int i = 0; i < t->inputs && stage == 0; i++)
        for (int k = 0; k < digits; k++)
            csa_push_wire(net, 2 * k, CSA_T_RECODE, "digit[%d]", CSA_CODE_BITS * (i * digits + k));
}

typedef struct {
    csa_tree dot, corr;
    int dot_delay, corr_delay;
} dot_plan;

/* The trees of the dot product and of its correction, the sum of the negative digits' +1. The correction is formed in
 * join + 1 steps of its own before stage `join` of the dot product; the earliest stage that does not set the clock is
 * taken. */
static lt_code plan_dot(int inputs, int a_bits, int w_bits, int stages, int late, dot_plan *plan, lt_err *err)
{
    LT_TRY(check_size("inputs", inputs, 1, LT_CSA_MAX_INPUTS, err));
    LT_TRY(check_size("activation bits", a_bits, 2, LT_CSA_MAX_BITS / 2, err));
    LT_TRY(check_size("weight bits", w_bits, 2, LT_CSA_MAX_BITS / 2, err));
    LT_TRY(check_size("stages", stages, 0, LT_CSA_MAX_STAGES, err));
    csa_tree *dot = &plan->dot, *corr = &plan->corr;
    *dot = (csa_tree){.width = a_bits + w_bits + lt_clog2(inputs),
                      .stages = stages,
                      .inverted = true,
                      .result = "next",
                      .push = push_dot,
                      .inputs = inputs,
                      .a = {"a", 0, a_bits, true},
                      .w = {"w", 0, w_bits, true},
                      .late = late};
    *corr = (csa_tree){.width = 2 * csa_digits(a_bits, true) + lt_clog2(inputs) - 1,
                       .result = "next",
                       .push = push_corr,
                       .inputs = inputs,
                       .a = dot->a};
    for (int join = 0; join <= stages; join++) {
        dot->join = corr->stages = join;
        plan->dot_delay = csa_stage_delay(dot);
        plan->corr_delay = csa_stage_delay(corr);
        if (plan->corr_delay <= plan->dot_delay) break;
    }
    return LT_OK;
}

static void put_dot_parameters(lt_buf *out, const char *module, const dot_plan *plan, const char *more)
{
    const csa_tree *t = &plan->dot;

    lt_buf_printf(
        out,
        "module %s #(\n    parameter LANES      = %d,\n    parameter A_BITS     = %d,\n    parameter W_BITS     = %d,\n"
        "    parameter DOT_STAGES = %d,\n    parameter CODE_W     = %d,\n    parameter CORR_W     = %d%s\n) (\n"
        "    input  wire                    clk,\n",
        module, t->inputs, t->a.bits, t->w.bits, t->stages, CSA_CODE_BITS * csa_digits(t->a.bits, true),
        plan->corr.width, more);
}

/* Parameters are those of the behavioural module; other sizes than the emitted ones must not elaborate. Yosys does not
 * see the check, because its hierarchy pass also expands parents with their default parameters. */
static void put_dot_size_check(lt_buf *out, const char *module, const csa_tree *t)
{
    lt_buf_printf(out,
                  "`ifndef YOSYS\n    generate\n"
                  "        if (LANES != %d || A_BITS != %d || W_BITS != %d || DOT_STAGES != %d) begin : g_size\n"
                  "            %s_was_emitted_for_another_size u_error ();\n        end\n    endgenerate\n`endif\n\n",
                  t->inputs, t->a.bits, t->w.bits, t->stages, module);
}

lt_code lt_csa_emit_dot(const char *module, int inputs, int a_bits, int w_bits, int stages, int late, lt_buf *out,
                        lt_err *err)
{
    dot_plan plan;
    char what[128], more[64];

    LT_TRY(plan_dot(inputs, a_bits, w_bits, stages, late, &plan, err));
    snprintf(what, sizeof what, "Dot product of %d signed %d x %d bit products, structural form of lutra_dot", inputs,
             a_bits, w_bits);
    snprintf(more, sizeof more, ",\n    parameter SUM_W      = %d", plan.dot.width);
    put_header(out, what, stages + 1, plan.dot_delay);
    put_dot_parameters(out, module, &plan, more);
    lt_buf_puts(out, "    // verilator lint_off UNUSED\n"
                     "    input  wire [LANES*CODE_W-1:0] code,  // not every digit uses all three bits\n"
                     "    // verilator lint_on UNUSED\n"
                     "    input  wire [CORR_W-1:0]       corr,\n"
                     "    input  wire [LANES*W_BITS-1:0] w,\n"
                     "    output reg  [SUM_W-1:0]        sum\n);\n");
    put_dot_size_check(out, module, &plan.dot);
    lt_buf_puts(out, "    wire [SUM_W-1:0] next;\n");
    return finish(&plan.dot, plan.dot_delay, "    always @(posedge clk) sum <= next;\n", out, err);
}

lt_code lt_csa_emit_recode(const char *module, int inputs, int a_bits, int w_bits, int stages, int late, lt_buf *out,
                           lt_err *err)
{
    dot_plan plan;
    char what[128];

    LT_TRY(plan_dot(inputs, a_bits, w_bits, stages, late, &plan, err));
    int code_w = CSA_CODE_BITS * csa_digits(a_bits, true);
    snprintf(what, sizeof what, "Radix-4 digits of %d signed %d-bit activations, structural form of lutra_recode",
             inputs, a_bits);
    put_header(out, what, 1, plan.corr_delay);
    put_dot_parameters(out, module, &plan, "");
    lt_buf_puts(out, "    input  wire [LANES*A_BITS-1:0] a,\n"
                     "    output reg  [LANES*CODE_W-1:0] code,\n"
                     "    output reg  [CORR_W-1:0]       corr\n);\n");
    put_dot_size_check(out, module, &plan.dot);
    lt_buf_puts(out, "    wire [LANES*CODE_W-1:0] digit;\n    wire [CORR_W-1:0] next;\n");
    for (int i = 0; i < inputs; i++) {
        char carry[32];
        snprintf(carry, sizeof carry, "up%d", i);
        csa_operand a = plan.dot.a;
        a.base = i * a_bits;
        csa_put_recode(out, &a, "digit", i * code_w, carry);
    }
    return finish(&plan.corr, plan.corr_delay,
                  "    always @(posedge clk) begin\n        code <= digit;\n        corr <= next;\n    end\n", out,
                  err);
}

/* Multiplier and many-operand adder ----------------------------------------------------------------------------------
 */

static const char *sign_word(bool is_signed)
{
    return is_signed ? "signed" : "unsigned";
}

static void push_mul(csa_net *net, const csa_tree *t, int stage)
{
    uint64_t constant = 0;

    if (stage != 0) return;
    for (int k = 0; k < csa_digits(t->a.bits, t->a.is_signed); k++) {
        csa_digit kind = csa_digit_kind(t->a.bits, t->a.is_signed, k);
        constant += csa_push_products(net, kind, "digit", CSA_CODE_BITS * k, &t->w, 2 * k, CSA_T_RECODE);
        if (csa_can_be_negative(kind)) csa_push_wire(net, 2 * k, CSA_T_RECODE, "~digit[%d]", CSA_CODE_BITS * k);
    }
    csa_constant(net, constant);
}

lt_code lt_csa_emit_mul(const char *module, int a_bits, bool a_signed, int b_bits, bool b_signed, int stages,
                        lt_buf *out, lt_err *err)
{
    csa_operand a = {"a", 0, a_bits, a_signed}, b = {"b", 0, b_bits, b_signed};
    char what[128];

    LT_TRY(check_size("bits of a", a_bits, 2, LT_CSA_MAX_BITS, err));
    LT_TRY(check_size("bits of b", b_bits, 2, LT_CSA_MAX_BITS, err));
    LT_TRY(check_size("stages", stages, 0, LT_CSA_MAX_STAGES, err));
    /* Recode the operand that leaves fewer partial product bits. */
    bool swap = csa_digits(b_bits, b_signed) * (a_bits + 1) < csa_digits(a_bits, a_signed) * (b_bits + 1);
    csa_tree t = {.width = a_bits + b_bits,
                  .stages = stages,
                  .inverted = true,
                  .result = "p",
                  .push = push_mul,
                  .a = swap ? b : a,
                  .w = swap ? a : b};

    int delay = csa_stage_delay(&t);
    snprintf(what, sizeof what, "Multiplier, %s %d x %s %d bits", sign_word(a_signed), a_bits, sign_word(b_signed),
             b_bits);
    put_header(out, what, stages, delay);
    lt_buf_printf(out,
                  "module %s (\n%s    input  wire [%d:0] a,\n    input  wire [%d:0] b,\n    output wire [%d:0] p\n);\n"
                  "    // verilator lint_off UNUSED\n    wire [%d:0] digit;  // not every digit uses all three bits\n"
                  "    // verilator lint_on UNUSED\n",
                  module, stages ? "    input  wire        clk,\n" : "", a_bits - 1, b_bits - 1, t.width - 1,
                  CSA_CODE_BITS * csa_digits(t.a.bits, t.a.is_signed) - 1);
    csa_put_recode(out, &t.a, "digit", 0, "up");
    return finish(&t, delay, "", out, err);
}

static void push_sum(csa_net *net, const csa_tree *t, int stage)
{
    uint64_t constant = 0;

    if (stage != 0) return;
    for (int i = 0; i < t->inputs; i++) {
        for (int j = 0; j < t->a.bits; j++) {
            /* A sign bit of weight -2^j is its complement of weight +2^j, and the constant -2^j. */
            bool sign = t->a.is_signed && j == t->a.bits - 1;
            csa_push_wire(net, j, 0, sign ? "~x[%d]" : "x[%d]", i * t->a.bits + j);
            if (sign) constant -= UINT64_C(1) << j;
        }
    }
    csa_constant(net, constant);
}

lt_code lt_csa_emit_sum(const char *module, int inputs, int bits, bool is_signed, int sum_bits, int stages, lt_buf *out,
                        lt_err *err)
{
    char what[128];

    LT_TRY(check_size("operands", inputs, 1, LT_CSA_MAX_INPUTS, err));
    LT_TRY(check_size("bits", bits, 1, LT_CSA_MAX_BITS, err));
    LT_TRY(check_size("bits of the sum", sum_bits, bits, LT_CSA_MAX_BITS + 8, err));
    LT_TRY(check_size("stages", stages, 0, LT_CSA_MAX_STAGES, err));
    csa_tree t = {.width = sum_bits,
                  .stages = stages,
                  .result = "sum",
                  .push = push_sum,
                  .inputs = inputs,
                  .a = {"x", 0, bits, is_signed}};

    int delay = csa_stage_delay(&t);
    snprintf(what, sizeof what, "Sum of %d %s %d-bit operands modulo 2^%d", inputs, sign_word(is_signed), bits,
             sum_bits);
    put_header(out, what, stages, delay);
    lt_buf_printf(out, "module %s (\n%s    input  wire [%d:0] x,\n    output wire [%d:0] sum\n);\n", module,
                  stages ? "    input  wire clk,\n" : "", inputs * bits - 1, sum_bits - 1);
    return finish(&t, delay, "", out, err);
}
