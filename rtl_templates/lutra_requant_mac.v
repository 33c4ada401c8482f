// SPDX-License-Identifier: Apache-2.0
//
// Sum of two products for requantisation: v = x * mult + res * res_mult, exact. The multipliers come as radix-4 digits
// (lutra_radix4). Synthesis replaces this module by one carry-save tree (gen/emit/csa_requant.h).
//
// Latency: 1, v is combinational from registers.
//
// Parameters:
//   ACC_BITS   width of x, 12..32
//   MULT_BITS  width of both multipliers, 8..16
//   CODE_W     width of a code; leave it as it is
//   V_W        width of the sum; leave it as it is

`default_nettype none

module lutra_requant_mac #(
    parameter ACC_BITS  = 24,
    parameter MULT_BITS = 16,
    parameter CODE_W    = 3 * (MULT_BITS / 2 + 1),
    parameter V_W       = ACC_BITS + MULT_BITS + 1
) (
    input  wire                clk,
    input  wire [ACC_BITS-1:0] x,         // signed
    input  wire [CODE_W-1:0]   mult_code,
    input  wire [8:0]          res,       // signed
    input  wire [CODE_W-1:0]   res_code,
    output wire [V_W-1:0]      v          // signed
);

    // the number that a code stands for, as a sum of signed digits
    function [V_W-1:0] value(input [CODE_W-1:0] code);
        integer k;
        begin
            value = {V_W{1'b0}};
            for (k = CODE_W / 3 - 1; k >= 0; k = k - 1)
                value = (value << 2) + {{(V_W-2){1'b0}}, code[3*k+2], code[3*k+1]} - {{(V_W-1){1'b0}}, code[3*k]};
        end
    endfunction

    wire [V_W-1:0] x_long   = {{(V_W-ACC_BITS){x[ACC_BITS-1]}}, x};
    wire [V_W-1:0] res_long = {{(V_W-9){res[8]}}, res};
    reg  [V_W-1:0] v_q;

    always @(posedge clk) v_q <= x_long * value(mult_code) + res_long * value(res_code);

    assign v = v_q;

endmodule

`default_nettype wire
