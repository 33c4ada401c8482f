// Output lanes of the pq core: LANES of lutra_pq_lane, each with its entry of every row that was looked up, and what is
// made once for all of them.
//
// Rows that come as a one's complement (`negated`) lack 1 in every entry: these 1s are counted here, and the sum of each
// lane starts from their number.
//
// entries and negated come LATENCY cycles before their step; act_code, act_corr and weights LATENCY - 1; all other inputs
// with it, but byte_read and data the cycle before.
//
// Latency: acc in the cycle after the step. Parameters: BANKS rows of LANES entries of LUT_BITS; MIRROR, DENSE, ACC_BITS,
// DOT_STAGES, HOLD as in lutra_pq_lane; CODE_W, CORR_W of lutra_recode; SUM_LATENCY of lutra_pq_sum; LATENCY at least that
// and, with multipliers, at least DOT_STAGES + 2.
`default_nettype none

module lutra_pq_lanes #(
    parameter LANES       = 16,
    parameter BANKS       = 18,
    parameter LUT_BITS    = 4,
    parameter MIRROR      = 0,
    parameter DENSE       = 1,
    parameter ACC_BITS    = 20,
    parameter SUM_LATENCY = 2,
    parameter LATENCY     = 3,
    parameter DOT_STAGES  = 1,
    parameter HOLD        = 0,
    parameter MULTS       = (DENSE > 0) ? DENSE : 1,
    parameter CODE_W      = 12,
    parameter CORR_W      = 8 + $clog2(MULTS) - 1
) (
    input  wire                            clk,
    input  wire [BANKS*LANES*LUT_BITS-1:0] entries,
    input  wire [BANKS-1:0]                negated,
    input  wire [MULTS*CODE_W-1:0]         act_code,
    input  wire [CORR_W-1:0]               act_corr,
    input  wire [LANES*MULTS*8-1:0]        weights,
    input  wire                            lookup,
    input  wire                            step,
    input  wire                            first,
    input  wire                            load,
    input  wire                            maximum,
    input  wire                            byte_read,
    input  wire                            byte_on,
    input  wire                            is_unsigned, // bytes of POOL
    input  wire [LANES*8-1:0]              data,
    input  wire                            keep,
    output wire [LANES*ACC_BITS-1:0]       acc,
    output wire [LANES*ACC_BITS-1:0]       held
);
    localparam SUM_W   = LUT_BITS + $clog2(BANKS + 1) + 1;
    localparam PAD_DOT = (DENSE > 0) ? LATENCY - DOT_STAGES - 2 : 0;

    wire [SUM_W-1:0] sum_start;
    generate
        if (MIRROR != 0) begin : g_mirror
            lutra_pq_ones #(
                .INPUTS(BANKS),
                .SUM_W(SUM_W),
                .LATENCY(SUM_LATENCY - 1)
            ) u_ones (
                .clk(clk),
                .in(negated),
                .ones(sum_start)
            );
        end else begin : g_plain
            assign sum_start = {SUM_W{1'b0}};
            wire unused = &{1'b0, negated};
        end
    endgenerate

    genvar i, j;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [BANKS*LUT_BITS-1:0] own;
            for (j = 0; j < BANKS; j = j + 1) begin : g_entry
                assign own[j*LUT_BITS +: LUT_BITS] = entries[(j*LANES + i)*LUT_BITS +: LUT_BITS];
            end
            lutra_pq_lane #(
                .INPUTS(BANKS),
                .LUT_BITS(LUT_BITS),
                .MIRROR(MIRROR),
                .SUM_W(SUM_W),
                .DENSE(DENSE),
                .ACC_BITS(ACC_BITS),
                .PAD_SUM(LATENCY - SUM_LATENCY),
                .PAD_DOT(PAD_DOT),
                .DOT_STAGES(DOT_STAGES),
                .HOLD(HOLD),
                .CODE_W(CODE_W),
                .CORR_W(CORR_W)
            ) u_lane (
                .clk(clk),
                .entry(own),
                .sum_start(sum_start),
                .code(act_code),
                .corr(act_corr),
                .w(weights[i*MULTS*8 +: MULTS*8]),
                .lookup(lookup),
                .step(step),
                .first(first),
                .load(load),
                .maximum(maximum),
                .byte_read(byte_read),
                .byte_on(byte_on),
                .byte_unsigned(load ? !first : is_unsigned), // the highest byte of a sum is signed
                .data(data[i*8 +: 8]),
                .keep(keep),
                .acc(acc[i*ACC_BITS +: ACC_BITS]),
                .held(held[i*ACC_BITS +: ACC_BITS])
            );
        end
    endgenerate
endmodule
`default_nettype wire
