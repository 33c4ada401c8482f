// SPDX-License-Identifier: Apache-2.0
//
// Radix-4 digits of an unsigned number, registered: value = sum over k of digit[k] * 4^k with digits in {-1, 0, 1, 2}. A
// digit is three wires: code[3k] is -1, code[3k+1] is +1, code[3k+2] is +2; at most one of them is high. The last digit is
// not negative.
//
// Latency: 1.
//
// Parameters:
//   BITS    width of the number, at least 2
//   CODE_W  width of the code; leave it as it is

`default_nettype none

module lutra_radix4 #(
    parameter BITS   = 8,
    parameter CODE_W = 3 * (BITS / 2 + 1)
) (
    input  wire              clk,
    input  wire [BITS-1:0]   value,
    output reg  [CODE_W-1:0] code
);

    localparam DIGITS = BITS / 2 + 1;

    wire [2*DIGITS-1:0] bits = {{(2*DIGITS-BITS){1'b0}}, value};
    reg  [CODE_W-1:0]   digits;
    reg                 up; // added to the next digit: 3 is 4 - 1, and 2 with one added is too
    reg                 odd;
    integer             k;

    always @* begin
        up = 1'b0;
        for (k = 0; k < DIGITS; k = k + 1) begin
            odd           = bits[2*k] ^ up;
            digits[3*k]   = bits[2*k+1] & odd;
            digits[3*k+1] = ~bits[2*k+1] & odd;
            digits[3*k+2] = ~odd & (bits[2*k+1] ^ up);
            up            = bits[2*k+1] & (bits[2*k] | up);
        end
    end

    always @(posedge clk) code <= digits;

endmodule

`default_nettype wire
