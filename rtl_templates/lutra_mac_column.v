// One column of lutra_mac_array: the weights of one output channel and their dot product.
//
// Latency: see lutra_mac_array. Parameters: LANES rows, WRF_DEPTH weight sets, DOT_STAGES registers in the dot product.
`default_nettype none

module lutra_mac_column #(
    parameter LANES      = 16,
    parameter WRF_DEPTH  = 2,
    parameter DOT_STAGES = 1,
    parameter CODE_W     = 12,
    parameter CORR_W     = 11,
    parameter SUM_W      = 20
) (
    input  wire                    clk,
    input  wire [LANES-1:0]        load_row,
    input  wire [WRF_DEPTH-1:0]    load_entry,
    input  wire [7:0]              load_data,
    input  wire [WRF_DEPTH-1:0]    pick,      // WRF_DEPTH = 2: bit 0 swaps the two sets; otherwise the entry read, one-hot
    input  wire [LANES*CODE_W-1:0] code,
    input  wire [CORR_W-1:0]       corr,
    output wire [SUM_W-1:0]        sum
);
    wire [LANES*8-1:0] w;

    generate
        if (WRF_DEPTH == 2) begin : g_pair
            lutra_weight_pair #(
                .LANES(LANES)
            ) u_weights (
                .clk(clk),
                .load_row(load_row),
                .load_data(load_data),
                .swap(pick[0]),
                .w(w)
            );
            wire unused = &{1'b0, load_entry, pick[1]};
        end else begin : g_file
            lutra_weight_file #(
                .LANES(LANES),
                .WRF_DEPTH(WRF_DEPTH)
            ) u_weights (
                .clk(clk),
                .load_row(load_row),
                .load_entry(load_entry),
                .load_data(load_data),
                .read(pick),
                .w(w)
            );
        end
    endgenerate

    lutra_dot #(
        .LANES(LANES),
        .DOT_STAGES(DOT_STAGES),
        .CODE_W(CODE_W),
        .CORR_W(CORR_W),
        .SUM_W(SUM_W)
    ) u_dot (
        .clk(clk),
        .code(code),
        .corr(corr),
        .w(w),
        .sum(sum)
    );
endmodule
`default_nettype wire
