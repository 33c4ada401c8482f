// What flows/mac_study.sh measures: the int8 array with the accumulating adders behind it. An accumulator adds to its own
// register, so that every path from register to register is there and nothing else is.
`default_nettype none

module lutra_mac_study #(
    parameter LANES      = 16,
    parameter WRF_DEPTH  = 2,
    parameter DOT_STAGES = 1,
    parameter ACC_W      = 24,
    parameter RW         = (LANES > 1) ? $clog2(LANES) : 1,
    parameter EW         = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1
) (
    input  wire                   clk,
    input  wire                   wl_valid,
    input  wire [RW-1:0]          wl_row,
    input  wire [EW-1:0]          wl_entry,
    input  wire [LANES*8-1:0]     wl_data,
    input  wire                   in_valid,
    input  wire                   in_first,
    input  wire                   in_unsigned,
    input  wire [EW-1:0]          in_entry,
    input  wire [LANES*8-1:0]     in_data,
    output wire                   out_valid,
    output wire [LANES*ACC_W-1:0] out_acc
);
    localparam SUM_W = 16 + $clog2(LANES);

    wire [LANES*SUM_W-1:0] sum;
    reg  [DOT_STAGES+1:0]  first;

    always @(posedge clk) first <= {first[DOT_STAGES:0], in_first};

    lutra_mac_array #(
        .LANES(LANES),
        .WRF_DEPTH(WRF_DEPTH),
        .DOT_STAGES(DOT_STAGES)
    ) u_array (
        .clk(clk),
        .wl_valid(wl_valid),
        .wl_row(wl_row),
        .wl_entry(wl_entry),
        .wl_data(wl_data),
        .in_valid(in_valid),
        .in_unsigned(in_unsigned),
        .in_entry(in_entry),
        .in_data(in_data),
        .out_valid(out_valid),
        .out_sum(sum)
    );

    lutra_accumulate #(
        .LANES(LANES),
        .SUM_W(SUM_W),
        .ACC_W(ACC_W)
    ) u_accumulate (
        .clk(clk),
        .first_next(first[DOT_STAGES+1]),
        .sum(sum),
        .prev(out_acc),
        .acc(out_acc)
    );
endmodule
`default_nettype wire
