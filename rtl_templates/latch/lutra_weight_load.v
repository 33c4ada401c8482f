// Weight load path of an array, latch form: registers one row twice, because latches take it in the low half of the second
// cycle (see lutra_weight_pair), and decodes its number and entry.
//
// Latency: 2. Parameters: LANES rows (and bytes in a row), WRF_DEPTH entries.
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
    reg               valid;
    reg [RW-1:0]      row;
    reg [EW-1:0]      entry;
    reg [LANES*8-1:0] data;
    integer i;

    always @(posedge clk) begin
        valid <= wl_valid;
        row   <= wl_row;
        entry <= wl_entry;
        data  <= wl_data;
        for (i = 0; i < LANES; i = i + 1) load_row[i] <= valid & (row == i[RW-1:0]);
        for (i = 0; i < WRF_DEPTH; i = i + 1) load_entry[i] <= entry == i[EW-1:0];
        load_data <= data;
    end
endmodule
`default_nettype wire
