// SPDX-License-Identifier: Apache-2.0
//
// Reads of a POOL operation: for each output group, row, pixel, kernel row and kernel column one feature-buffer word,
// at most one per cycle. Positions outside the input are not read; they are reported with `s_outside`.
//
// Use: pulse `start` with the descriptor while `busy` is low. From ten cycles later on, one position is issued in every
// cycle with `go` high (`issue`). issue_first and issue_last tell whether the next position starts or ends a window,
// also while go is low, so that the user can hold back a window until there is room for its result.
//
// Latency: issue in cycle t; fb_rd_en, fb_rd_addr in t+1; s_* in t+2, together with fb_rd_data. busy falls in the cycle
// after the last issue.
//
// Parameters:
//   ADDR_W  width of feature-buffer addresses, at most 16

`default_nettype none
`include "lutra_desc.vh"

module lutra_pool_issue #(
    parameter ADDR_W = 11
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              start,
    input  wire [511:0]      desc,        // used with start only
    output wire              busy,
    input  wire              go,
    output wire              issue,
    output wire              issue_first,
    output wire              issue_last,
    output reg               fb_rd_en,
    output reg  [ADDR_W-1:0] fb_rd_addr,
    output reg               s_valid,
    output reg               s_first,
    output reg               s_last,
    output reg               s_outside
);

    localparam XW = 14; // coordinates, signed: 12-bit sizes, padding and kernel around them

    wire [15:0] base_f  = desc[`LUTRA_D_IN_BASE];
    wire [15:0] plane_f = desc[`LUTRA_D_IN_PLANE];

    // ---- the operation -------------------------------------------------------------------------------------------------
    reg [11:0]       in_h, in_w, out_w_1; // *_1: minus one
    reg [11:0]       out_h_1;
    reg [3:0]        stride, dilation;
    reg [7:0]        pad_t, pad_l, r_1, s_1;
    reg [ADDR_W-1:0] plane;

    always @(posedge clk) begin
        if (start) begin
            in_h     <= desc[`LUTRA_D_IN_H];
            in_w     <= desc[`LUTRA_D_IN_W];
            out_h_1  <= desc[`LUTRA_D_OUT_H] - 12'd1;
            out_w_1  <= desc[`LUTRA_D_OUT_W] - 12'd1;
            stride   <= desc[`LUTRA_D_STRIDE];
            dilation <= desc[`LUTRA_D_DILATION];
            pad_t    <= desc[`LUTRA_D_PAD_T];
            pad_l    <= desc[`LUTRA_D_PAD_L];
            r_1      <= desc[`LUTRA_D_R] - 8'd1;
            s_1      <= desc[`LUTRA_D_S] - 8'd1;
            plane    <= plane_f[ADDR_W-1:0];
        end
    end

    wire [XW-1:0]     x0 = -{{(XW-8){pad_l[7]}}, pad_l};
    wire [XW-1:0]     y0 = -{{(XW-8){pad_t[7]}}, pad_t};
    wire              rows_done;
    wire [2:0]        rows_bit;
    wire [ADDR_W-1:0] stride_row, tap_row, first_row;
    wire [ADDR_W+11:0] in_w_x = {{ADDR_W{1'b0}}, in_w};

    lutra_row_scale #(.ADDR_W(ADDR_W)) u_rows (
        .clk        (clk),
        .rst        (rst),
        .start      (start),
        .in_w       (in_w_x[ADDR_W-1:0]),
        .stride     (stride),
        .dilation   (dilation),
        .pad_t      (pad_t),
        .done       (rows_done),
        .bit_no     (rows_bit),
        .stride_row (stride_row),
        .tap_row    (tap_row),
        .first_row  (first_row)
    );

    // ---- sequence: start, row distances, prime, run --------------------------------------------------------------------
    reg  active, running;
    wire prime = active & rows_done & ~running;
    wire op_last;

    always @(posedge clk) begin
        if (rst) begin
            active  <= 1'b0;
            running <= 1'b0;
        end else if (start) begin
            active  <= 1'b1;
        end else if (prime) begin
            running <= 1'b1;
        end else if (op_last) begin
            active  <= 1'b0;
            running <= 1'b0;
        end
    end
    assign busy  = active;
    assign issue = running & go;

    // ---- loop counters, counting down ----------------------------------------------------------------------------------
    reg [7:0]  kx, ky, og;
    reg [11:0] x, y;
    wire kx_last  = kx == 8'd0;
    wire ky_last  = ky == 8'd0;
    wire win_last = kx_last & ky_last;
    wire row_last = win_last & (x == 12'd0);
    wire grp_last = row_last & (y == 12'd0);
    assign op_last     = issue & grp_last & (og == 8'd0);
    assign issue_first = (kx == s_1) & (ky == r_1);
    assign issue_last  = win_last;

    always @(posedge clk) begin
        if (start)                  og <= desc[`LUTRA_D_OG] - 8'd1;
        else if (issue && grp_last) og <= og - 1'b1;
        if (prime) begin
            kx <= s_1;
            ky <= r_1;
            x  <= out_w_1;
            y  <= out_h_1;
        end else if (issue) begin
            kx <= kx_last ? s_1 : kx - 1'b1;
            if (kx_last)  ky <= ky_last ? r_1 : ky - 1'b1;
            if (win_last) x  <= row_last ? out_w_1 : x - 1'b1;
            if (row_last) y  <= grp_last ? out_h_1 : y - 1'b1;
        end
    end

    // ---- positions: column ix; row iy at address ry; the same of the window (xp, yp, rp) and of the group (rg) ---------
    reg  [XW-1:0]     ix, xp, iy, yp;
    reg  [ADDR_W-1:0] ry, rp, rg;
    wire [XW-1:0]     xp_next = row_last ? x0 : xp + {{(XW-4){1'b0}}, stride};
    wire [XW-1:0]     yp_next = grp_last ? y0 : yp + {{(XW-4){1'b0}}, stride};
    wire [ADDR_W-1:0] rg_next = rg + (running ? plane : first_row);
    wire [ADDR_W-1:0] rp_next = grp_last ? rg_next : rp + stride_row;

    always @(posedge clk) begin
        if (start) rg <= base_f[ADDR_W-1:0];
        if (prime) begin
            ix <= x0;
            xp <= x0;
            iy <= y0;
            yp <= y0;
            rg <= rg_next;
            rp <= rg_next;
            ry <= rg_next;
        end else if (issue) begin
            ix <= win_last ? xp_next : kx_last ? xp : ix + {{(XW-4){1'b0}}, dilation};
            if (win_last) xp <= xp_next;
            if (kx_last) begin
                iy <= row_last ? yp_next : ky_last ? yp : iy + {{(XW-4){1'b0}}, dilation};
                ry <= row_last ? rp_next : ky_last ? rp : ry + tap_row;
            end
            if (row_last) begin
                yp <= yp_next;
                rp <= rp_next;
            end
            if (grp_last) rg <= rg_next;
        end
    end

    // ---- address, range check ------------------------------------------------------------------------------------------
    wire               outside = (ix >= {2'b00, in_w}) | (iy >= {2'b00, in_h}); // negative ones are large here
    wire [ADDR_W+13:0] ix_x    = {{ADDR_W{ix[XW-1]}}, ix};
    reg                first_q, last_q, outside_q, issue_q;

    always @(posedge clk) begin
        fb_rd_addr <= ry + ix_x[ADDR_W-1:0];
        first_q    <= issue_first;
        last_q     <= issue_last;
        outside_q  <= outside;
        s_first    <= first_q;
        s_last     <= last_q;
        s_outside  <= outside_q;
        if (rst) begin
            fb_rd_en <= 1'b0;
            issue_q  <= 1'b0;
            s_valid  <= 1'b0;
        end else begin
            fb_rd_en <= issue & ~outside;
            issue_q  <= issue;
            s_valid  <= issue_q;
        end
    end

    wire unused = &{1'b0, desc, base_f, plane_f, in_w_x, ix_x, rows_bit};

endmodule

`default_nettype wire
