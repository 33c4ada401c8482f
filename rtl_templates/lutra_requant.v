// SPDX-License-Identifier: Apache-2.0
//
// Requantisation of one lane (docs/arithmetic.md):
//   y = clip(((acc + bias) * mult + res * res_mult + round) >> shift, lo, hi),  round = shift ? 1 << (shift - 1) : 0
//
// One value per cycle. The multiplier is cut into two halves of MULT_BITS / 2 rows, so that no pipeline stage is longer
// than a few full adders and one carry chain. Rounding uses (v + 2^(s-1)) >> s == (v >> s) + bit s-1 of v: the shifter
// keeps one more bit and the increment is 10 bits wide. Each level of the shifter keeps only the bits that later levels
// can bring into the result, and notes an overflow of those it drops.
//
// Latency: acc in cycle t; bias, mult, res in cycle t+1; y (combinational from registers) in cycle t+6. The constants
// shift, lo, hi and res_mult must be stable while values are in flight.
//
// Parameters:
//   ACC_BITS   accumulator and bias width, 12..32; acc + bias fits (modulo 2^ACC_BITS)
//   MULT_BITS  width of the unsigned multiplier, 8..16

`default_nettype none

module lutra_requant #(
    parameter ACC_BITS  = 24,
    parameter MULT_BITS = 16
) (
    input  wire                 clk,
    input  wire [ACC_BITS-1:0]  acc,
    input  wire [ACC_BITS-1:0]  bias,
    input  wire [MULT_BITS-1:0] mult,
    input  wire [8:0]           res,      // signed
    input  wire [15:0]          res_mult, // unsigned
    input  wire [5:0]           shift,    // 0..47
    input  wire [9:0]           lo,       // signed
    input  wire [9:0]           hi,       // signed
    output wire [7:0]           y
);

    localparam ML   = MULT_BITS / 2;     // low half of the multiplier
    localparam MH   = MULT_BITS - ML;
    localparam PROD = ACC_BITS + MULT_BITS;
    localparam V_W  = ((PROD > 25) ? PROD : 25) + 1;

    // t+1, t+2: biased accumulator
    reg  [ACC_BITS-1:0]  acc_q;
    reg  [ACC_BITS-1:0]  sum_q;
    reg  [MULT_BITS-1:0] mult_q;
    reg  [8:0]           res_q;

    always @(posedge clk) begin
        acc_q  <= acc;
        sum_q  <= acc_q + bias;
        mult_q <= mult;
        res_q  <= res;
    end

    // t+3: products
    reg signed [ACC_BITS+ML-1:0] low_q;
    reg signed [ACC_BITS+MH-1:0] high_q;
    reg signed [24:0]            side_q;

    always @(posedge clk) begin
        low_q  <= $signed(sum_q) * $signed({1'b0, mult_q[ML-1:0]});
        high_q <= $signed(sum_q) * $signed({1'b0, mult_q[MULT_BITS-1:ML]});
        side_q <= $signed(res_q) * $signed({1'b0, res_mult});
    end

    // t+4: their sum
    reg  [V_W-1:0] v;
    wire [V_W-1:0] low_x  = {{(V_W-ACC_BITS-ML){low_q[ACC_BITS+ML-1]}}, low_q};
    wire [V_W-1:0] high_x = {{(V_W-PROD){high_q[ACC_BITS+MH-1]}}, high_q, {ML{1'b0}}};
    wire [V_W-1:0] side_x = {{(V_W-25){side_q[24]}}, side_q};

    always @(posedge clk) v <= low_x + high_x + side_x;

    // t+5: right shift by multiples of 8. Bit 0 is the bit behind the binary point. After the level of 2^k there are
    // 10 bits of result, that bit, and 2^k - 1 bits that may still be shifted in.
    wire        sign = v[V_W-1];
    wire [73:0] x6   = {{(73-V_W){sign}}, v, 1'b0};
    wire [41:0] x5   = shift[5] ? x6[73:32] : x6[41:0];
    wire [25:0] x4   = shift[4] ? x5[41:16] : x5[25:0];
    wire [17:0] x3   = shift[3] ? x4[25:8] : x4[17:0];
    wire        over5 = ~shift[5] & (x6[73:41] != {33{sign}});
    wire        over4 = ~shift[4] & (x5[41:25] != {17{sign}});
    wire        over3 = ~shift[3] & (x4[25:17] != {9{sign}});
    reg  [17:0] x3_q;
    reg         sign_q;
    reg         over_q;

    always @(posedge clk) begin
        x3_q   <= x3;
        sign_q <= sign;
        over_q <= over5 | over4 | over3;
    end

    // t+6: the rest of the shift, saturated to 10 bits, rounded
    wire [13:0] x2 = shift[2] ? x3_q[17:4] : x3_q[13:0];
    wire [11:0] x1 = shift[1] ? x2[13:2] : x2[11:0];
    wire [10:0] x0 = shift[0] ? x1[11:1] : x1[10:0];
    wire        over2 = ~shift[2] & (x3_q[17:13] != {5{sign_q}});
    wire        over1 = ~shift[1] & (x2[13:11] != {3{sign_q}});
    wire        over0 = ~shift[0] & (x1[11:10] != {2{sign_q}});
    wire        over  = over_q | over2 | over1 | over0;
    wire [9:0]  u     = over ? {sign_q, {9{~sign_q}}} : x0[10:1];
    wire        carry = x0[0] & ~over;
    reg  signed [10:0] r_q;

    always @(posedge clk) r_q <= {u[9], u} + {10'd0, carry};

    wire signed [10:0] lo_x = {lo[9], lo};
    wire signed [10:0] hi_x = {hi[9], hi};

    assign y = (r_q < lo_x) ? lo[7:0] : (r_q > hi_x) ? hi[7:0] : r_q[7:0];

endmodule

`default_nettype wire
