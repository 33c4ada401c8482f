// Dot product: sum = sum over i of a[i] * w[i], signed and exact, where lutra_recode made `code` from a.
//
// This behavioural form is for simulation and for FPGAs. For cells, `lutra gen` emits a structural form with the same ports
// (one merged carry-save tree, docs in gen/emit/csa_tree.h), which synthesis reads in its place.
//
// Latency: DOT_STAGES + 1, one result per cycle.
// Parameters: LANES products of A_BITS x W_BITS bits; DOT_STAGES registers inside; SUM_W holds every sum.
`default_nettype none

module lutra_dot #(
    parameter LANES      = 16,
    parameter A_BITS     = 8,
    parameter W_BITS     = 8,
    parameter DOT_STAGES = 1,
    parameter CODE_W     = 3 * ((A_BITS + 1) / 2),
    parameter CORR_W     = 2 * ((A_BITS + 1) / 2) + $clog2(LANES) - 1,
    parameter SUM_W      = A_BITS + W_BITS + $clog2(LANES)
) (
    input  wire                    clk,
    input  wire [LANES*CODE_W-1:0] code,
    // verilator lint_off UNUSED
    input  wire [CORR_W-1:0]       corr,  // used by the structural form only
    // verilator lint_on UNUSED
    input  wire [LANES*W_BITS-1:0] w,
    output wire [SUM_W-1:0]        sum
);
    reg signed [SUM_W-1:0] total;
    reg signed [A_BITS-1:0] a_i;
    reg signed [W_BITS-1:0] w_i;
    integer i;

    always @* begin
        total = {SUM_W{1'b0}};
        for (i = 0; i < LANES; i = i + 1) begin
            a_i   = code[i*CODE_W +: A_BITS];
            w_i   = w[i*W_BITS +: W_BITS];
            total = total + a_i * w_i;
        end
    end

    reg [(DOT_STAGES+1)*SUM_W-1:0] stage;  // newest lowest
    generate
        if (DOT_STAGES == 0) begin : g_single
            always @(posedge clk) stage <= total;
        end else begin : g_pipeline
            always @(posedge clk) stage <= {stage[DOT_STAGES*SUM_W-1:0], total};
        end
    endgenerate
    assign sum = stage[DOT_STAGES*SUM_W +: SUM_W];
endmodule
`default_nettype wire
