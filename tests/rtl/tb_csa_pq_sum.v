// Compares the emitted `pq_sum_s` with lutra_pq_sum on VECTORS random inputs, the extremes among them.
`timescale 1ns / 1ns

module tb_csa_pq_sum;
    parameter INPUTS  = 18;
    parameter BITS    = 4;
    parameter MIRROR  = 0;
    parameter VECTORS = 1000;

    localparam SUM_W = BITS + $clog2(INPUTS + 1) + 1;

    reg                    clk = 0;
    reg  [INPUTS*BITS-1:0] entry;
    reg  [SUM_W-1:0]       start;
    wire [SUM_W-1:0]       a, b;
    integer                n, i, errors;

    lutra_pq_sum #(.INPUTS(INPUTS), .BITS(BITS), .MIRROR(MIRROR), .SUM_W(SUM_W)) u_a (.clk(clk), .entry(entry), .start(start), .sum(a));
    pq_sum_s #(.INPUTS(INPUTS), .BITS(BITS), .MIRROR(MIRROR), .SUM_W(SUM_W)) u_b (.clk(clk), .entry(entry), .start(start), .sum(b));

    initial begin
        errors = 0;
        for (n = 0; n < VECTORS; n = n + 1) begin
            for (i = 0; i < INPUTS; i = i + 1)
                entry[i*BITS +: BITS] = (n % 4 == 1) ? {BITS{1'b1}} : (n % 4 == 2) ? 1 << (BITS - 1) : $random;
            start = (n % 8 == 1) ? INPUTS : $random;
            #5;
            if (n >= 3 && (a !== b || ^a === 1'bx)) begin
                errors = errors + 1;
                if (errors < 4) $display("vector %0d: expected %h, got %h", n, a, b);
            end
            clk = 1;
            #5 clk = 0;
        end
        if (errors == 0) $display("PASS");
        else $display("FAIL: %0d of %0d", errors, VECTORS);
    end
endmodule
