// The usual systolic array, for comparison with lutra_mac_array: a weight-stationary mesh of LANES x LANES cells, each
// p + a * w, and the same accumulating adders below. Activations move right, partial sums move down.
//
// The registers that skew the activations at the left edge and align the sums at the bottom are left out, in favour of the mesh:
// row r takes the activations of a word r cycles after row 0, and column c gives its sums c cycles after column 0.
//
// Latency: in_first comes with the activations of the last row; out_acc of column c follows c + 3 cycles later.
// Parameters: LANES rows and columns, ACC_W bits of an accumulator.
`default_nettype none

module lutra_mac_mesh #(
    parameter LANES = 16,
    parameter ACC_W = 24,
    parameter RW    = (LANES > 1) ? $clog2(LANES) : 1
) (
    input  wire                   clk,
    input  wire                   wl_valid,
    input  wire [RW-1:0]          wl_row,
    input  wire [LANES*8-1:0]     wl_data,   // column c at [8*c +: 8]
    input  wire [LANES-1:0]       in_swap,   // row r: this activation is the first for the newly loaded weights
    input  wire                   in_first,  // last row: a new accumulation starts
    input  wire [LANES*8-1:0]     in_data,   // row r at [8*r +: 8]
    output wire [LANES*ACC_W-1:0] out_acc
);
    localparam SUM_W = 16 + $clog2(LANES);

    wire [LANES-1:0]   load_row;
    wire [LANES*8-1:0] load_data;
    // verilator lint_off UNUSED
    wire [1:0]         load_entry;
    // verilator lint_on UNUSED

    lutra_weight_load #(
        .LANES(LANES),
        .WRF_DEPTH(2),
        .RW(RW),
        .EW(1)
    ) u_load (
        .clk(clk),
        .wl_valid(wl_valid),
        .wl_row(wl_row),
        .wl_entry(1'b0),
        .wl_data(wl_data),
        .load_row(load_row),
        .load_entry(load_entry),
        .load_data(load_data)
    );

    // between the cells: a and swap at index r*(LANES+1) + c, p at r*LANES + c
    // verilator lint_off UNUSED
    wire [LANES*(LANES+1)*8-1:0]     a;
    wire [LANES*(LANES+1)-1:0]       swap;
    // verilator lint_on UNUSED
    wire [(LANES+1)*LANES*SUM_W-1:0] p;
    reg  [LANES-1:0]                 first;

    assign p[LANES*SUM_W-1:0] = {(LANES * SUM_W){1'b0}};

    integer i;
    always @(posedge clk)
        for (i = 0; i < LANES; i = i + 1) first[i] <= (i == 0) ? in_first : first[i-1];

    genvar r, c;
    generate
        for (r = 0; r < LANES; r = r + 1) begin : g_row
            assign a[r*(LANES+1)*8 +: 8] = in_data[r*8 +: 8];
            assign swap[r*(LANES+1)]     = in_swap[r];

            for (c = 0; c < LANES; c = c + 1) begin : g_column
                lutra_mac_pe #(
                    .SUM_W(SUM_W)
                ) u_pe (
                    .clk(clk),
                    .load(load_row[r]),
                    .load_data(load_data[c*8 +: 8]),
                    .swap_in(swap[r*(LANES+1) + c]),
                    .a_in(a[(r*(LANES+1) + c)*8 +: 8]),
                    .p_in(p[(r*LANES + c)*SUM_W +: SUM_W]),
                    .swap_out(swap[r*(LANES+1) + c + 1]),
                    .a_out(a[(r*(LANES+1) + c + 1)*8 +: 8]),
                    .p_out(p[((r+1)*LANES + c)*SUM_W +: SUM_W])
                );
            end
        end
        for (c = 0; c < LANES; c = c + 1) begin : g_accumulate
            lutra_accumulate_lane #(
                .SUM_W(SUM_W),
                .ACC_W(ACC_W)
            ) u_lane (
                .clk(clk),
                .first_next(first[c]),
                .sum(p[(LANES*LANES + c)*SUM_W +: SUM_W]),
                .prev(out_acc[c*ACC_W +: ACC_W]),
                .acc(out_acc[c*ACC_W +: ACC_W])
            );
        end
    endgenerate
endmodule
`default_nettype wire
