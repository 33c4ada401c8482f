// Distance of two vectors of unsigned values: sum of |a - b|, or of its square.
//
// Latency: 2, one distance per cycle. Parameters: LENGTH values of BITS bits, SQUARE, DIST_W holds every distance.
`default_nettype none

module lutra_enc_metric #(
    parameter LENGTH = 8,
    parameter BITS   = 8,
    parameter SQUARE = 0,
    parameter DIST_W = 12
) (
    input  wire                   clk,
    input  wire [LENGTH*BITS-1:0] a,
    input  wire [LENGTH*BITS-1:0] b,
    output reg  [DIST_W-1:0]      distance
);
    // l1: pairs of values are added before the register, l2: squares wait in it
    localparam TERM_W = (SQUARE != 0) ? 2*BITS : BITS + 1;
    localparam TERMS  = (SQUARE != 0) ? LENGTH : (LENGTH + 1) / 2;

    wire [LENGTH*BITS-1:0] magnitude; // |a - b|
    reg  [TERMS*TERM_W-1:0] terms;

    genvar i;
    generate
        for (i = 0; i < LENGTH; i = i + 1) begin : g_value
            wire [BITS:0] d = {1'b0, a[i*BITS +: BITS]} - {1'b0, b[i*BITS +: BITS]};
            assign magnitude[i*BITS +: BITS] = (d[BITS-1:0] ^ {BITS{d[BITS]}}) + {{(BITS-1){1'b0}}, d[BITS]};
        end
        for (i = 0; i < TERMS; i = i + 1) begin : g_term
            if (SQUARE != 0) begin : g_square
                // x*x = sum of the bits' squares plus twice each pair of bits
                wire [BITS-1:0]   m = magnitude[i*BITS +: BITS];
                reg  [2*BITS-1:0] square;
                integer j, k;
                always @* begin
                    square = {2*BITS{1'b0}};
                    for (j = 0; j < BITS; j = j + 1) begin : g_row
                        reg [2*BITS-1:0] part;
                        part = {2*BITS{1'b0}};
                        part[2*j] = m[j];
                        for (k = j + 1; k < BITS; k = k + 1) part[j + k + 1] = m[j] & m[k];
                        square = square + part;
                    end
                end
                always @(posedge clk) terms[i*TERM_W +: TERM_W] <= square;
            end else if (2*i + 1 < LENGTH) begin : g_pair
                always @(posedge clk)
                    terms[i*TERM_W +: TERM_W] <= {1'b0, magnitude[2*i*BITS +: BITS]} + {1'b0, magnitude[(2*i+1)*BITS +: BITS]};
            end else begin : g_odd
                always @(posedge clk) terms[i*TERM_W +: TERM_W] <= {1'b0, magnitude[2*i*BITS +: BITS]};
            end
        end
    endgenerate

    reg [DIST_W-1:0] total;
    integer t;
    always @* begin
        total = {DIST_W{1'b0}};
        for (t = 0; t < TERMS; t = t + 1)
            total = total + {{(DIST_W-TERM_W){1'b0}}, terms[t*TERM_W +: TERM_W]};
    end
    always @(posedge clk) distance <= total;
endmodule
`default_nettype wire
