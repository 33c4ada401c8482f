// SPDX-License-Identifier: Apache-2.0
//
// Execution unit of the ws and ews accelerators: convolutions on a LANES x LANES array, pooling, post unit
// (docs/architecture.md, sections 5, 7, 8). ws is WRF_DEPTH = 2, ARF_DEPTH = 0, PRF_DEPTH = 1; then A = B = D = 1.
//
// Latency: an operation's length in cycles is a function of its descriptor and of what is still draining:
// gen/golden/cycle_mac.c computes it exactly.
//
// Parameters: keys of the configuration of the same name (docs/configuration.md), and
//   LD_BITS  width of ld_data: at least 8 * LANES and 64 * POST_LANES

`default_nettype none
`include "lutra_desc.vh"

module lutra_exec_mac #(
    parameter LANES        = 16,
    parameter ACC_BITS     = 24,
    parameter MULT_BITS    = 16,
    parameter POST_LANES   = 2,
    parameter PARAM_GROUPS = 4,
    parameter FB_BANKS     = 4,
    parameter FB_WORDS     = 512,
    parameter WB_WORDS     = 576,
    parameter PSUM_WORDS   = 16,
    parameter WRF_DEPTH    = 2,
    parameter ARF_DEPTH    = 0,
    parameter PRF_DEPTH    = 1,
    parameter DOT_STAGES   = 1,
    parameter LD_BITS      = (8 * LANES > 64 * POST_LANES) ? 8 * LANES : 64 * POST_LANES
) (
    input  wire               clk,
    input  wire               rst,
    // operations
    input  wire               op_valid,
    output wire               op_ready,
    input  wire [511:0]       op_desc,
    output wire               op_done,
    // feature buffer: activations, residuals, results
    output wire               fb_rd_en,
    output wire [15:0]        fb_rd_addr,
    input  wire [8*LANES-1:0] fb_rd_data,
    output wire               fb_res_en,
    output wire [15:0]        fb_res_addr,
    input  wire [8*LANES-1:0] fb_res_data,
    output wire               fb_wr_en,
    output wire [15:0]        fb_wr_addr,
    output wire [8*LANES-1:0] fb_wr_data,
    // words of LOAD operations
    input  wire               ld_valid,
    input  wire [2:0]         ld_target,
    input  wire [15:0]        ld_addr,
    input  wire [LD_BITS-1:0] ld_data,
    // counters, errors
    output wire               issue,
    output wire               conflict
);

    localparam EWS         = WRF_DEPTH > 2;
    localparam FB_LOG      = $clog2(FB_BANKS * FB_WORDS);
    localparam ADDR_W      = (FB_LOG > 5) ? FB_LOG : 5;
    localparam EW          = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1;
    localparam RW          = (LANES > 1) ? $clog2(LANES) : 1;
    localparam WB_AW       = (WB_WORDS > 1) ? $clog2(WB_WORDS) : 1;
    localparam GROUP_W     = $clog2(2 * PARAM_GROUPS);
    localparam DOT_W       = 16 + $clog2(LANES);
    localparam SUM_W       = (ACC_BITS < DOT_W) ? ACC_BITS : DOT_W; // sums are modulo 2^ACC_BITS anyway
    localparam WB_LOG      = $clog2(2 * WB_WORDS / LANES + 1);      // both banks hold at least one output group
    localparam TAPS_W      = (WB_LOG < 14) ? WB_LOG : 14;
    localparam PSUM_LOG    = $clog2(PSUM_WORDS + 1);                // a tile fits the partial-sum memory
    localparam TILE_W      = (PSUM_LOG < 2) ? 2 : (PSUM_LOG > 8) ? 8 : PSUM_LOG;
    localparam OG_W        = (GROUP_W < 7) ? GROUP_W + 1 : 8;       // parameters of all output groups are on chip
    localparam ARRAY_DELAY = 2 + DOT_STAGES + 3;                    // issue to array input, array

    // ---- accepting operations --------------------------------------------------------------------------------------------
    reg  issuing;
    wire op_end, op_silent;
    wire start = op_valid & op_ready;

    assign op_ready = ~issuing;
    always @(posedge clk) begin
        if (rst) issuing <= 1'b0;
        else     issuing <= start | (issuing & ~op_end);
    end

    // ---- issue -----------------------------------------------------------------------------------------------------------
    wire              array_idle, owns, space, reserve, weights_ready, fresh, hold, chunk_end, consume;
    wire [2:0]        t_level;
    wire [EW-1:0]     entry_first, entry_first_next, in_entry;
    wire [3:0]        a_size, b_size;
    wire [EW:0]       d_size;
    wire              next_none, next_back, next_set;
    wire              fire, t_first, t_last, t_group_end, t_chunk_first, pool, pool_max, is_unsigned;
    wire              w_need, w_first, w_last, w_chunk_row, w_known, pixel_end, row_end;
    wire [7:0]        w_taps_left, s_size;
    wire [3:0]        stride, dilation;
    wire              in_valid, in_outside;
    wire [ADDR_W-1:0] rd_addr;

    lutra_mac_issue #(
        .ADDR_W    (ADDR_W),
        .WRF_DEPTH (WRF_DEPTH),
        .TAPS_W    (TAPS_W),
        .TILE_W    (TILE_W),
        .OG_W      (OG_W)
    ) u_issue (
        .clk              (clk),
        .rst              (rst),
        .start            (start),
        .desc             (op_desc),
        .op_end           (op_end),
        .op_silent        (op_silent),
        .array_idle       (array_idle),
        .owns_output      (owns),
        .space            (space),
        .reserve          (reserve),
        .weights_ready    (weights_ready),
        .entry_first      (entry_first),
        .entry_first_next (entry_first_next),
        .a_size           (a_size),
        .b_size           (b_size),
        .d_size           (d_size),
        .fresh            (fresh),
        .hold             (hold),
        .chunk_end        (chunk_end),
        .consume          (consume),
        .next_none        (next_none),
        .next_back        (next_back),
        .next_set         (next_set),
        .fire             (fire),
        .t_first          (t_first),
        .t_last           (t_last),
        .t_group_end      (t_group_end),
        .t_chunk_first    (t_chunk_first),
        .t_level          (t_level),
        .pool             (pool),
        .pool_max         (pool_max),
        .is_unsigned      (is_unsigned),
        .w_need           (w_need),
        .w_first          (w_first),
        .w_last           (w_last),
        .w_taps_left      (w_taps_left),
        .w_chunk_row      (w_chunk_row),
        .s_size           (s_size),
        .stride           (stride),
        .dilation         (dilation),
        .pixel_end        (pixel_end),
        .row_end          (row_end),
        .w_known          (w_known),
        .fb_rd_en         (fb_rd_en),
        .fb_rd_addr       (rd_addr),
        .in_valid         (in_valid),
        .in_entry         (in_entry),
        .in_outside       (in_outside)
    );
    assign issue = fire;

    // ---- activation words: from the feature buffer, or kept; outside the input 0, or what cannot win a maximum -------------
    wire [8*LANES-1:0] raw, word;
    wire               lowest = in_outside & pool & pool_max & ~is_unsigned;
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_word
            assign word[8*i +: 8] = (raw[8*i +: 8] & {8{~in_outside}}) | {lowest, 7'd0};
        end
    endgenerate

    generate
        if (ARF_DEPTH > 0) begin : g_arf
            lutra_arf #(
                .WIDTH (8 * LANES),
                .DEPTH (ARF_DEPTH)
            ) u_arf (
                .clk       (clk),
                .rst       (rst),
                .stride    (stride),
                .dilation  (dilation),
                .s_size    (s_size),
                .fire      (fire),
                .need      (w_need),
                .first     (w_first),
                .last      (w_last),
                .taps_left (w_taps_left),
                .chunk_row (w_chunk_row),
                .pixel_end (pixel_end),
                .row_end   (row_end),
                .known     (w_known),
                .fb_data   (fb_rd_data),
                .word      (raw)
            );
        end else begin : g_no_arf
            assign raw     = fb_rd_data;
            assign w_known = 1'b0;
            wire unused = &{1'b0, stride, dilation, s_size, w_need, w_first, w_last, w_taps_left, w_chunk_row, pixel_end,
                            row_end};
        end
    endgenerate

    // ---- weights ---------------------------------------------------------------------------------------------------------
    wire               wb_en, wb_bank, wl_valid, wl_identity;
    wire [WB_AW-1:0]   wb_addr;
    wire [8*LANES-1:0] wb_data, wl_data;
    wire [RW-1:0]      wl_row;
    wire [EW-1:0]      wl_entry;

    lutra_weight_loader #(
        .LANES     (LANES),
        .WRF_DEPTH (WRF_DEPTH),
        .WB_WORDS  (WB_WORDS)
    ) u_loader (
        .clk         (clk),
        .rst         (rst),
        .start       (start),
        .identity    (op_desc[`LUTRA_D_OPCODE] == `LUTRA_OP_POOL),
        .base        (op_desc[`LUTRA_D_WEIGHT_BASE]),
        .a_size      (a_size),
        .b_size      (b_size),
        .d_size      (d_size),
        .fresh       (fresh),
        .hold        (hold),
        .chunk_end   (chunk_end),
        .consume     (consume),
        .next_none   (next_none),
        .next_back   (next_back),
        .next_set    (next_set),
        .ready       (weights_ready),
        .first       (entry_first),
        .first_next  (entry_first_next),
        .rd_en       (wb_en),
        .rd_bank     (wb_bank),
        .rd_addr     (wb_addr),
        .wl_valid    (wl_valid),
        .wl_identity (wl_identity),
        .wl_row      (wl_row),
        .wl_entry    (wl_entry)
    );

    lutra_weight_buffer #(
        .WIDTH    (8 * LANES),
        .WB_WORDS (WB_WORDS),
        .LD_BITS  (LD_BITS)
    ) u_weights (
        .clk      (clk),
        .ld_valid (ld_valid & (ld_target == `LUTRA_TARGET_WEIGHT)),
        .ld_addr  (ld_addr),
        .ld_data  (ld_data),
        .rd_en    (wb_en),
        .rd_bank  (wb_bank),
        .rd_addr  (wb_addr),
        .rd_data  (wb_data),
        .conflict (conflict)
    );

    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_weight
            localparam [31:0] ROW = i;
            assign wl_data[8*i +: 8] = wb_data[8*i +: 8] | {7'd0, wl_identity & (wl_row == ROW[RW-1:0])};
        end
    endgenerate

    // ---- array -----------------------------------------------------------------------------------------------------------
    wire                   sum_valid;
    wire [LANES*DOT_W-1:0] dot;
    wire [LANES*SUM_W-1:0] sum;

    lutra_mac_array #(
        .LANES      (LANES),
        .WRF_DEPTH  (WRF_DEPTH),
        .DOT_STAGES (DOT_STAGES),
        .SUM_W      (DOT_W)
    ) u_array (
        .clk         (clk),
        .wl_valid    (wl_valid),
        .wl_row      (wl_row),
        .wl_entry    (wl_entry),
        .wl_data     (wl_data),
        .in_valid    (in_valid),
        .in_unsigned (is_unsigned),
        .in_entry    (in_entry),
        .in_data     (word),
        .out_valid   (sum_valid),
        .out_sum     (dot)
    );
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_sum
            assign sum[SUM_W*i +: SUM_W] = dot[DOT_W*i +: SUM_W];
        end
    endgenerate

    // ---- partial sums ----------------------------------------------------------------------------------------------------
    wire                      acc_valid, acc_ready, acc_done;
    wire                      accept = acc_valid & acc_ready;
    wire [LANES*ACC_BITS-1:0] acc;
    wire [2:0]                level;

    lutra_psum #(
        .LANES       (LANES),
        .ACC_BITS    (ACC_BITS),
        .SUM_W       (SUM_W),
        .PSUM_WORDS  (PSUM_WORDS),
        .PRF_DEPTH   (EWS ? PRF_DEPTH : 0),
        .ARRAY_DELAY (ARRAY_DELAY)
    ) u_psum (
        .clk           (clk),
        .rst           (rst),
        .t_valid       (fire),
        .t_first       (t_first),
        .t_last        (t_last),
        .t_group_end   (t_group_end),
        .t_chunk_first (t_chunk_first),
        .t_chunk_end   (chunk_end),
        .t_level       (t_level),
        .idle          (array_idle),
        .space         (space),
        .reserve       (reserve),
        .sum           (sum),
        .pool          (pool),
        .pool_max      (pool_max),
        .is_unsigned   (is_unsigned),
        .out_valid     (acc_valid),
        .out_accept    (accept),
        .out_done      (acc_done),
        .out_acc       (acc),
        .out_level     (level)
    );

    // ---- output ----------------------------------------------------------------------------------------------------------
    wire [GROUP_W-1:0] group;
    wire [ADDR_W-1:0]  word_addr, word_res_addr, res_addr, wr_addr;
    wire               word_wr_en, res_op, word_res_en, out_valid, out_last, res_unsigned, post_busy;
    wire [5:0]         shift;
    wire [9:0]         lo, hi;
    wire [15:0]        res_mult;

    lutra_mac_output #(
        .ADDR_W  (ADDR_W),
        .GROUP_W (GROUP_W),
        .SETS    (EWS)
    ) u_output (
        .clk          (clk),
        .rst          (rst),
        .start        (start),
        .desc         (op_desc),
        .owns         (owns),
        .silent       (op_silent),
        .accept       (accept),
        .level        (level),
        .group        (group),
        .wr_en        (word_wr_en),
        .wr_addr      (word_addr),
        .res_op       (res_op),
        .res_en       (word_res_en),
        .res_addr     (word_res_addr),
        .out_valid    (out_valid),
        .out_last     (out_last),
        .done         (op_done),
        .shift        (shift),
        .lo           (lo),
        .hi           (hi),
        .res_mult     (res_mult),
        .res_unsigned (res_unsigned)
    );

    lutra_post #(
        .LANES        (LANES),
        .POST_LANES   (POST_LANES),
        .ACC_BITS     (ACC_BITS),
        .MULT_BITS    (MULT_BITS),
        .PARAM_GROUPS (PARAM_GROUPS),
        .FB_ADDR_W    (ADDR_W),
        .TAG_W        (1),
        .LD_BITS      (LD_BITS)
    ) u_post (
        .clk          (clk),
        .rst          (rst),
        .ld_valid     (ld_valid & (ld_target == `LUTRA_TARGET_PARAM)),
        .ld_addr      (ld_addr),
        .ld_data      (ld_data),
        .shift        (shift),
        .lo           (lo),
        .hi           (hi),
        .res_mult     (res_mult),
        .res_unsigned (res_unsigned),
        .in_valid     (acc_valid),
        .in_ready     (acc_ready),
        .in_acc_done  (acc_done),
        .in_acc       (acc),
        .in_group     (group),
        .in_wr_en     (word_wr_en),
        .in_wr_addr   (word_addr),
        .in_res_op    (res_op),
        .in_res_en    (word_res_en),
        .in_res_addr  (word_res_addr),
        .in_tag       (level == 3'd5),
        .fb_res_en    (fb_res_en),
        .fb_res_addr  (res_addr),
        .fb_res_data  (fb_res_data),
        .fb_wr_en     (fb_wr_en),
        .fb_wr_addr   (wr_addr),
        .fb_wr_data   (fb_wr_data),
        .out_valid    (out_valid),
        .out_tag      (out_last),
        .busy         (post_busy)
    );

    wire [ADDR_W+15:0] rd_addr_x  = {16'd0, rd_addr};
    wire [ADDR_W+15:0] res_addr_x = {16'd0, res_addr};
    wire [ADDR_W+15:0] wr_addr_x  = {16'd0, wr_addr};
    assign fb_rd_addr  = rd_addr_x[15:0];
    assign fb_res_addr = res_addr_x[15:0];
    assign fb_wr_addr  = wr_addr_x[15:0];

    wire unused = &{1'b0, op_desc, sum_valid, dot, post_busy, rd_addr_x, res_addr_x, wr_addr_x};

endmodule

`default_nettype wire
