// Distance of two vectors of unsigned values: sum of |a - b|, or of its square.
//
// Magnitudes wait in a register; behind it come squares and sum, with a register between them where the two take longer
// than the rest of the design needs for a cycle (SPLIT). Squares of up to 5 bits are tables, which logic synthesis makes
// smaller than adders; wider ones are put together from the squares of their halves and the halves' product.
//
// Latency: 2 + SPLIT, one distance per cycle. Parameters: LENGTH values of BITS bits, SQUARE, DIST_W holds every distance.
`default_nettype none

module lutra_enc_metric #(
    parameter LENGTH = 8,
    parameter BITS   = 8,
    parameter SQUARE = 0,
    parameter DIST_W = 12,
    parameter SPLIT  = 0
) (
    input  wire                   clk,
    input  wire [LENGTH*BITS-1:0] a,
    input  wire [LENGTH*BITS-1:0] b,
    output reg  [DIST_W-1:0]      distance
);
    localparam TERM_W = (SQUARE != 0) ? 2*BITS : BITS;
    localparam LOW    = (BITS > 5) ? BITS / 2 : BITS; // bits of the lower half
    localparam HIGH   = BITS - LOW;

    function [2*LOW-1:0] low_square(input [LOW-1:0] v);
        integer k;
        begin
            low_square = {2*LOW{1'b0}};
            // verilator lint_off WIDTH
            for (k = 1; k < (1 << LOW); k = k + 1) if (v == k) low_square = k * k;
            // verilator lint_on WIDTH
        end
    endfunction

    wire [LENGTH*TERM_W-1:0] early, terms;

    genvar i;
    generate
        for (i = 0; i < LENGTH; i = i + 1) begin : g_value
            // a + ~b with its carry fed back: a - b if a > b, else the complement of b - a
            wire [BITS-1:0] x = a[i*BITS +: BITS];
            wire [BITS-1:0] y = ~b[i*BITS +: BITS];
            reg             above; // a > b; in the loop, the carry without the one fed back
            reg             pass;  // the one fed back gets to this bit
            reg  [BITS-1:0] carry, through;
            integer         n;
            always @* begin
                above = 1'b0;
                pass  = 1'b1;
                for (n = 0; n < BITS; n = n + 1) begin
                    carry[n]   = above;
                    through[n] = pass;
                    above      = (x[n] & y[n]) | ((x[n] | y[n]) & above);
                    pass       = pass & (x[n] ^ y[n]);
                end
            end
            reg  [BITS-1:0] magnitude;
            always @(posedge clk)
                magnitude <= x ^ y ^ (carry | (through & {BITS{above}})) ^ {BITS{!above}};

            if (SQUARE == 0) begin : g_plain
                assign early[i*TERM_W +: TERM_W] = magnitude;
            end else if (HIGH == 0) begin : g_table
                assign early[i*TERM_W +: TERM_W] = low_square(magnitude);
            end else begin : g_halves
                // the halves differ by at most one bit
                function [2*HIGH-1:0] high_square(input [HIGH-1:0] v);
                    integer k;
                    begin
                        high_square = {2*HIGH{1'b0}};
                        // verilator lint_off WIDTH
                        for (k = 1; k < (1 << HIGH); k = k + 1) if (v == k) high_square = k * k;
                        // verilator lint_on WIDTH
                    end
                endfunction
                wire [BITS-1:0] product = {{LOW{1'b0}}, magnitude[BITS-1:LOW]} * {{HIGH{1'b0}}, magnitude[LOW-1:0]};
                assign early[i*TERM_W +: TERM_W] =
                    {high_square(magnitude[BITS-1:LOW]), low_square(magnitude[LOW-1:0])} +
                    ({{BITS{1'b0}}, product} << (LOW + 1));
            end
        end

        if (SPLIT != 0) begin : g_split
            reg [LENGTH*TERM_W-1:0] terms_q;
            always @(posedge clk) terms_q <= early;
            assign terms = terms_q;
        end else begin : g_whole
            assign terms = early;
        end
    endgenerate

    reg [DIST_W-1:0] total;
    integer t;
    always @* begin
        total = {DIST_W{1'b0}};
        for (t = 0; t < LENGTH; t = t + 1) total = total + {{(DIST_W-TERM_W){1'b0}}, terms[t*TERM_W +: TERM_W]};
    end
    always @(posedge clk) distance <= total;
endmodule
`default_nettype wire
