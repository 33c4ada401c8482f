// Prepares the activations of an array for its dot products, once for all columns.
//
// This behavioural form passes the values on; the structural form that `lutra gen` emits (same ports) makes radix-4 digits
// and the sum of the digits' carries. What `code` and `corr` mean is private to this module and lutra_dot: use the two
// behavioural forms or the two structural forms, never one of each.
//
// Latency: code 1; corr comes when lutra_dot needs it.
// Parameters: those of lutra_dot.
`default_nettype none

module lutra_recode #(
    parameter LANES      = 16,
    parameter A_BITS     = 8,
    // verilator lint_off UNUSED
    parameter W_BITS     = 8,  // these two shape the structural form only
    parameter DOT_STAGES = 1,
    // verilator lint_on UNUSED
    parameter CODE_W     = 3 * ((A_BITS + 1) / 2),
    parameter CORR_W     = 2 * ((A_BITS + 1) / 2) + $clog2(LANES) - 1
) (
    input  wire                    clk,
    input  wire [LANES*A_BITS-1:0] a,
    output reg  [LANES*CODE_W-1:0] code,
    output reg  [CORR_W-1:0]       corr
);
    integer i;

    always @(posedge clk) begin
        for (i = 0; i < LANES; i = i + 1)
            code[i*CODE_W +: CODE_W] <= {{(CODE_W - A_BITS){1'b0}}, a[i*A_BITS +: A_BITS]};
        corr <= {CORR_W{1'b0}};
    end
endmodule
`default_nettype wire
