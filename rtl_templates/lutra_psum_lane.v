// SPDX-License-Identifier: Apache-2.0
//
// Partial sums of one output lane. With PRF_DEPTH = 0 (ws): w = (array sum or pooled byte) + (memory's partial sum or 0),
// and w collects a pooling window. With PRF_DEPTH > 0 (ews) array sums and pooled bytes collect in one of PRF_DEPTH
// registers first, and w = that register + (memory's partial sum or 0), one cycle later.
//
// A maximum keeps the old value or takes the new one, through the same adder: the other operand is 0.
//
// Latency: term in cycle t; PRF_DEPTH = 0: memory operand in t, w in t+1; else reg_add and memory operand in t+1 (or
// later, while the register is not touched again), w one cycle after them.
//
// Parameters:
//   ACC_BITS   accumulator width
//   SUM_W      width of array sums, 2 .. ACC_BITS
//   PRF_DEPTH  partial-sum registers; 0: none

`default_nettype none

module lutra_psum_lane #(
    parameter ACC_BITS  = 24,
    parameter SUM_W     = 20,
    parameter PRF_DEPTH = 0,
    parameter AW        = (PRF_DEPTH > 1) ? $clog2(PRF_DEPTH) : 1
) (
    input  wire                clk,
    // term
    input  wire                valid,
    input  wire                first,       // it starts a collection
    input  wire [SUM_W-1:0]    sum,         // array sum, or (pool) ...
    input  wire [7:0]          value,       // ... a byte
    input  wire                pool,
    input  wire                pool_max,
    input  wire                is_unsigned, // of the byte
    input  wire [AW-1:0]       reg_in,      // register it goes to
    // memory adder
    input  wire [AW-1:0]       reg_add,     // register that is complete
    input  wire                add_old,
    input  wire [ACC_BITS-1:0] old,
    output reg  [ACC_BITS-1:0] w
);

    wire [ACC_BITS-1:0] held; // what the term is added to
    wire signed [8:0]   value_x = {value[7] & ~is_unsigned, value};
    wire signed [8:0]   best    = held[8:0];
    wire                take    = valid & pool & (~pool_max | first | (value_x > best));
    wire [SUM_W-1:0]    conv    = sum & {SUM_W{~pool}};
    wire [8:0]          picked  = value_x & {9{take}};
    wire [ACC_BITS-1:0] term    = {{(ACC_BITS-SUM_W+1){conv[SUM_W-1]}}, conv[SUM_W-2:0]}
                                | {{(ACC_BITS-8){picked[8]}}, picked[7:0]};

    generate
        if (PRF_DEPTH == 0) begin : g_direct
            wire                keep = pool & (~valid | (~first & (~pool_max | ~take)));
            wire [ACC_BITS-1:0] base = (old & {ACC_BITS{add_old}}) | (w & {ACC_BITS{keep}});

            always @(posedge clk) w <= term + base;
            assign held = w;

            wire unused = &{1'b0, reg_in, reg_add, held};
        end else begin : g_collect
            wire                keep = ~first & ~(pool_max & take);
            wire [ACC_BITS-1:0] next = term + (held & {ACC_BITS{keep}});
            wire [PRF_DEPTH*ACC_BITS-1:0] prf;
            wire [ACC_BITS-1:0] done;
            genvar i;
            for (i = 0; i < PRF_DEPTH; i = i + 1) begin : g_reg
                localparam [31:0] INDEX = i;
                reg [ACC_BITS-1:0] r;
                always @(posedge clk) if (valid & (reg_in == INDEX[AW-1:0])) r <= next;
                assign prf[i*ACC_BITS +: ACC_BITS] = r;
            end
            if (PRF_DEPTH > 1) begin : g_select
                assign held = prf[reg_in*ACC_BITS +: ACC_BITS];
                assign done = prf[reg_add*ACC_BITS +: ACC_BITS];
            end else begin : g_single
                assign held = prf;
                assign done = prf;
                wire unused = &{1'b0, reg_add};
            end

            always @(posedge clk) w <= done + (old & {ACC_BITS{add_old}});
        end
    endgenerate

endmodule

`default_nettype wire
