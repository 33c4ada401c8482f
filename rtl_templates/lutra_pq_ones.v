// Number of ones among INPUTS bits, registered LATENCY times, for the adder trees of the pq core.
//
// Latency: LATENCY cycles, 1 or 2. Parameters: INPUTS; SUM_W holds the number.
`default_nettype none

module lutra_pq_ones #(
    parameter INPUTS  = 18,
    parameter SUM_W   = 10,
    parameter LATENCY = 1
) (
    input  wire              clk,
    input  wire [INPUTS-1:0] in,
    output reg  [SUM_W-1:0]  ones
);
    // first of two stages: groups of PER bits
    localparam PER    = (LATENCY > 1) ? 12 : INPUTS;
    localparam GROUPS = (INPUTS + PER - 1) / PER;

    wire [GROUPS*SUM_W-1:0] parts;
    genvar g;
    generate
        for (g = 0; g < GROUPS; g = g + 1) begin : g_part
            reg [SUM_W-1:0] n;
            integer i;
            always @* begin
                n = {SUM_W{1'b0}};
                for (i = g*PER; i < INPUTS && i < (g + 1)*PER; i = i + 1) n = n + {{(SUM_W-1){1'b0}}, in[i]};
            end
            if (LATENCY > 1) begin : g_two
                reg [SUM_W-1:0] q;
                always @(posedge clk) q <= n;
                assign parts[g*SUM_W +: SUM_W] = q;
            end else begin : g_one
                assign parts[g*SUM_W +: SUM_W] = n;
            end
        end
    endgenerate

    reg [SUM_W-1:0] all;
    integer k;
    always @* begin
        all = {SUM_W{1'b0}};
        for (k = 0; k < GROUPS; k = k + 1) all = all + parts[k*SUM_W +: SUM_W];
    end
    always @(posedge clk) ones <= all;
endmodule
`default_nettype wire
