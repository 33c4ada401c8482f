// One lane of lutra_accumulate.
//
// Latency: 1 from sum and prev, 2 from first_next.
// Parameters: SUM_W bits of a signed sum, ACC_W bits of an accumulator (ACC_W >= SUM_W).
`default_nettype none

module lutra_accumulate_lane #(
    parameter SUM_W = 20,
    parameter ACC_W = 24
) (
    input  wire             clk,
    input  wire             first_next,
    input  wire [SUM_W-1:0] sum,
    input  wire [ACC_W-1:0] prev,
    output reg  [ACC_W-1:0] acc
);
    reg keep;
    wire [ACC_W-1:0] addend = {{(ACC_W - SUM_W + 1){sum[SUM_W-1]}}, sum[SUM_W-2:0]};

    always @(posedge clk) begin
        keep <= ~first_next;
        acc  <= (prev & {ACC_W{keep}}) + addend;
    end
endmodule
`default_nettype wire
