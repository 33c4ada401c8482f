// Weight register file of one array column, flip-flop form: WRF_DEPTH entries of one byte per row, one entry read per cycle
// into the working weights.
//
// Latency: w is the entry that `read` (one-hot) selected one cycle earlier.
// Parameters: LANES rows, WRF_DEPTH entries.
`default_nettype none

module lutra_weight_file #(
    parameter LANES     = 16,
    parameter WRF_DEPTH = 16
) (
    input  wire                 clk,
    input  wire [LANES-1:0]     load_row,
    input  wire [WRF_DEPTH-1:0] load_entry,
    input  wire [7:0]           load_data,
    input  wire [WRF_DEPTH-1:0] read,
    output reg  [LANES*8-1:0]   w
);
    reg [WRF_DEPTH*LANES*8-1:0] file;
    reg [LANES*8-1:0] picked;
    integer r, e;

    always @(posedge clk)
        for (e = 0; e < WRF_DEPTH; e = e + 1)
            for (r = 0; r < LANES; r = r + 1)
                if (load_row[r] & load_entry[e]) file[(e*LANES + r)*8 +: 8] <= load_data;

    always @* begin
        picked = {LANES*8{1'b0}};
        for (e = 0; e < WRF_DEPTH; e = e + 1)
            picked = picked | ({LANES*8{read[e]}} & file[e*LANES*8 +: LANES*8]);
    end

    always @(posedge clk) w <= picked;
endmodule
`default_nettype wire
