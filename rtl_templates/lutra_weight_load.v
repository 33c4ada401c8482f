// Weight load path of an array, flip-flop form (latch/lutra_weight_load.v is the other): registers one row and decodes its
// number and entry.
//
// Latency: 1. Parameters: LANES rows (and bytes in a row), WRF_DEPTH entries.
`default_nettype none

module lutra_weight_load #(
    parameter LANES     = 16,
    parameter WRF_DEPTH = 2,
    parameter RW        = (LANES > 1) ? $clog2(LANES) : 1,
    parameter EW        = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1
) (
    input  wire                 clk,
    input  wire                 wl_valid,
    input  wire [RW-1:0]        wl_row,
    input  wire [EW-1:0]        wl_entry,
    input  wire [LANES*8-1:0]   wl_data,
    output reg  [LANES-1:0]     load_row,    // one-hot, or 0
    output reg  [WRF_DEPTH-1:0] load_entry,  // one-hot
    output reg  [LANES*8-1:0]   load_data
);
    integer i;

    always @(posedge clk) begin
        for (i = 0; i < LANES; i = i + 1) load_row[i] <= wl_valid & (wl_row == i[RW-1:0]);
        for (i = 0; i < WRF_DEPTH; i = i + 1) load_entry[i] <= wl_entry == i[EW-1:0];
        load_data <= wl_data;
    end
endmodule
`default_nettype wire
