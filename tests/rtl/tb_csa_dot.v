// Compares the structural dot product (lutra_recode_s, lutra_dot_s) with the behavioural one, cycle by cycle.
// The first VECTORS inputs are random, with all-extreme and sparse ones among them; EXHAUSTIVE = 1 walks all inputs instead.
`timescale 1ns / 1ns

module tb_csa_dot;
    parameter LANES      = 16;
    parameter A_BITS     = 8;
    parameter W_BITS     = 8;
    parameter DOT_STAGES = 1;
    parameter VECTORS    = 800;
    parameter EXHAUSTIVE = 0;

    localparam CODE_W = 3 * ((A_BITS + 1) / 2);
    localparam CORR_W = 2 * ((A_BITS + 1) / 2) + $clog2(LANES) - 1;
    localparam SUM_W  = A_BITS + W_BITS + $clog2(LANES);
    localparam IN_W   = LANES * (A_BITS + W_BITS);
    localparam COUNT  = EXHAUSTIVE ? 32'd1 << IN_W : VECTORS;

    reg                     clk = 0;
    reg  [LANES*A_BITS-1:0] a;
    reg  [LANES*W_BITS-1:0] w_next, w;
    wire [LANES*CODE_W-1:0] code_b, code_s;
    wire [CORR_W-1:0]       corr_b, corr_s;
    wire [SUM_W-1:0]        sum_b, sum_s;
    reg  [IN_W-1:0]         all;
    integer                 n, i, errors;

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

    always @(posedge clk) w <= w_next;

    task choose;
        begin
            for (i = 0; i < LANES; i = i + 1) begin
                a[i*A_BITS +: A_BITS]      = $random;
                w_next[i*W_BITS +: W_BITS] = $random;
                if (n % 4 == 1) begin
                    a[i*A_BITS +: A_BITS]      = 1 << (A_BITS - 1);
                    w_next[i*W_BITS +: W_BITS] = (n % 8 == 1) ? 1 << (W_BITS - 1) : (1 << (W_BITS - 1)) - 1;
                end
                if (n % 4 == 2) a[i*A_BITS +: A_BITS] = a[i*A_BITS +: A_BITS] & $random & $random;
                if (n % 4 == 3 && n % 8 == 3) a[i*A_BITS +: A_BITS] = (1 << (A_BITS - 1)) - 1;
            end
            all = n;
            if (EXHAUSTIVE) {a, w_next} = all;
        end
    endtask

    initial begin
        errors = 0;
        for (n = 0; n < COUNT + DOT_STAGES + 3; n = n + 1) begin
            choose;
            #5 clk = 1;
            #5 clk = 0;
            // A cycle without a result (x) must not pass for an equal one.
            if (n > DOT_STAGES + 2 && (sum_s !== sum_b || ^sum_b === 1'bx)) begin
                errors = errors + 1;
                if (errors < 4) $display("vector %0d: expected %h, got %h", n, sum_b, sum_s);
            end
        end
        if (errors == 0) $display("PASS");
        else $display("FAIL: %0d of %0d", errors, COUNT);
    end
endmodule
