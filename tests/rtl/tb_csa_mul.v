// Compares the emitted multiplier `mul_s` with `*`: all inputs if there are at most 2^16, else VECTORS random ones with the
// extremes among them.
`timescale 1ns / 1ns

module tb_csa_mul;
    parameter A_BITS   = 8;
    parameter A_SIGNED = 1;
    parameter B_BITS   = 8;
    parameter B_SIGNED = 1;
    parameter STAGES   = 0;
    parameter VECTORS  = (A_BITS + B_BITS > 40) ? 200 : 1000;

    localparam P_BITS = A_BITS + B_BITS;
    localparam COUNT  = (P_BITS <= 16) ? 32'd1 << P_BITS : VECTORS;

    reg               clk = 0;
    reg  [A_BITS-1:0] a;
    reg  [B_BITS-1:0] b;
    wire [P_BITS-1:0] p;
    reg  [P_BITS-1:0] expected [0:STAGES];
    reg  [P_BITS-1:0] xa, xb, all;
    integer           n, i, errors;

    mul_s u_mul (
`ifdef CLOCKED
        .clk(clk),
`endif
        .a(a),
        .b(b),
        .p(p)
    );

    initial begin
        errors = 0;
        for (n = 0; n < COUNT + STAGES; n = n + 1) begin
            all = n;
            {a, b} = all;
            if (P_BITS > 16) begin
                a = $random;
                b = $random;
                if (n % 3 == 1) a = (n % 2) ? 1 << (A_BITS - 1) : ~(1 << (A_BITS - 1));
                if (n % 5 == 1) b = (n % 2) ? 1 << (B_BITS - 1) : ~(1 << (B_BITS - 1));
                if (n % 7 == 1) a = {A_BITS{1'b1}};
            end
            xa = {{B_BITS{(A_SIGNED != 0) & a[A_BITS-1]}}, a};
            xb = {{A_BITS{(B_SIGNED != 0) & b[B_BITS-1]}}, b};
            for (i = STAGES; i > 0; i = i - 1) expected[i] = expected[i-1];
            expected[0] = xa * xb;
            #5;
            if (n >= STAGES && (p !== expected[STAGES] || ^p === 1'bx)) begin
                errors = errors + 1;
                if (errors < 4) $display("vector %0d: expected %h, got %h", n, expected[STAGES], p);
            end
            clk = 1;
            #5 clk = 0;
        end
        if (errors == 0) $display("PASS");
        else $display("FAIL: %0d of %0d", errors, COUNT);
    end
endmodule
