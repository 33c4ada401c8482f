// Weight register file of one array column, latch form: WRF_DEPTH entries of one byte per row, one entry read per cycle into
// the working weights. A byte's latches are open in the low phase of clk in the cycle of its load_row and load_entry.
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
    wire [WRF_DEPTH*LANES*8-1:0] file;
    reg  [LANES*8-1:0] picked;
    integer i;

    genvar e, r;
    generate
        for (e = 0; e < WRF_DEPTH; e = e + 1) begin : g_entry
            for (r = 0; r < LANES; r = r + 1) begin : g_row
                wire open = ~clk & load_row[r] & load_entry[e];
                reg [7:0] byte_q;
                // verilator lint_off LATCH
                always @* if (open) byte_q = load_data;
                // verilator lint_on LATCH
                assign file[(e*LANES + r)*8 +: 8] = byte_q;
            end
        end
    endgenerate

    always @* begin
        picked = {LANES*8{1'b0}};
        for (i = 0; i < WRF_DEPTH; i = i + 1)
            picked = picked | ({LANES*8{read[i]}} & file[i*LANES*8 +: LANES*8]);
    end

    always @(posedge clk) w <= picked;
endmodule
`default_nettype wire
