// SPDX-License-Identifier: Apache-2.0
//
// Output side of the ws and ews cores: what the post unit needs to know about an operation, and the addresses of its
// words. The operation being issued waits here (`owns` low) until the one before it has written its last word.
//
// Latency: start in cycle t; with the output side free, owns is high from t+2 on. done is high in the cycle in which the
// operation's last word is written; for an operation that gives no words, in the cycle after its last term (`silent`).
//
// Parameters:
//   ADDR_W   width of feature-buffer addresses
//   GROUP_W  width of parameter group numbers
//   SETS     1: sets of several output groups exist

`default_nettype none
`include "lutra_desc.vh"

module lutra_mac_output #(
    parameter ADDR_W  = 11,
    parameter GROUP_W = 3,
    parameter SETS    = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               start,
    input  wire [511:0]       desc,        // used with start only
    output wire               owns,
    input  wire               silent,      // it is over and gave no words; only while owns is high
    // words
    input  wire               accept,
    input  wire [2:0]         level,       // lutra_out_addr
    output wire [GROUP_W-1:0] group,
    output reg                wr_en,
    output wire [ADDR_W-1:0]  wr_addr,
    output reg                res_op,
    output wire               res_en,
    output wire [ADDR_W-1:0]  res_addr,
    input  wire               out_valid,   // a word is written
    input  wire               out_last,    // ... the operation's last one
    output wire               done,
    // constants of the operation whose words are in the post unit
    output reg  [5:0]         shift,
    output reg  [9:0]         lo,
    output reg  [9:0]         hi,
    output reg  [15:0]        res_mult,
    output reg                res_unsigned
);

    wire [15:0] out_base_f  = desc[`LUTRA_D_OUT_BASE];
    wire [15:0] out_plane_f = desc[`LUTRA_D_OUT_PLANE];
    wire [15:0] param_f     = desc[`LUTRA_D_PARAM_BASE];
    wire [15:0] res_base_f  = desc[`LUTRA_D_RES_BASE];
    wire [15:0] res_plane_f = desc[`LUTRA_D_RES_PLANE];
    wire [15:0] res_row_f   = desc[415:400]; // derived field: step * width

    // ---- the operation at issue ------------------------------------------------------------------------------------------
    reg [ADDR_W-1:0]  i_out_base, i_out_plane, i_res_base, i_res_plane, i_res_row;
    reg [GROUP_W-1:0] i_param;
    reg [5:0]         i_shift;
    reg [9:0]         i_lo, i_hi;
    reg [15:0]        i_res_mult;
    reg [3:0]         i_res_step;
    reg [7:0]         i_res_og_off, i_res_og_count;
    reg               i_write, i_res, i_res_unsigned;

    always @(posedge clk) begin
        if (start) begin
            i_out_base     <= out_base_f[ADDR_W-1:0];
            i_out_plane    <= out_plane_f[ADDR_W-1:0];
            i_param        <= param_f[GROUP_W-1:0];
            i_shift        <= desc[`LUTRA_D_SHIFT];
            i_lo           <= desc[`LUTRA_D_LO];
            i_hi           <= desc[`LUTRA_D_HI];
            i_write        <= desc[`LUTRA_D_WRITE_FB];
            i_res          <= desc[`LUTRA_D_RES_EN];
            i_res_unsigned <= desc[`LUTRA_D_RES_UNSIGNED];
            i_res_base     <= res_base_f[ADDR_W-1:0];
            i_res_plane    <= res_plane_f[ADDR_W-1:0];
            i_res_row      <= res_row_f[ADDR_W-1:0];
            i_res_step     <= desc[`LUTRA_D_RES_STEP];
            i_res_og_off   <= desc[`LUTRA_D_RES_OG_OFF];
            i_res_og_count <= desc[`LUTRA_D_RES_OG_COUNT];
            i_res_mult     <= desc[`LUTRA_D_RES_MULT];
        end
    end

    // ---- who has the output side -------------------------------------------------------------------------------------------
    reg  waiting, busy, silent_q;
    wire load = waiting & (~busy | done);

    assign owns = ~waiting;
    assign done = (out_valid & out_last) | silent_q;

    always @(posedge clk) begin
        if (rst) begin
            waiting  <= 1'b0;
            busy     <= 1'b0;
            silent_q <= 1'b0;
        end else begin
            waiting  <= start | (waiting & ~load);
            busy     <= load | (busy & ~done);
            silent_q <= silent;
        end
        if (load) begin
            shift        <= i_shift;
            lo           <= i_lo;
            hi           <= i_hi;
            res_mult     <= i_res_mult;
            res_unsigned <= i_res_unsigned;
            res_op       <= i_res;
            wr_en        <= i_write;
        end
    end

    lutra_out_addr #(
        .ADDR_W  (ADDR_W),
        .GROUP_W (GROUP_W),
        .SETS    (SETS)
    ) u_addr (
        .clk          (clk),
        .load         (load),
        .out_base     (i_out_base),
        .out_plane    (i_out_plane),
        .param_base   (i_param),
        .res_en       (i_res),
        .res_base     (i_res_base),
        .res_plane    (i_res_plane),
        .res_row      (i_res_row),
        .res_step     (i_res_step),
        .res_og_off   (i_res_og_off),
        .res_og_count (i_res_og_count),
        .accept       (accept),
        .level        (level),
        .group        (group),
        .wr_addr      (wr_addr),
        .rd_en        (res_en),
        .rd_addr      (res_addr)
    );

    wire unused = &{1'b0, desc, out_base_f, out_plane_f, param_f, res_base_f, res_plane_f, res_row_f};

endmodule

`default_nettype wire
