// SPDX-License-Identifier: Apache-2.0
//
// Pooling accumulators: maximum or sum over the words of a window, as lutra_pool_issue delivers them. A position
// outside the input does not take part in a maximum and counts 0 in a sum.
//
// Latency: a word with s_valid in cycle t is in acc from t+1 on.
//
// Parameters:
//   LANES     channels per word
//   ACC_BITS  accumulator width

`default_nettype none

module lutra_pool_acc #(
    parameter LANES    = 16,
    parameter ACC_BITS = 24
) (
    input  wire                      clk,
    input  wire                      op_max,
    input  wire                      op_unsigned, // bytes are unsigned
    input  wire                      s_valid,
    input  wire                      s_first,
    input  wire                      s_outside,
    input  wire [8*LANES-1:0]        data,
    output wire [LANES*ACC_BITS-1:0] acc
);

    // outside: 0, or the least value in a maximum
    wire lowest = s_outside & op_max & ~op_unsigned;

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            reg         [ACC_BITS-1:0] sum;
            wire        [7:0]          value = (data[8*i +: 8] & {8{~s_outside}}) | {lowest, 7'd0};
            wire signed [8:0]          in    = {value[7] & ~op_unsigned, value};
            wire signed [8:0]          old   = sum[8:0];
            wire                       above = in > old;
            wire        [ACC_BITS-1:0] in_x  = {{(ACC_BITS-8){in[8]}}, in[7:0]};

            always @(posedge clk)
                if (s_valid) begin
                    if (s_first)      sum <= in_x;
                    else if (!op_max) sum <= sum + in_x;
                    else if (above)   sum <= in_x;
                end
            assign acc[ACC_BITS*i +: ACC_BITS] = sum;
        end
    endgenerate

endmodule

`default_nettype wire
