// The structural and the behavioural dot product on the same inputs; `differ` is 1 in a cycle in which their sums differ.
module csa_miter #(
    parameter LANES      = 2,
    parameter A_BITS     = 4,
    parameter W_BITS     = 4,
    parameter DOT_STAGES = 0
) (
    input  wire                    clk,
    input  wire [LANES*A_BITS-1:0] a,
    input  wire [LANES*W_BITS-1:0] w_next,
    output wire                    differ
);
    localparam CODE_W = 3 * ((A_BITS + 1) / 2);
    localparam CORR_W = 2 * ((A_BITS + 1) / 2) + $clog2(LANES) - 1;
    localparam SUM_W  = A_BITS + W_BITS + $clog2(LANES);

    reg  [LANES*W_BITS-1:0] w;
    wire [LANES*CODE_W-1:0] code_b, code_s;
    wire [CORR_W-1:0]       corr_b, corr_s;
    wire [SUM_W-1:0]        sum_b, sum_s;

    always @(posedge clk) w <= w_next;
    assign differ = sum_b != sum_s;

    lutra_recode #(
        .LANES(LANES), .A_BITS(A_BITS), .W_BITS(W_BITS), .DOT_STAGES(DOT_STAGES)
    ) u_recode_b (.clk(clk), .a(a), .code(code_b), .corr(corr_b));
    lutra_dot #(
        .LANES(LANES), .A_BITS(A_BITS), .W_BITS(W_BITS), .DOT_STAGES(DOT_STAGES)
    ) u_dot_b (.clk(clk), .code(code_b), .corr(corr_b), .w(w), .sum(sum_b));

    lutra_recode_s #(
        .LANES(LANES), .A_BITS(A_BITS), .W_BITS(W_BITS), .DOT_STAGES(DOT_STAGES)
    ) u_recode_s (.clk(clk), .a(a), .code(code_s), .corr(corr_s));
    lutra_dot_s #(
        .LANES(LANES), .A_BITS(A_BITS), .W_BITS(W_BITS), .DOT_STAGES(DOT_STAGES)
    ) u_dot_s (.clk(clk), .code(code_s), .corr(corr_s), .w(w), .sum(sum_s));
endmodule
