// SPDX-License-Identifier: Apache-2.0
//
// Issue logic of the ws and ews cores: the loops of a CONV or POOL operation (docs/architecture.md, section 5), one term
// per cycle: a feature-buffer word and the array entry it is multiplied with.
//
// Loops, outer to inner: set of A output groups; tile row; tile; chunk (B input groups, D taps); row; pixel; tap d; input
// group b; output group a. A POOL is the same with A = B = 1, all taps of the window in one chunk, tiles of one row, the
// input group equal to the output group, and the identity for weights. All addresses advance by additions; a loop that starts over
// returns to the value that the loop around it remembers.
//
// Latency: start in cycle t, first term in t+10 at the earliest; term issued (`fire`) in cycle t, fb_rd_en and fb_rd_addr
// in t+1, in_* together with the word in t+2. t_* and w_* describe the term in the cycle of `fire`.
//
// Parameters:
//   ADDR_W     width of feature-buffer addresses, 5..16
//   WRF_DEPTH  array entries; 2: A = B = D = 1 for convolutions (ws)
//   TAPS_W     width of R*S of a convolution (WRF_DEPTH > 2)

`default_nettype none
`include "lutra_desc.vh"

module lutra_mac_issue #(
    parameter ADDR_W    = 11,
    parameter WRF_DEPTH = 2,
    parameter TAPS_W    = 8,
    parameter EW        = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              start,
    input  wire [511:0]      desc,             // used with start only
    output wire              setup_done,       // from nine cycles after start on
    output wire [2:0]        setup_bit,        // 7 .. 0 until then
    output wire              op_end,           // the last term is issued
    // conditions
    input  wire              owns_output,      // the output side works on this operation
    input  wire              space,            // there is a place for a result word
    output wire              reserve,
    // weights
    input  wire              weights_ready,
    input  wire [EW-1:0]     entry_first,      // of the current chunk
    input  wire [EW-1:0]     entry_first_next, // the same in the next cycle
    output reg  [EW-1:0]     a_1,              // A-1, B-1, D-1
    output reg  [EW-1:0]     b_1,
    output reg  [EW-1:0]     d_1,
    output wire              fresh,            // from the next cycle on, another chunk is the current one
    output wire              hold,             // it may not begin yet
    output wire              chunk_end,        // last term of the chunk
    output wire              consume,          // ... and the last one with its weights
    output wire              next_none,        // see lutra_weight_loader
    output wire              next_back,
    output wire              next_set,
    // terms
    output wire              fire,
    output wire              t_first,          // see lutra_psum
    output wire              t_last,
    output wire              t_group_end,
    output wire              t_chunk_first,
    output wire [2:0]        t_level,
    output reg               pool,             // constants of the operation
    output reg               pool_max,
    output reg               is_unsigned,
    // activation words
    output wire              w_need,           // the term needs another word than the term before
    output wire              w_first,          // the first word of its tap
    output wire              w_last,           // the last word of its tap
    output wire [7:0]        w_taps_left,      // taps to the right of this one in the kernel row
    output wire              w_chunk_row,      // the chunk starts at the beginning of a kernel row
    output reg  [7:0]        s_1,              // S-1
    output reg  [3:0]        stride,
    output reg  [3:0]        dilation,
    output wire              pixel_end,
    output wire              row_end,
    input  wire              w_known,          // the word need not be read
    output reg               fb_rd_en,
    output reg  [ADDR_W-1:0] fb_rd_addr,
    output reg               in_valid,
    output reg  [EW-1:0]     in_entry,
    output reg               in_outside        // the word lies outside the input
);

    localparam EWS = WRF_DEPTH > 2;
    localparam XW  = 14; // coordinates, signed: 12-bit sizes, padding and kernel around them

    // ---- the operation -------------------------------------------------------------------------------------------------
    wire        pool_f  = desc[`LUTRA_D_OPCODE] == `LUTRA_OP_POOL;
    wire [15:0] base_f  = desc[`LUTRA_D_IN_BASE];
    wire [15:0] plane_f = desc[`LUTRA_D_IN_PLANE];
    wire [3:0]  a_f     = EWS ? desc[`LUTRA_D_A] : 4'd1;
    wire [3:0]  b_f     = EWS ? desc[`LUTRA_D_B] : 4'd1;
    wire [7:0]  d_f     = EWS ? desc[`LUTRA_D_D] : 8'd1;
    wire [7:0]  a_m     = {4'd0, a_f} - 8'd1;
    wire [7:0]  b_m     = {4'd0, b_f} - 8'd1;
    wire [7:0]  d_m     = d_f - 8'd1;
    wire [7:0]  cg_f    = desc[`LUTRA_D_CG];

    reg [11:0]       in_h, in_w, out_h, out_w;
    reg [7:0]        pad_t, pad_l, r_1, cg, tile_h, tile_w;
    reg [ADDR_W-1:0] plane;
    reg              step_group; // output group og works on input group og
    reg              barrier;
    reg              is_pool, of_max, of_unsigned; // the outputs follow when no term of the last operation is on its way

    always @(posedge clk) begin
        if (start) begin
            is_pool     <= pool_f;
            of_max      <= desc[`LUTRA_D_POOL_MAX];
            of_unsigned <= desc[`LUTRA_D_IN_UNSIGNED];
            barrier     <= desc[`LUTRA_D_BARRIER];
            step_group  <= pool_f | (desc[`LUTRA_D_CG_STEP] != 8'd0);
            in_h        <= desc[`LUTRA_D_IN_H];
            in_w        <= desc[`LUTRA_D_IN_W];
            out_h       <= desc[`LUTRA_D_OUT_H];
            out_w       <= desc[`LUTRA_D_OUT_W];
            stride      <= desc[`LUTRA_D_STRIDE];
            dilation    <= desc[`LUTRA_D_DILATION];
            pad_t       <= desc[`LUTRA_D_PAD_T];
            pad_l       <= desc[`LUTRA_D_PAD_L];
            r_1         <= desc[`LUTRA_D_R] - 8'd1;
            s_1         <= desc[`LUTRA_D_S] - 8'd1;
            plane       <= plane_f[ADDR_W-1:0];
            cg          <= pool_f ? 8'd1 : cg_f;
            a_1         <= pool_f ? {EW{1'b0}} : a_m[EW-1:0];
            b_1         <= pool_f ? {EW{1'b0}} : b_m[EW-1:0];
            d_1         <= pool_f ? {EW{1'b0}} : d_m[EW-1:0];
            tile_h      <= pool_f ? 8'd1 : desc[`LUTRA_D_TILE_H];
            tile_w      <= pool_f ? 8'd255 : desc[`LUTRA_D_TILE_W];
        end
    end

    wire [XW-1:0]      x0 = -{{(XW-8){pad_l[7]}}, pad_l};
    wire [XW-1:0]      y0 = -{{(XW-8){pad_t[7]}}, pad_t};
    wire [ADDR_W-1:0]  stride_row, tap_row, first_row;
    wire [ADDR_W+11:0] in_w_x = {{ADDR_W{1'b0}}, in_w};

    lutra_row_scale #(.ADDR_W(ADDR_W)) u_rows (
        .clk        (clk),
        .rst        (rst),
        .start      (start),
        .in_w       (in_w_x[ADDR_W-1:0]),
        .stride     (stride),
        .dilation   (dilation),
        .pad_t      (pad_t),
        .done       (setup_done),
        .bit_no     (setup_bit),
        .stride_row (stride_row),
        .tap_row    (tap_row),
        .first_row  (first_row)
    );

    // ---- sequence: start, setup, prime, run ----------------------------------------------------------------------------
    reg  active, running;
    wire prime = active & setup_done & ~running;

    always @(posedge clk) begin
        if (rst) begin
            active  <= 1'b0;
            running <= 1'b0;
        end else if (start) begin
            active  <= 1'b1;
        end else if (prime) begin
            running <= 1'b1;
        end else if (op_end) begin
            active  <= 1'b0;
            running <= 1'b0;
        end
        if (prime) begin
            pool        <= is_pool;
            pool_max    <= of_max;
            is_unsigned <= of_unsigned;
        end
    end

    // ---- where the loops stand -------------------------------------------------------------------------------------------
    wire       a_last, b_last, d_last, a_start, b_start;
    wire       kc_last;             // the chunk holds the last taps
    reg  [7:0] kx, ky, x, y;        // all counting down
    reg  [7:0] tw_1, th_1;          // size of this tile, minus one
    reg [11:0] right, below;        // pixels of the output row (rows) behind this tile
    reg  [7:0] cg_left, og_left;    // groups behind this chunk (set)
    reg        word_first;          // first term of a word's sum in this chunk
    reg        chunk_first;

    wire tap_last   = (kx == 8'd0) & (ky == 8'd0);
    wire x_last     = x == 8'd0;
    wire y_last     = y == 8'd0;
    wire tx_last    = right == 12'd0;
    wire ty_last    = below == 12'd0;
    wire og_last    = og_left == 8'd0;
    wire tile_chunk = is_pool | (kc_last & (cg_left == 8'd0)); // the tile's last chunk
    wire set_tile   = tx_last & ty_last;                    // the set's last tile

    assign pixel_end = a_last & b_last & d_last;
    assign row_end   = pixel_end & x_last;
    wire chunk_last  = row_end & y_last;
    wire tile_end    = chunk_last & tile_chunk;
    wire set_end     = tile_end & set_tile;

    assign hold = barrier & ~owns_output;
    wire permit = weights_ready & ~hold & (~(t_last & tile_chunk) | (owns_output & space));

    assign fire      = running & permit;
    assign op_end    = fire & set_end & og_last;
    assign chunk_end = fire & chunk_last;
    assign reserve   = fire & t_last & tile_chunk;

    assign t_first       = word_first;
    assign t_last        = b_last & d_last;
    assign t_group_end   = a_last;
    assign t_chunk_first = chunk_first;
    assign t_level       = ~tile_chunk ? 3'd7 : ~a_last ? 3'd0 : ~x_last ? 3'd1 : ~y_last ? 3'd2 :
                           ~tx_last ? 3'd3 : ~ty_last ? 3'd4 : ~og_last ? 3'd5 : 3'd6;

    // weights: a tile that is one chunk leaves them where they are until its set ends, a POOL until its end
    wire finish = tile_chunk & set_tile & og_last;
    wire stay   = ~finish & (is_pool | (chunk_first & tile_chunk & ~set_tile));
    assign next_none = stay | finish;
    assign next_back = tile_chunk & ~set_tile;
    assign next_set  = tile_chunk & set_tile;
    assign consume   = chunk_end & ~stay;
    assign fresh     = prime | (chunk_end & ~op_end);

    // ---- counters ----------------------------------------------------------------------------------------------------------
    // of the tile that follows: what is left of the row (rows) from it on
    wire [11:0] w_from  = (prime | tx_last) ? out_w : right;
    wire [11:0] h_from  = (prime | ty_last) ? out_h : below;
    wire        w_whole = w_from <= {4'd0, tile_w};
    wire        h_whole = h_from <= {4'd0, tile_h};
    wire  [7:0] tw_new  = (w_whole ? w_from[7:0] : tile_w) - 8'd1;
    wire  [7:0] th_new  = tx_last | prime ? (h_whole ? h_from[7:0] : tile_h) - 8'd1 : th_1;
    wire        tile_new   = prime | (fire & tile_end);
    wire        strip_new  = prime | (fire & tile_end & tx_last);

    always @(posedge clk) begin
        if (tile_new) begin
            tw_1  <= tw_new;
            right <= w_whole ? 12'd0 : w_from - {4'd0, tile_w};
        end
        if (strip_new) begin
            th_1  <= th_new;
            below <= h_whole ? 12'd0 : h_from - {4'd0, tile_h};
        end
        if (prime) begin
            x          <= tw_new;
            y          <= th_new;
            word_first <= 1'b1;
        end else if (fire) begin
            if (pixel_end) x <= ~x_last ? x - 1'b1 : tile_end ? tw_new : tw_1;
            if (row_end)   y <= ~y_last ? y - 1'b1 : tile_end ? th_new : th_1;
            word_first <= pixel_end | (word_first & ~a_last);
        end
        if (prime)          chunk_first <= 1'b1;
        else if (chunk_end) chunk_first <= tile_chunk;

        if (start)                 og_left <= desc[`LUTRA_D_OG] + ~(pool_f ? 8'd0 : a_m);
        else if (fire && set_end)  og_left <= og_left + ~{{(8-EW){1'b0}}, a_1};

        if (prime || (chunk_end && kc_last)) begin
            if (prime || tile_chunk) cg_left <= cg + ~{{(8-EW){1'b0}}, b_1};
            else                     cg_left <= cg_left + ~{{(8-EW){1'b0}}, b_1};
        end
    end

    // ---- kernel position: taps left, column offset, row offset and its address -----------------------------------------------
    localparam TW = 16 + 12 + 12 + ADDR_W;
    reg  [11:0]       kx_at, ky_at;
    reg  [ADDR_W-1:0] ky_row;
    wire [TW-1:0]     tap = {kx, ky, kx_at, ky_at, ky_row};
    wire [TW-1:0]     origin = {s_1, r_1, 24'd0, {ADDR_W{1'b0}}};
    wire [TW-1:0]     tap_next = (kx != 8'd0) ? {kx - 1'b1, ky, kx_at + {8'd0, dilation}, ky_at, ky_row} :
                                 (ky != 8'd0) ? {s_1, ky - 1'b1, 12'd0, ky_at + {8'd0, dilation}, ky_row + tap_row} :
                                 origin;

    generate
        if (EWS) begin : g_taps
            reg [TW-1:0]     chunk_tap; // the chunk's first tap
            reg [TAPS_W-1:0] product, taps_left;
            reg [EW-1:0]     a, b, d;
            wire [TAPS_W+7:0] s_x    = {{TAPS_W{1'b0}}, s_1};
            wire [TAPS_W+7:0] d_x    = {{(TAPS_W+8-EW){1'b0}}, d_1};
            wire [TAPS_W-1:0] s_full = s_x[TAPS_W-1:0] + 1'b1;
            // R*S - D = (R-1)*S + (S-1) - (D-1)
            wire [TAPS_W-1:0] behind = product + s_x[TAPS_W-1:0] - d_x[TAPS_W-1:0];

            always @(posedge clk) begin
                if (!setup_done)
                    product <= ({product[TAPS_W-2:0], 1'b0} & {TAPS_W{setup_bit != 3'd7}})
                             + (s_full & {TAPS_W{r_1[setup_bit]}});
                if (prime || (chunk_end && kc_last)) taps_left <= behind;
                else if (chunk_end)                  taps_left <= taps_left + ~d_x[TAPS_W-1:0];

                if (prime) begin
                    a <= a_1;
                    b <= b_1;
                    d <= d_1;
                end else if (fire) begin
                    a <= a_last ? a_1 : a - 1'b1;
                    if (a_last) b <= b_last ? b_1 : b - 1'b1;
                    if (a_last && b_last) d <= d_last ? d_1 : d - 1'b1;
                end

                if (prime || chunk_end) chunk_tap <= prime ? origin : tap_next;
                if (prime)
                    {kx, ky, kx_at, ky_at, ky_row} <= origin;
                else if (fire && a_last && b_last)
                    {kx, ky, kx_at, ky_at, ky_row} <= (pixel_end && !chunk_last) ? chunk_tap : tap_next;
            end
            assign a_last      = a == {EW{1'b0}};
            assign b_last      = b == {EW{1'b0}};
            assign d_last      = is_pool ? tap_last : d == {EW{1'b0}};
            assign a_start     = a == a_1;
            assign b_start     = b == b_1;
            assign kc_last     = taps_left == {TAPS_W{1'b0}};
            assign w_chunk_row = chunk_tap[TW-1 -: 8] == s_1;
            wire unused = &{1'b0, tap, s_x, d_x};
        end else begin : g_tap
            always @(posedge clk) begin
                if (prime)
                    {kx, ky, kx_at, ky_at, ky_row} <= origin;
                else if (fire && (is_pool || chunk_last))
                    {kx, ky, kx_at, ky_at, ky_row} <= tap_next;
            end
            assign a_last      = 1'b1;
            assign b_last      = 1'b1;
            assign d_last      = ~is_pool | tap_last;
            assign a_start     = 1'b1;
            assign b_start     = 1'b1;
            assign kc_last     = tap_last;
            assign w_chunk_row = 1'b0;
            wire unused = &{1'b0, tap, setup_bit};
        end
    endgenerate

    assign w_need      = step_group | a_start;
    assign w_first     = a_start & b_start;
    assign w_last      = b_last & (~step_group | a_last);
    assign w_taps_left = kx;

    // ---- input group: current, first of the chunk, first of the set ------------------------------------------------------
    reg  [ADDR_W-1:0] group, chunk_group, set_group;
    wire [ADDR_W-1:0] group_up  = group + plane;
    wire [ADDR_W-1:0] set_new   = (set_end & step_group) ? group_up : set_group;
    wire [ADDR_W-1:0] chunk_new = tile_end ? set_new : kc_last ? group_up : chunk_group;

    always @(posedge clk) begin
        if (start)     set_group <= base_f[ADDR_W-1:0];
        else if (fire) set_group <= set_new;
    end
    generate
        if (EWS) begin : g_groups
            always @(posedge clk) begin
                if (prime)          chunk_group <= set_group;
                else if (chunk_end) chunk_group <= chunk_new;
                if (prime)      group <= set_group;
                else if (fire) begin
                    if (chunk_last)                group <= chunk_new;
                    else if (a_last & b_last)      group <= chunk_group;
                    else if (a_last | step_group)  group <= group_up;
                end
            end
        end else begin : g_group
            always @(posedge clk) begin
                if (prime)          group <= set_group;
                else if (chunk_end) group <= chunk_new;
            end
            always @* chunk_group = group;
        end
    endgenerate

    // ---- position of the pixel's first tap: column, row, row address; the same of the tile --------------------------------
    reg  [XW-1:0]     px, py, tile_x, tile_y;
    reg  [ADDR_W-1:0] prow, tile_row;
    wire [XW-1:0]     px_next   = px + {{(XW-4){1'b0}}, stride};
    wire [XW-1:0]     py_next   = py + {{(XW-4){1'b0}}, stride};
    wire [ADDR_W-1:0] prow_next = prow + stride_row;
    wire              again     = prime | ty_last;            // the strip that follows is the first one
    wire [XW-1:0]     x_new     = (prime | tx_last) ? x0 : px_next;
    wire [XW-1:0]     y_new     = again ? y0 : py_next;
    wire [ADDR_W-1:0] row_new   = again ? first_row : prow_next;
    wire [XW-1:0]     tile_x_next   = tile_new ? x_new : tile_x;
    wire [XW-1:0]     tile_y_next   = strip_new ? y_new : tile_y;
    wire [ADDR_W-1:0] tile_row_next = strip_new ? row_new : tile_row;

    always @(posedge clk) begin
        tile_x   <= tile_x_next;
        tile_y   <= tile_y_next;
        tile_row <= tile_row_next;
        if (prime | (fire & pixel_end)) px <= (prime | x_last) ? tile_x_next : px_next;
        if (prime | (fire & row_end)) begin
            py   <= (prime | y_last) ? tile_y_next : py_next;
            prow <= (prime | y_last) ? tile_row_next : prow_next;
        end
    end

    // ---- address, range check; array entry -------------------------------------------------------------------------------
    wire [XW-1:0]      ix      = px + {2'd0, kx_at};
    wire [XW-1:0]      iy      = py + {2'd0, ky_at};
    wire [ADDR_W+13:0] ix_x    = {{ADDR_W{ix[XW-1]}}, ix};
    wire               outside = (ix >= {2'b00, in_w}) | (iy >= {2'b00, in_h}); // negative ones are large here
    reg                valid_q, outside_q;
    reg  [EW-1:0]      entry_q;
    wire [EW-1:0]      entry;

    always @(posedge clk) begin
        fb_rd_en   <= fire & w_need & ~w_known & ~outside & ~rst;
        fb_rd_addr <= (group + ky_row) + (prow + ix_x[ADDR_W-1:0]);
        valid_q    <= fire & ~rst;
        in_valid   <= valid_q & ~rst;
        outside_q  <= outside;
        in_outside <= outside_q;
        entry_q    <= entry;
        in_entry   <= entry_q;
    end
    generate
        if (EWS) begin : g_entry
            reg [EW-1:0] e;
            always @(posedge clk) begin
                if (prime)     e <= entry_first;
                else if (fire) e <= chunk_last ? entry_first_next : (pixel_end | is_pool) ? entry_first : e + 1'b1;
            end
            assign entry = e;
        end else begin : g_slot
            assign entry = entry_first;
            wire unused = &{1'b0, entry_first_next};
        end
    endgenerate

    wire unused = &{1'b0, desc, base_f, plane_f, in_w_x, ix_x, a_m, b_m, d_m};

endmodule

`default_nettype wire
