// Double-buffered weights of one array column, flip-flop form: a row loads its shadow byte, `swap` copies all shadows to
// the working weights.
//
// Latency: w changes one cycle after swap; a row loaded in the cycle of swap belongs to the next set.
// Parameters: LANES rows.
`default_nettype none

module lutra_weight_pair #(
    parameter LANES = 16
) (
    input  wire               clk,
    input  wire [LANES-1:0]   load_row,
    input  wire [7:0]         load_data,
    input  wire               swap,
    output reg  [LANES*8-1:0] w
);
    reg [LANES*8-1:0] shadow;
    integer r;

    always @(posedge clk) begin
        for (r = 0; r < LANES; r = r + 1)
            if (load_row[r]) shadow[r*8 +: 8] <= load_data;
        if (swap) w <= shadow;
    end
endmodule
`default_nettype wire
