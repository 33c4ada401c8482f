// Delay line: q is d of CYCLES cycles ago. Tie `clear` to 0 where no reset is needed.
//
// Parameters: WIDTH bits, CYCLES 0 or more.
`default_nettype none

module lutra_pq_delay #(
    parameter WIDTH  = 1,
    parameter CYCLES = 1
) (
    // verilator lint_off UNUSED
    input  wire             clk,   // both unused
    input  wire             clear, // if CYCLES is 0
    // verilator lint_on UNUSED
    input  wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
    wire [(CYCLES+1)*WIDTH-1:0] line;
    assign line[0 +: WIDTH] = d;
    genvar i;
    generate
        for (i = 1; i <= CYCLES; i = i + 1) begin : g_stage
            reg [WIDTH-1:0] stage;
            always @(posedge clk) begin
                if (clear) stage <= {WIDTH{1'b0}};
                else       stage <= line[(i-1)*WIDTH +: WIDTH];
            end
            assign line[i*WIDTH +: WIDTH] = stage;
        end
    endgenerate
    assign q = line[CYCLES*WIDTH +: WIDTH];
endmodule
`default_nettype wire
