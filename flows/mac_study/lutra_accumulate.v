// Accumulating adders behind the array: acc = (first ? 0 : prev) + sum in every lane, modulo 2^ACC_W.
//
// Latency: 1 from sum and prev, 2 from first_next, which comes one cycle ahead of the sum that it belongs to: its fan-out to
// all bits is then off the critical path.
// Parameters: LANES lanes, SUM_W bits of a signed sum, ACC_W bits of an accumulator (ACC_W >= SUM_W).
`default_nettype none

module lutra_accumulate #(
    parameter LANES = 16,
    parameter SUM_W = 20,
    parameter ACC_W = 24
) (
    input  wire                   clk,
    input  wire                   first_next,  // the sum of the next cycle starts a new accumulation
    input  wire [LANES*SUM_W-1:0] sum,
    input  wire [LANES*ACC_W-1:0] prev,
    output wire [LANES*ACC_W-1:0] acc
);
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            lutra_accumulate_lane #(
                .SUM_W(SUM_W),
                .ACC_W(ACC_W)
            ) u_lane (
                .clk(clk),
                .first_next(first_next),
                .sum(sum[i*SUM_W +: SUM_W]),
                .prev(prev[i*ACC_W +: ACC_W]),
                .acc(acc[i*ACC_W +: ACC_W])
            );
        end
    endgenerate
endmodule
`default_nettype wire
