// SPDX-License-Identifier: Apache-2.0
//
// Addresses of the result words of the ws and ews cores: parameter group, feature-buffer address and residual address of
// each word, in the order in which tiles produce them.
//
// Words come in raster order and carry the loop that goes on after them, so that nothing has to be counted here:
//   0 next output group of the set   1 next pixel   2 first pixel of the next row   4 next set of output groups
//   5 the operation ends
// An address is the sum of a group part and the pixel's position.
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
    reg [ADDR_W-1:0] plane, r_plane, r_row;
    reg [3:0]        r_step;
    reg [7:0]        r_count;
    reg              r_on;

    always @(posedge clk) begin
        if (load) begin
            plane   <= out_plane;
            r_plane <= res_plane;
            r_row   <= res_row;
            r_step  <= res_step;
            r_count <= res_og_count;
            r_on    <= res_en;
        end
    end

    wire next_group = level == 3'd0;
    wire next_row   = level == 3'd2;
    wire next_set   = level == 3'd4;

    // ---- group part: current group, first group of the set -----------------------------------------------------------------
    reg  [ADDR_W-1:0]  g;  // output
    reg  [ADDR_W-1:0]  rg; // residual
    reg  [GROUP_W-1:0] p;  // parameters
    reg  [8:0]         r;  // residual group number, signed
    wire [ADDR_W-1:0]  g_up  = g + plane;
    wire [ADDR_W-1:0]  rg_up = rg + (r_plane & {ADDR_W{~r[8]}}); // stays at the first one until that is reached
    wire [GROUP_W-1:0] p_up  = p + 1'b1;
    wire [8:0]         r_up  = r + 9'd1;
    wire [8:0]         r_off = -{1'b0, res_og_off};

    generate
        if (SETS) begin : g_sets
            reg  [ADDR_W-1:0]  g_set, rg_set;
            reg  [GROUP_W-1:0] p_set;
            reg  [8:0]         r_set;
            wire               up = next_group | next_set;

            always @(posedge clk) begin
                if (load)        {g, rg, p, r} <= {out_base, res_base, param_base, r_off};
                else if (accept) {g, rg, p, r} <= up ? {g_up, rg_up, p_up, r_up} : {g_set, rg_set, p_set, r_set};
                if (load)                   {g_set, rg_set, p_set, r_set} <= {out_base, res_base, param_base, r_off};
                else if (accept & next_set) {g_set, rg_set, p_set, r_set} <= {g_up, rg_up, p_up, r_up};
            end
        end else begin : g_single
            always @(posedge clk) begin
                if (load)                   {g, rg, p, r} <= {out_base, res_base, param_base, r_off};
                else if (accept & next_set) {g, rg, p, r} <= {g_up, rg_up, p_up, r_up};
            end
        end
    endgenerate

    // ---- position of the pixel; the residual's, and where its row begins -----------------------------------------------------
    reg  [ADDR_W-1:0] at, r_at, r_begin;
    wire              step   = accept & ~next_group;
    wire              again  = load | (accept & next_set);
    wire [ADDR_W-1:0] r_down = r_begin + r_row;

    always @(posedge clk) begin
        if (again)     at <= {ADDR_W{1'b0}};
        else if (step) at <= at + 1'b1;
        if (again)     r_at <= {ADDR_W{1'b0}};
        else if (step) r_at <= next_row ? r_down : r_at + {{(ADDR_W-4){1'b0}}, r_step};
        if (again)                 r_begin <= {ADDR_W{1'b0}};
        else if (step && next_row) r_begin <= r_down;
    end

    assign group   = p;
    assign wr_addr = g + at;
    assign rd_en   = r_on & (r < {1'b0, r_count}); // negative ones are large
    assign rd_addr = rg + r_at;

endmodule

`default_nettype wire
