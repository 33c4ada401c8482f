// SPDX-License-Identifier: Apache-2.0
//
// Addresses of the result words of the ws and ews cores: parameter group, feature-buffer address and residual address of
// each word, in the order in which tiles produce them.
//
// Words carry the level of the loop that goes on after them:
//   0 next output group of the set   1 next pixel   2 next row of the tile   3 next tile to the right
//   4 first tile of the next tile row   5 next set of output groups   6 the operation ends
// so that no loop has to be counted here. Positions are sums of a group, a row and a column part; each part remembers where
// its tile (or set) began.
//
// Latency: `load` in cycle t; the first word's addresses are valid in t+1, those of the word after an `accept` in cycle t
// also in t+1.
//
// Parameters:
//   ADDR_W   width of feature-buffer addresses, at most 16
//   GROUP_W  width of parameter group numbers
//   SETS     1: sets of several output groups exist (level 0 occurs)

`default_nettype none

module lutra_out_addr #(
    parameter ADDR_W  = 11,
    parameter GROUP_W = 3,
    parameter SETS    = 1
) (
    input  wire               clk,
    input  wire               load,        // take over an operation
    input  wire [ADDR_W-1:0]  out_base,
    input  wire [ADDR_W-1:0]  out_plane,
    input  wire [ADDR_W-1:0]  out_w,
    input  wire [GROUP_W-1:0] param_base,
    input  wire               res_en,
    input  wire [ADDR_W-1:0]  res_base,
    input  wire [ADDR_W-1:0]  res_plane,
    input  wire [ADDR_W-1:0]  res_row,     // words between residual rows of successive output rows
    input  wire [3:0]         res_step,
    input  wire [7:0]         res_og_off,
    input  wire [7:0]         res_og_count,
    // words
    input  wire               accept,
    input  wire [2:0]         level,       // of the accepted word
    output wire [GROUP_W-1:0] group,
    output wire [ADDR_W-1:0]  wr_addr,
    output wire               rd_en,       // the word has a residual
    output wire [ADDR_W-1:0]  rd_addr
);

    // ---- the operation ---------------------------------------------------------------------------------------------------
    reg [ADDR_W-1:0] plane, row_words, r_plane, r_row_words;
    reg [3:0]        r_step;
    reg [7:0]        r_count;
    reg              r_on;

    always @(posedge clk) begin
        if (load) begin
            plane       <= out_plane;
            row_words   <= out_w;
            r_plane     <= res_plane;
            r_row_words <= res_row;
            r_step      <= res_step;
            r_count     <= res_og_count;
            r_on        <= res_en;
        end
    end

    wire next_group  = level == 3'd0;
    wire next_pixel  = level == 3'd1;
    wire next_row    = level == 3'd2;
    wire next_column = level == 3'd3; // of tiles
    wire next_strip  = level == 3'd4; // row of tiles
    wire next_set    = level == 3'd5;

    // ---- group part: current group, first group of the set -----------------------------------------------------------------
    reg  [ADDR_W-1:0]  g, g_set;     // output
    reg  [ADDR_W-1:0]  rg, rg_set;   // residual
    reg  [GROUP_W-1:0] p, p_set;     // parameters
    reg  [8:0]         r, r_set;     // residual group number, signed
    wire [ADDR_W-1:0]  g_up  = g + plane;
    wire [ADDR_W-1:0]  rg_up = rg + (r_plane & {ADDR_W{~r[8]}}); // stays at the first one until that is reached
    wire [GROUP_W-1:0] p_up  = p + 1'b1;
    wire [8:0]         r_up  = r + 9'd1;

    generate
        if (SETS) begin : g_sets
            always @(posedge clk) begin
                if (load) begin
                    g  <= out_base;
                    rg <= res_base;
                    p  <= param_base;
                    r  <= -{1'b0, res_og_off};
                end else if (accept) begin
                    g  <= (next_group | next_set) ? g_up  : g_set;
                    rg <= (next_group | next_set) ? rg_up : rg_set;
                    p  <= (next_group | next_set) ? p_up  : p_set;
                    r  <= (next_group | next_set) ? r_up  : r_set;
                end
                if (load) begin
                    g_set  <= out_base;
                    rg_set <= res_base;
                    p_set  <= param_base;
                    r_set  <= -{1'b0, res_og_off};
                end else if (accept & next_set) begin
                    g_set  <= g_up;
                    rg_set <= rg_up;
                    p_set  <= p_up;
                    r_set  <= r_up;
                end
            end
        end else begin : g_single
            always @(posedge clk) begin
                if (load) begin
                    g  <= out_base;
                    rg <= res_base;
                    p  <= param_base;
                    r  <= -{1'b0, res_og_off};
                end else if (accept & next_set) begin
                    g  <= g_up;
                    rg <= rg_up;
                    p  <= p_up;
                    r  <= r_up;
                end
            end
            always @* begin
                g_set  = g;
                rg_set = rg;
                p_set  = p;
                r_set  = r;
            end
            wire unused = &{1'b0, next_group, g_set, rg_set, p_set, r_set};
        end
    endgenerate

    // ---- row and column parts: current, start of the tile ------------------------------------------------------------------
    reg  [ADDR_W-1:0] y, y_tile, x, x_tile;
    reg  [ADDR_W-1:0] ry, ry_tile, rx, rx_tile;
    wire [ADDR_W-1:0] y_down  = y + row_words;
    wire [ADDR_W-1:0] ry_down = ry + r_row_words;
    wire [ADDR_W-1:0] x_right  = x + 1'b1;
    wire [ADDR_W-1:0] rx_right = rx + {{(ADDR_W-4){1'b0}}, r_step};
    wire              restart  = load | (accept & next_set);

    always @(posedge clk) begin
        if (restart) begin
            y       <= {ADDR_W{1'b0}};
            ry      <= {ADDR_W{1'b0}};
            y_tile  <= {ADDR_W{1'b0}};
            ry_tile <= {ADDR_W{1'b0}};
        end else if (accept) begin
            if (next_row | next_strip) begin
                y  <= y_down;
                ry <= ry_down;
            end else if (next_column) begin
                y  <= y_tile;
                ry <= ry_tile;
            end
            if (next_strip) begin
                y_tile  <= y_down;
                ry_tile <= ry_down;
            end
        end
        if (restart | (accept & next_strip)) begin
            x       <= {ADDR_W{1'b0}};
            rx      <= {ADDR_W{1'b0}};
            x_tile  <= {ADDR_W{1'b0}};
            rx_tile <= {ADDR_W{1'b0}};
        end else if (accept) begin
            if (next_pixel | next_column) begin
                x  <= x_right;
                rx <= rx_right;
            end else if (next_row) begin
                x  <= x_tile;
                rx <= rx_tile;
            end
            if (next_column) begin
                x_tile  <= x_right;
                rx_tile <= rx_right;
            end
        end
    end

    assign group   = p;
    assign wr_addr = g + y + x;
    assign rd_en   = r_on & (r < {1'b0, r_count}); // negative ones are large
    assign rd_addr = rg + ry + rx;

endmodule

`default_nettype wire
