// SPDX-License-Identifier: Apache-2.0
//
// Requantisation of one lane (docs/arithmetic.md):
//   y = clip(((acc + bias) * mult + res * res_mult + round) >> shift, lo, hi),  round = shift ? 1 << (shift - 1) : 0
//
// One value per cycle. Both products are one carry-save tree with one final adder. Rounding uses
// (v + 2^(s-1)) >> s == (v >> s) + bit s-1 of v: the shifter keeps one more bit and the increment is 9 bits wide. Each
// level of the shifter keeps only the bits that later levels can bring into the result, and notes an overflow of those it
// drops. A result is saturated to 9 bits before the clip: lo and hi lie within -256 .. 255.
//
// Latency: acc in cycle t; bias, mult, res in cycle t+1; y in cycle t+6. The constants
// shift, lo, hi and res_code must be stable while values are in flight.
//
// Parameters:
//   ACC_BITS   accumulator and bias width, 12..32; acc + bias fits (modulo 2^ACC_BITS)
//   MULT_BITS  width of both unsigned multipliers, 8..16
//   CODE_W     width of a multiplier's code; leave it as it is

`default_nettype none

module lutra_requant #(
    parameter ACC_BITS  = 24,
    parameter MULT_BITS = 16,
    parameter CODE_W    = 3 * (MULT_BITS / 2 + 1)
) (
    input  wire                 clk,
    input  wire [ACC_BITS-1:0]  acc,
    input  wire [ACC_BITS-1:0]  bias,
    input  wire [MULT_BITS-1:0] mult,
    input  wire [8:0]           res,      // signed
    input  wire [CODE_W-1:0]    res_code, // digits of res_mult (lutra_radix4)
    input  wire [5:0]           shift,    // 0..47
    input  wire [9:0]           lo,       // signed
    input  wire [9:0]           hi,       // signed
    output reg  [7:0]           y
);

    localparam V_W = ACC_BITS + MULT_BITS + 1;

    // t, t+1: biased accumulator, digits of the multiplier
    reg  [ACC_BITS-1:0] acc_q;
    reg  [ACC_BITS-1:0] sum_q;
    reg  [8:0]          res_q;
    wire [CODE_W-1:0]   mult_code;

    always @(posedge clk) begin
        acc_q <= acc;
        sum_q <= acc_q + bias;
        res_q <= res;
    end

    lutra_radix4 #(
        .BITS (MULT_BITS)
    ) u_mult (
        .clk   (clk),
        .value (mult),
        .code  (mult_code)
    );

    // t+2, t+3: products and their sum
    wire [V_W-1:0] v;

    lutra_requant_mac #(
        .ACC_BITS  (ACC_BITS),
        .MULT_BITS (MULT_BITS)
    ) u_mac (
        .clk       (clk),
        .x         (sum_q),
        .mult_code (mult_code),
        .res       (res_q),
        .res_code  (res_code),
        .v         (v)
    );

    // t+3: right shift by multiples of 8. Bit 0 is the bit behind the binary point. After the level of 2^k there are
    // 9 bits of result, that bit, and 2^k - 1 bits that may still be shifted in.
    wire        sign = v[V_W-1];
    wire [40:0] x5;
    wire        over5;
    wire        gone; // nothing is left of v: the result is 0

    generate
        if (V_W <= 32) begin : g_gone // a shift by 32 or more leaves copies of the sign, which round to 0
            assign x5    = {{(40-V_W){sign}}, v, 1'b0};
            assign over5 = 1'b0;
            assign gone  = shift[5];
        end else begin : g_by_32
            wire [72:0] x6 = {{(72-V_W){sign}}, v, 1'b0};
            assign x5    = shift[5] ? x6[72:32] : x6[40:0];
            assign over5 = ~shift[5] & (x6[72:40] != {33{sign}});
            assign gone  = 1'b0;
        end
    endgenerate

    wire [24:0] x4   = shift[4] ? x5[40:16] : x5[24:0];
    wire [16:0] x3   = shift[3] ? x4[24:8] : x4[16:0];
    wire        over4 = ~shift[4] & (x5[40:24] != {17{sign}});
    wire        over3 = ~shift[3] & (x4[24:16] != {9{sign}});
    reg  [16:0] x3_q;
    reg         sign_q;
    reg         over_q;

    always @(posedge clk) begin
        x3_q   <= x3;
        sign_q <= sign;
        over_q <= over5 | over4 | over3;
    end

    // t+4: the rest of the shift, saturated to 9 bits, rounded
    wire [12:0] x2 = shift[2] ? x3_q[16:4] : x3_q[12:0];
    wire [10:0] x1 = shift[1] ? x2[12:2] : x2[10:0];
    wire [9:0]  x0 = shift[0] ? x1[10:1] : x1[9:0];
    wire        over2 = ~shift[2] & (x3_q[16:12] != {5{sign_q}});
    wire        over1 = ~shift[1] & (x2[12:10] != {3{sign_q}});
    wire        over0 = ~shift[0] & (x1[10:9] != {2{sign_q}});
    wire        over  = (over_q | over2 | over1 | over0) & ~gone;
    wire        fits  = ~over & ~gone;
    wire [8:0]  u     = ({sign_q, {8{~sign_q}}} & {9{over}}) | (x0[9:1] & {9{fits}});
    reg  signed [9:0] r_q;

    always @(posedge clk) r_q <= {u[8], u} + {9'd0, x0[0] & fits};

    // t+5
    wire below = r_q < $signed(lo);
    wire above = r_q > $signed(hi);

    always @(posedge clk) y <= below ? lo[7:0] : above ? hi[7:0] : r_q[7:0];

endmodule

`default_nettype wire
