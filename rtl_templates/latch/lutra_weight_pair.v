// Double-buffered weights of one array column, latch form: the two latches of a bit together are no larger than a flip-flop.
// The shadow latches of a row are open in the low phase of clk in the cycle of load_row, the working latches of all rows in
// the high phase of the cycle after swap, so that no two latches in series are ever open together.
//
// Latency: as the flip-flop form; with the second register of latch/lutra_weight_load.v in front, a row loaded in the
// cycle after swap belongs to the next set.
// Parameters: LANES rows.
`default_nettype none

module lutra_weight_pair #(
    parameter LANES = 16
) (
    input  wire               clk,
    input  wire [LANES-1:0]   load_row,
    input  wire [7:0]         load_data,
    input  wire               swap,
    output wire [LANES*8-1:0] w
);
    localparam PER_GATE = 4;  // rows on one clock gate

    wire [(LANES+PER_GATE-1)/PER_GATE-1:0] gclk;
    genvar r;
    generate
        for (r = 0; r < LANES; r = r + 1) begin : g_row
            if (r % PER_GATE == 0) begin : g_gate
                lutra_clkgate u_gate (
                    .clk(clk),
                    .en(swap),
                    .gclk(gclk[r/PER_GATE])
                );
            end

            wire open = ~clk & load_row[r];
            reg [7:0] shadow, work;
            // verilator lint_off LATCH
            always @* if (open) shadow = load_data;
            always @* if (gclk[r/PER_GATE]) work = shadow;
            // verilator lint_on LATCH
            assign w[r*8 +: 8] = work;
        end
    endgenerate
endmodule
`default_nettype wire
