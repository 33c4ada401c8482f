// SPDX-License-Identifier: Apache-2.0
//
// Row distances of an operation without a multiplier: stride, dilation and top padding times the input width, modulo
// 2^ADDR_W, one bit per cycle from the top (Horner).
//
// Latency: start in cycle t; the operands must be stable from t+1 on; done is high from t+9 until the next start, and
// the results are stable as long.
//
// Parameters:
//   ADDR_W  width of feature-buffer addresses

`default_nettype none

module lutra_row_scale #(
    parameter ADDR_W = 11
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              start,
    input  wire [ADDR_W-1:0] in_w,
    input  wire [3:0]        stride,
    input  wire [3:0]        dilation,
    input  wire [7:0]        pad_t,       // signed
    output wire              done,
    output wire [2:0]        bit_no,      // bit that is worked on, 7 .. 0, while not done
    output reg  [ADDR_W-1:0] stride_row,  // stride * in_w
    output reg  [ADDR_W-1:0] tap_row,     // dilation * in_w
    output reg  [ADDR_W-1:0] first_row    // -pad_t * in_w
);

    reg [3:0] step; // 8 .. 1: working on bit step - 1; 0: done

    assign done = step == 4'd0;

    always @(posedge clk) begin
        if (rst)        step <= 4'd0;
        else if (start) step <= 4'd8;
        else if (!done) step <= step - 1'b1;
    end

    // bit 7 of the padding is worth -128, the others count positive; everything is negated here
    wire [2:0]        index   = step[2:0] - 1'b1;
    assign            bit_no  = index;
    wire              top     = step == 4'd8;
    wire [ADDR_W-1:0] pad_row = in_w & {ADDR_W{pad_t[index]}};
    wire              low     = step <= 4'd4;

    always @(posedge clk) begin
        if (!done) begin
            stride_row <= ({stride_row[ADDR_W-2:0], 1'b0} & {ADDR_W{~top}}) + (in_w & {ADDR_W{low & stride[index[1:0]]}});
            tap_row    <= ({tap_row[ADDR_W-2:0], 1'b0} & {ADDR_W{~top}}) + (in_w & {ADDR_W{low & dilation[index[1:0]]}});
            first_row  <= top ? pad_row : {first_row[ADDR_W-2:0], 1'b0} - pad_row;
        end
    end

endmodule

`default_nettype wire
