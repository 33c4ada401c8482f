// One output lane of the pq core: adder tree over the looked-up entries, dense products, accumulator.
//
// The three sources of an addend (lookup, product, feature-buffer byte) are 0 unless they are meant, so they are joined
// by OR; `lookup` lets the looked-up sum of this cycle through, `byte_read` the byte of the next, and a product of anything
// but a dense step is 0. `entry` comes 2 (more than 18 inputs: 3) + PAD_SUM cycles before its step, `code` and `w`
// DOT_STAGES + 1 + PAD_DOT before.
//
// A step (in its cycle): base + addend, base = 0 (first), acc << 8 (load: the next lower byte of a stored accumulator) or
// acc; POOL maximum: the larger of the two, where byte_on marks bytes inside the input.
//
// Latency: acc in the cycle after the step. held: acc after the last step with `keep` (HOLD = 1), else acc itself.
// Parameters: INPUTS entries of LUT_BITS bits; MIRROR, SUM_W as in lutra_pq_sum; DENSE multipliers (0: none); ACC_BITS; PAD_SUM, PAD_DOT extra registers
// so that both ways take equally long; DOT_STAGES of lutra_dot; HOLD.
`default_nettype none

module lutra_pq_lane #(
    parameter INPUTS     = 18,
    parameter LUT_BITS   = 4,
    parameter MIRROR     = 0,
    parameter SUM_W      = LUT_BITS + $clog2(INPUTS + 1) + 1,
    parameter DENSE      = 1,
    parameter ACC_BITS   = 20,
    parameter PAD_SUM    = 1,
    parameter PAD_DOT    = 0,
    parameter DOT_STAGES = 1,
    parameter HOLD       = 0,
    parameter MULTS      = (DENSE > 0) ? DENSE : 1,
    parameter CODE_W     = 12,
    parameter CORR_W     = 2 * 4 + $clog2(MULTS) - 1
) (
    input  wire                       clk,
    input  wire [INPUTS*LUT_BITS-1:0] entry,
    input  wire [SUM_W-1:0]           sum_start, // for the sum's last stage
    // verilator lint_off UNUSED
    input  wire [MULTS*CODE_W-1:0]    code, // the dense inputs are not used
    input  wire [CORR_W-1:0]          corr, // if DENSE is 0
    input  wire [MULTS*8-1:0]         w,
    // verilator lint_on UNUSED
    input  wire                       lookup,
    input  wire                       step,
    input  wire                       first,
    input  wire                       load,
    input  wire                       maximum,
    input  wire                       byte_read, // data is meant, for the step of the next cycle
    input  wire                       byte_on,   // the same in that cycle
    input  wire                       byte_unsigned,
    input  wire [7:0]                 data,
    // verilator lint_off UNUSED
    input  wire                       keep, // not used if HOLD is 0
    // verilator lint_on UNUSED
    output reg  [ACC_BITS-1:0]        acc,
    output wire [ACC_BITS-1:0]        held
);
    localparam DOT_W = 16 + $clog2(MULTS);

    wire [SUM_W-1:0] sum, sum_early;
    lutra_pq_sum #(
        .INPUTS(INPUTS),
        .BITS(LUT_BITS),
        .MIRROR(MIRROR),
        .SUM_W(SUM_W)
    ) u_sum (
        .clk(clk),
        .entry(entry),
        .start(sum_start),
        .sum(sum_early)
    );
    lutra_pq_delay #(
        .WIDTH(SUM_W),
        .CYCLES(PAD_SUM)
    ) u_sum_pad (
        .clk(clk),
        .clear(1'b0),
        .d(sum_early),
        .q(sum)
    );

    wire [DOT_W-1:0] dot;
    generate
        if (DENSE > 0) begin : g_dense
            wire [DOT_W-1:0] dot_early;
            lutra_dot #(
                .LANES(DENSE),
                .DOT_STAGES(DOT_STAGES),
                .CODE_W(CODE_W),
                .CORR_W(CORR_W),
                .SUM_W(DOT_W)
            ) u_dot (
                .clk(clk),
                .code(code),
                .corr(corr),
                .w(w),
                .sum(dot_early)
            );
            lutra_pq_delay #(
                .WIDTH(DOT_W),
                .CYCLES(PAD_DOT)
            ) u_dot_pad (
                .clk(clk),
                .clear(1'b0),
                .d(dot_early),
                .q(dot)
            );
        end else begin : g_no_dense
            assign dot = {DOT_W{1'b0}};
        end
    endgenerate

    localparam WIDE = ACC_BITS + 32; // the addends before they are cut to the accumulator's width
    reg  [7:0]       b;
    always @(posedge clk) b <= data & {8{byte_read}};
    wire [SUM_W-1:0] looked = sum & {SUM_W{lookup}};
    wire [WIDE-1:0]  sum_x  = {{(WIDE-SUM_W){looked[SUM_W-1]}}, looked};
    wire [WIDE-1:0]  dot_x  = {{(WIDE-DOT_W){dot[DOT_W-1]}}, dot};
    wire [WIDE-1:0]  byte_x = {{(WIDE-8){b[7] && !byte_unsigned}}, b};
    wire [WIDE-1:0]  addend = sum_x | dot_x | byte_x;

    wire [ACC_BITS-1:0] old  = first ? {ACC_BITS{1'b0}} : acc;
    wire [ACC_BITS-1:0] base = load ? {old[ACC_BITS-9:0], 8'd0} : old;
    wire [ACC_BITS-1:0] total = base + addend[ACC_BITS-1:0];

    // maximum: -256 stands for "nothing yet"
    wire signed [8:0]   best   = first ? 9'h100 : acc[8:0];
    wire signed [8:0]   rival  = byte_on ? byte_x[8:0] : 9'h100;
    wire signed [8:0]   larger = (rival > best) ? rival : best;
    wire [ACC_BITS-1:0] next   = maximum ? {{(ACC_BITS-9){larger[8]}}, larger} : total;

    always @(posedge clk) if (step) acc <= next;

    generate
        if (HOLD) begin : g_hold
            reg [ACC_BITS-1:0] kept;
            always @(posedge clk) if (keep) kept <= next;
            assign held = kept;
        end else begin : g_no_hold
            assign held = acc;
        end
    endgenerate

    // verilator lint_off UNUSED
    wire unused = &{1'b0, addend};
    // verilator lint_on UNUSED
endmodule
`default_nettype wire
