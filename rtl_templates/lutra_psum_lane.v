// SPDX-License-Identifier: Apache-2.0
//
// Partial sums of one output lane. With PRF_DEPTH = 0 (ws): result = array sum + (memory's partial sum, or the result
// itself, or 0), registered. With PRF_DEPTH > 0 (ews) array sums collect in one of PRF_DEPTH registers first, and result =
// that sum + (memory's partial sum or 0).
//
// Pooling collects in the result (or register 0). The array, loaded with the identity, delivers a byte: x, or x - 128 if bytes are
// unsigned, which is made x again here.
//
// Latency: term in cycle t, result in t+1; memory operand in t (PRF_DEPTH = 0) or t+1.
//
// Parameters:
//   ACC_BITS   accumulator width
//   SUM_W      width of array sums, 10 .. ACC_BITS
//   PRF_DEPTH  partial-sum registers; 0: none

`default_nettype none

module lutra_psum_lane #(
    parameter ACC_BITS  = 24,
    parameter SUM_W     = 20,
    parameter PRF_DEPTH = 0,
    parameter REGS      = (PRF_DEPTH > 0) ? PRF_DEPTH : 1
) (
    input  wire                clk,
    // term
    input  wire [SUM_W-1:0]    sum,
    input  wire                take,          // add it
    input  wire                keep,          // ... to the old value
    input  wire                best,          // neither: the greater of both
    input  wire                pool_unsigned, // it is x - 128
    input  wire                is_unsigned,
    input  wire [REGS-1:0]     reg_in,        // PRF_DEPTH > 0, one-hot: the register it goes to
    input  wire [REGS-1:0]     store,         // ... if there is a term
    // memory adder
    input  wire                add_old,
    input  wire [ACC_BITS-1:0] old,
    output wire [ACC_BITS-1:0] result
);

    reg  [ACC_BITS-1:0] w;
    wire [ACC_BITS-1:0] held; // the old value
    wire [ACC_BITS-1:0] base; // what a term is added to

    wire                high = sum[SUM_W-1] & take & ~pool_unsigned;
    wire [7:0]          x    = {sum[7] ^ pool_unsigned, sum[6:0]};
    wire [ACC_BITS-1:0] term = {{(ACC_BITS-SUM_W+1){high}}, sum[SUM_W-2:8] & {(SUM_W-9){take & ~pool_unsigned}},
                                x & {8{take}}};
    wire [ACC_BITS-1:0] total = term + base;

    // x > held, by pairs of bits: greater (g), or at least not less (n). Bit 7 in offset binary.
    wire [7:0] left  = {~sum[7], sum[6:0]};
    wire [7:0] right = {held[7] ^ ~is_unsigned, held[6:0]};
    wire [7:0] g1    = left & ~right;
    wire [7:1] n1    = left[7:1] | ~right[7:1];
    wire [3:0] g2    = {g1[7] | (n1[7] & g1[6]), g1[5] | (n1[5] & g1[4]), g1[3] | (n1[3] & g1[2]), g1[1] | (n1[1] & g1[0])};
    wire [2:0] n2    = {n1[7] & n1[6], n1[5] & n1[4], n1[3] & n1[2]};
    wire       above = g2[3] | (n2[2] & g2[2]) | (n2[2] & n2[1] & (g2[1] | (n2[0] & g2[0])));

    wire [7:0]          winner = above ? x : held[7:0];
    wire [ACC_BITS-1:0] next   = {total[ACC_BITS-1:8] | {(ACC_BITS-8){best & ~is_unsigned & winner[7]}},
                                  best ? winner : total[7:0]};

    always @(posedge clk) w <= next;

    generate
        if (PRF_DEPTH == 0) begin : g_direct
            assign held = w;
            assign base = (old & {ACC_BITS{add_old}}) | (w & {ACC_BITS{keep}});
            assign result = w;

            wire unused = &{1'b0, store, reg_in, held};
        end else begin : g_collect
            // the registers; one is selected by gating them all and by or
            wire [PRF_DEPTH*ACC_BITS-1:0] prf;
            reg  [ACC_BITS-1:0] selected;
            integer k;
            genvar i;
            for (i = 0; i < PRF_DEPTH; i = i + 1) begin : g_reg
                reg [ACC_BITS-1:0] r;
                always @(posedge clk) if (store[i]) r <= next;
                assign prf[i*ACC_BITS +: ACC_BITS] = r;
            end
            always @* begin
                selected = {ACC_BITS{1'b0}};
                for (k = 0; k < PRF_DEPTH; k = k + 1)
                    selected = selected | (prf[k*ACC_BITS +: ACC_BITS] & {ACC_BITS{reg_in[k]}});
            end
            assign held   = selected;
            assign base   = held & {ACC_BITS{keep}};
            assign result = w + (old & {ACC_BITS{add_old}});
        end
    endgenerate

endmodule

`default_nettype wire
