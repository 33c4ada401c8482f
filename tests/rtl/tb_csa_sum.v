// Compares the emitted adder `sum_s` with `+` on VECTORS random inputs, the extremes among them.
`timescale 1ns / 1ns

module tb_csa_sum;
    parameter INPUTS    = 8;
    parameter BITS      = 8;
    parameter IS_SIGNED = 1;
    parameter SUM_BITS  = 11;
    parameter STAGES    = 0;
    parameter VECTORS   = 1000;

    reg                    clk = 0;
    reg  [INPUTS*BITS-1:0] x;
    wire [SUM_BITS-1:0]    sum;
    reg  [SUM_BITS-1:0]    expected [0:STAGES];
    reg  [SUM_BITS:0]      term;
    integer                n, i, errors;

    sum_s u_sum (
`ifdef CLOCKED
        .clk(clk),
`endif
        .x(x),
        .sum(sum)
    );

    initial begin
        errors = 0;
        for (n = 0; n < VECTORS; n = n + 1) begin
            for (i = STAGES; i > 0; i = i - 1) expected[i] = expected[i-1];
            expected[0] = 0;
            for (i = 0; i < INPUTS; i = i + 1) begin
                x[i*BITS +: BITS] = (n % 4 == 1) ? {BITS{1'b1}} : (n % 4 == 2) ? 1 << (BITS - 1) : $random;
                term = {{(SUM_BITS+1-BITS){(IS_SIGNED != 0) & x[i*BITS+BITS-1]}}, x[i*BITS +: BITS]};
                expected[0] = expected[0] + term;
            end
            #5;
            if (n >= STAGES && (sum !== expected[STAGES] || ^sum === 1'bx)) begin
                errors = errors + 1;
                if (errors < 4) $display("vector %0d: expected %h, got %h", n, expected[STAGES], sum);
            end
            clk = 1;
            #5 clk = 0;
        end
        if (errors == 0) $display("PASS");
        else $display("FAIL: %0d of %0d", errors, VECTORS);
    end
endmodule
