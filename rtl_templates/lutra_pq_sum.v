// Adder tree of one lane of the pq core: sum of INPUTS signed table entries.
//
// Entries are turned into unsigned numbers by adding 2^(BITS-1) (their top bit inverted), so that no adder extends a
// sign; the constant is taken off at the last stage. With MIRROR = 1 that stage adds `start`, too, which belongs to the
// entries of LATENCY - 1 cycles ago.
//
// Latency: 1 + number of times the RADIX-wide adders follow each other; 2 for up to 18 inputs. One sum per cycle.
// Parameters: INPUTS entries of BITS bits; SUM_W holds every sum. LATENCY is for the instantiating module to know.
`default_nettype none

module lutra_pq_sum #(
    parameter INPUTS = 18,
    parameter BITS   = 4,
    parameter MIRROR = 0,
    parameter SUM_W  = BITS + $clog2(INPUTS + 1) + 1
) (
    input  wire                   clk,
    input  wire [INPUTS*BITS-1:0] entry,
    // verilator lint_off UNUSED
    input  wire [SUM_W-1:0]       start, // not used if MIRROR is 0
    // verilator lint_on UNUSED
    output reg  [SUM_W-1:0]       sum
);
    // first stage: triples, narrow because it follows the memory in its cycle; then groups of six
    localparam FIRST = 3;
    localparam RADIX = 6;
    localparam N1 = (INPUTS + FIRST - 1) / FIRST;
    localparam N2 = (N1 + RADIX - 1) / RADIX;
    localparam W1 = BITS + 2;
    localparam W2 = BITS + 5;

    wire [N1*W1-1:0] triples;
    genvar g;
    generate
        for (g = 0; g < N1; g = g + 1) begin : g_triple
            reg  [W1-1:0] t;
            wire [3*BITS-1:0] u;
            genvar j;
            for (j = 0; j < FIRST; j = j + 1) begin : g_in
                if (g*FIRST + j < INPUTS) begin : g_used
                    localparam I = g*FIRST + j;
                    assign u[j*BITS +: BITS] = entry[I*BITS +: BITS] ^ {1'b1, {(BITS-1){1'b0}}};
                end else begin : g_none
                    assign u[j*BITS +: BITS] = {BITS{1'b0}};
                end
            end
            always @(posedge clk)
                t <= {2'b00, u[0 +: BITS]} + {2'b00, u[BITS +: BITS]} + {2'b00, u[2*BITS +: BITS]};
            assign triples[g*W1 +: W1] = t;
        end
    endgenerate

    localparam OFFSET_ALL = INPUTS << (BITS - 1);
    localparam [SUM_W-1:0] OFFSET = OFFSET_ALL[SUM_W-1:0];
    wire [SUM_W-1:0] from = ((MIRROR != 0) ? start : {SUM_W{1'b0}}) - OFFSET;

    generate
        if (N1 <= RADIX) begin : g_two
            reg [SUM_W-1:0] total;
            integer k;
            always @* begin
                total = from;
                for (k = 0; k < N1; k = k + 1) total = total + {{(SUM_W-W1){1'b0}}, triples[k*W1 +: W1]};
            end
            always @(posedge clk) sum <= total;
        end else begin : g_three
            wire [N2*W2-1:0] parts;
            genvar p;
            for (p = 0; p < N2; p = p + 1) begin : g_part
                reg [W2-1:0] part, part_q;
                integer k;
                always @* begin
                    part = {W2{1'b0}};
                    for (k = p*RADIX; k < N1 && k < (p + 1)*RADIX; k = k + 1)
                        part = part + {3'b000, triples[k*W1 +: W1]};
                end
                always @(posedge clk) part_q <= part;
                assign parts[p*W2 +: W2] = part_q;
            end
            reg [SUM_W-1:0] total;
            integer k2;
            always @* begin
                total = from;
                for (k2 = 0; k2 < N2; k2 = k2 + 1) total = total + {{(SUM_W-W2){1'b0}}, parts[k2*W2 +: W2]};
            end
            always @(posedge clk) sum <= total;
        end
    endgenerate
endmodule
`default_nettype wire
