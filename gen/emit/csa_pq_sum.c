#include "emit/csa_pq_sum.h"

#include "emit/csa_plan.h"

/* Entries come late: they are read from a memory in the same cycle. All but the last stage are as long as that of the
 * requantiser, 2.6 ns in osu018, so that registers stand where few signals are left. */
enum { ENTRY = 390, TREE_DELAY = 780, START = 120 /* one register serves all lanes */, MAX_INPUTS = 9 * 64 };

int lt_csa_pq_sum_bits(int inputs, int bits)
{
    int n = 0;
    while (1 << n < inputs + 1) n++;
    return bits + n + 1;
}

int lt_csa_pq_sum_latency(int inputs)
{
    return (inputs + 2) / 3 <= 6 ? 2 : 3;
}

/* join: 1 if `start` is added. */
static void push_entries(csa_net *net, const csa_tree *t, int stage)
{
    uint64_t constant = 0;

    for (int i = 0; i < t->inputs && stage == 0; i++)
        for (int j = 0; j < t->a.bits; j++) {
            /* a sign bit of weight -2^j is its complement of weight 2^j, and the constant -2^j */
            bool sign = j == t->a.bits - 1;
            csa_push_wire(net, j, ENTRY, sign ? "~entry[%d]" : "entry[%d]", i * t->a.bits + j);
            if (sign) constant -= UINT64_C(1) << j;
        }
    if (stage == 0) csa_constant(net, constant);
    for (int j = 0; j < t->width && t->join && stage == t->stages; j++) csa_push_wire(net, j, START, "start[%d]", j);
}

lt_code lt_csa_emit_pq_sum(const char *module, int inputs, int bits, bool mirror, lt_buf *out, lt_err *err)
{
    csa_tree t = {.width = lt_csa_pq_sum_bits(inputs, bits),
                  .stages = lt_csa_pq_sum_latency(inputs) - 1,
                  .result = "next",
                  .push = push_entries,
                  .inputs = inputs,
                  .a = {"entry", 0, bits, true},
                  .join = mirror};

    if (inputs < 1 || inputs > MAX_INPUTS || bits < 4 || bits > 8)
        return lt_fail(err, LT_EINPUT, "sum of table entries: %d of %d bits, expected 1..%d of 4..8", inputs, bits,
                       MAX_INPUTS);
    lt_buf_printf(out,
                  "// Sum of %d table entries of %d bits%s, structural form of lutra_pq_sum.\n"
                  "// Latency %d. Emitted: change the generator, not this file.\n"
                  "`default_nettype none\n\n"
                  "module %s #(\n    parameter INPUTS = %d,\n    parameter BITS   = %d,\n"
                  "    parameter MIRROR = %d,\n    parameter SUM_W  = %d\n) (\n"
                  "    input  wire                   clk,\n    input  wire [INPUTS*BITS-1:0] entry,\n"
                  "    // verilator lint_off UNUSED\n"
                  "    input  wire [SUM_W-1:0]       start, // not used if MIRROR is 0\n"
                  "    // verilator lint_on UNUSED\n"
                  "    output reg  [SUM_W-1:0]       sum\n);\n"
                  "`ifndef YOSYS\n    generate\n"
                  "        if (INPUTS != %d || BITS != %d || MIRROR != %d || SUM_W != %d) begin : g_size\n"
                  "            %s_was_emitted_for_another_size u_error ();\n        end\n    endgenerate\n`endif\n\n"
                  "    wire [SUM_W-1:0] next;\n",
                  inputs, bits, mirror ? " and `start`" : "", t.stages + 1, module, inputs, bits, mirror, t.width,
                  inputs, bits, mirror, t.width, module);
    csa_net net = csa_build(&t, TREE_DELAY);
    bool ok = csa_net_ok(&net);
    if (ok) lt_buf_add(out, net.text.data, net.text.len);
    csa_net_free(&net);
    lt_buf_puts(out, "    always @(posedge clk) sum <= next;\n\nendmodule\n`default_nettype wire\n");
    return ok && lt_buf_ok(out) ? LT_OK : lt_fail(err, LT_EMEM, "sum of table entries: out of memory");
}
