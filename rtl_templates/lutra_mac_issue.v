// SPDX-License-Identifier: Apache-2.0
//
// Issue logic of the ws and ews cores: the loops of a CONV or POOL operation (docs/architecture.md, section 5), one term
// per cycle: a feature-buffer word and the array entry it is multiplied with.
//
// Loops, outer to inner: set of A output groups; tile (a run of pixels in raster order); chunk (B input groups, D taps);
// pixel; tap d; input group b; output group a. A POOL is the same with A = B = 1, all taps of the window in one chunk, the
// input group equal to the output group, and the identity for weights. All addresses advance by additions of what the
// descriptor provides; a loop that starts over returns to the value that the loop around it remembers.
//
// A CONV of one tile and one set may be a pass over part of a layer's terms: with ACC_IN its first chunk adds to the partial
// sums that the pass before left, with ACC_OUT its last chunk leaves them there and gives no results.
//
// Latency: start in cycle t, first term in t+2 at the earliest; term issued (`fire`) in cycle t, fb_rd_en and fb_rd_addr
// in t+1, in_* together with the word in t+2. t_* and w_* describe the term in the cycle of `fire`.
//
// Parameters:
//   ADDR_W     width of feature-buffer addresses, 5..16
//   WRF_DEPTH  array entries; 2: A = B = D = 1 for convolutions (ws)
//   TAPS_W     width of CG*R*S of a convolution, at most 14
//   TILE_W     width of the pixels per tile, 2..8
//   OG_W       width of OG, at most 8

`default_nettype none
`include "lutra_desc.vh"

module lutra_mac_issue #(
    parameter ADDR_W    = 11,
    parameter WRF_DEPTH = 2,
    parameter TAPS_W    = 8,
    parameter TILE_W    = 5,
    parameter OG_W      = 4,
    parameter EW        = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              start,
    input  wire [511:0]      desc,             // used with start only
    output wire              op_end,           // the last term is issued
    output wire              op_silent,        // ... of an operation that gives no results
    // conditions
    input  wire              array_idle,       // no term of the last operation is on its way
    input  wire              owns_output,      // the output side works on this operation
    input  wire              space,            // there is a place for a result word
    output wire              reserve,
    // weights
    input  wire              weights_ready,
    input  wire [EW-1:0]     entry_first,      // of the current chunk
    input  wire [EW-1:0]     entry_first_next, // the same in the next cycle
    output wire [3:0]        a_size,           // A, B, D
    output wire [3:0]        b_size,
    output wire [EW:0]       d_size,
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
    output wire [7:0]        w_taps_left,      // taps of the kernel row from this one on
    output wire              w_chunk_row,      // the chunk starts at the beginning of a kernel row
    output reg  [7:0]        s_size,           // S
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

    localparam EWS  = WRF_DEPTH > 2;
    localparam XW   = 13; // coordinates modulo 2^13: 12-bit sizes, padding and kernel around them
    localparam CG_W = (TAPS_W < 8) ? TAPS_W : 8;
    localparam PW   = (ADDR_W > TILE_W) ? ADDR_W : TILE_W + 1; // pixels of an output group: it is in the buffer

    // ---- the operation -------------------------------------------------------------------------------------------------
    wire        pool_f  = desc[`LUTRA_D_OPCODE] == `LUTRA_OP_POOL;
    wire [15:0] plane_f = desc[`LUTRA_D_IN_PLANE];
    wire [7:0]  tile_f  = desc[`LUTRA_D_TILE_W];
    wire [7:0]  cg_f    = desc[`LUTRA_D_CG];
    wire [7:0]  og_f    = desc[`LUTRA_D_OG];
    // derived fields
    wire [15:0] base_f       = desc[47:32];
    wire [15:0] stride_row_f = desc[431:416];
    wire [15:0] tap_row_f    = desc[447:432];
    wire [15:0] pixels_f     = desc[463:448];
    wire [15:0] x_end_f      = desc[479:464];
    wire [13:0] taps_f       = desc[511:498];

    reg [11:0]       in_h, in_w;
    reg [8:0]        x_origin, y_origin;        // signed: of the first pixel's first tap
    reg [PW-1:0]     pixels;                    // of an output group
    reg [XW-1:0]     x_end;                     // position of the last pixel of a row
    reg [TILE_W-1:0] tile;                      // pixels per tile
    reg [7:0]        r_size;
    reg [CG_W-1:0]   cg;
    reg [ADDR_W-1:0] plane, stride_row, tap_row;
    reg              step_group;                // output group og works on input group og
    reg              barrier;
    reg              acc_in, acc_out;
    reg              is_pool, of_max, of_unsigned; // the outputs follow when no term of the last operation is on its way

    always @(posedge clk) begin
        if (start) begin
            is_pool     <= pool_f;
            of_max      <= desc[`LUTRA_D_POOL_MAX];
            of_unsigned <= desc[`LUTRA_D_IN_UNSIGNED];
            barrier     <= desc[`LUTRA_D_BARRIER];
            acc_in      <= ~pool_f & desc[`LUTRA_D_ACC_IN];
            acc_out     <= ~pool_f & desc[`LUTRA_D_ACC_OUT];
            step_group  <= pool_f | (desc[`LUTRA_D_CG_STEP] != 8'd0);
            in_h        <= desc[`LUTRA_D_IN_H];
            in_w        <= desc[`LUTRA_D_IN_W];
            pixels      <= pixels_f[PW-1:0];
            x_end       <= x_end_f[XW-1:0];
            stride      <= desc[`LUTRA_D_STRIDE];
            dilation    <= desc[`LUTRA_D_DILATION];
            r_size      <= desc[`LUTRA_D_R];
            s_size      <= desc[`LUTRA_D_S];
            plane       <= plane_f[ADDR_W-1:0];
            cg          <= cg_f[CG_W-1:0];
            tile        <= pool_f ? {TILE_W{1'b1}} : tile_f[TILE_W-1:0];
            stride_row  <= stride_row_f[ADDR_W-1:0];
            tap_row     <= tap_row_f[ADDR_W-1:0];
            x_origin    <= desc[488:480];
            y_origin    <= desc[497:489];
        end
    end

    // ---- sequence: start, prime, run -----------------------------------------------------------------------------------
    reg  active, running;
    wire prime = active & ~running & array_idle;

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

    // ---- where the loops stand: all counters count down, to 1 --------------------------------------------------------------
    wire              a_last, b_last, d_last, a_start, b_start;
    wire              kc_last;          // the chunk holds the last taps
    wire              cg_last, og_last;
    wire              x_last;           // the pixel is the last of its row
    reg  [7:0]        kx, ky;
    reg  [TILE_W-1:0] left;             // pixels of the tile
    reg  [TILE_W-1:0] size;             // ... all of them
    reg  [PW-1:0]     behind;           // pixels of the output group behind this tile
    reg  [CG_W-1:0]   cg_left;          // input groups from this chunk on
    reg  [OG_W-1:0]   og_left;          // output groups from this set on
    reg               word_first;       // first term of a word's sum in this chunk
    reg               chunk_first;

    wire kx_last    = kx == 8'd1;
    wire tap_last   = kx_last & (ky == 8'd1);
    wire set_tile   = behind == {PW{1'b0}};         // the set's last tile
    wire tile_chunk = is_pool | (kc_last & cg_last);        // the tile's last chunk
    wire p_last     = left == {{(TILE_W-1){1'b0}}, 1'b1};   // the chunk's last pixel

    assign pixel_end = a_last & b_last & d_last;
    assign row_end   = pixel_end & (x_last | p_last);
    wire chunk_last  = pixel_end & p_last;
    wire tile_end    = chunk_last & tile_chunk;
    wire set_end     = tile_end & set_tile;

    assign hold = barrier & ~owns_output;
    wire permit = weights_ready & ~hold & (~(t_last & tile_chunk) | (owns_output & (space | acc_out)));

    assign fire      = running & permit;
    assign op_end    = fire & set_end & og_last;
    assign chunk_end = fire & chunk_last;
    assign reserve   = fire & t_last & tile_chunk & ~acc_out;
    assign op_silent = op_end & acc_out;

    assign t_first       = word_first;
    assign t_last        = b_last & d_last;
    assign t_group_end   = a_last;
    assign t_chunk_first = chunk_first;
    assign t_level       = (~tile_chunk | acc_out) ? 3'd7 : ~a_last ? 3'd0 : (p_last & set_tile) ? {2'b10, og_last} :
                           x_last ? 3'd2 : 3'd1;

    // weights: a tile that is one chunk leaves them where they are until its set ends, a POOL until its end
    wire finish = tile_chunk & set_tile & og_last;
    wire stay   = ~finish & (is_pool | (chunk_first & tile_chunk & ~set_tile));
    assign next_none = stay | finish;
    assign next_back = tile_chunk & ~set_tile;
    assign next_set  = tile_chunk & set_tile;
    assign consume   = chunk_end & ~stay;
    assign fresh     = prime | (chunk_end & ~op_end);

    // ---- pixels, tiles, chunks ---------------------------------------------------------------------------------------------
    wire              tile_new = prime | (fire & tile_end);
    wire [PW-1:0]     from     = (prime | set_tile) ? pixels : behind; // pixels from the tile that follows on
    wire [PW-1:0]     tile_x   = {{(PW-TILE_W){1'b0}}, tile};
    wire              whole    = from <= tile_x;
    wire [TILE_W-1:0] size_new = whole ? from[TILE_W-1:0] : tile;

    always @(posedge clk) begin
        if (tile_new) begin
            size   <= size_new;
            behind <= whole ? {PW{1'b0}} : from - tile_x;
        end
        if (prime) begin
            left       <= size_new;
            word_first <= 1'b1;
        end else if (fire) begin
            if (pixel_end) left <= ~p_last ? left - 1'b1 : tile_chunk ? size_new : size;
            word_first <= pixel_end | (word_first & ~a_last);
        end
        if (prime)          chunk_first <= ~acc_in;
        else if (chunk_end) chunk_first <= tile_chunk;

        if (start)                og_left <= og_f[OG_W-1:0];
        else if (fire && set_end) og_left <= og_left - a_in_og[OG_W-1:0];

        if (prime || (chunk_end && kc_last)) cg_left <= (prime || tile_chunk) ? cg : cg_left - b_in_cg[CG_W-1:0];
    end
    wire [7:0] a_in_og = {4'd0, a_size};
    wire [7:0] b_in_cg = {4'd0, b_size};
    assign og_last = og_left == a_in_og[OG_W-1:0];
    assign cg_last = cg_left == b_in_cg[CG_W-1:0];

    // ---- kernel position: taps left, column and row relative to the pixel, row address relative to the pixel's ---------------
    localparam TW = 16 + 2 * XW + ADDR_W;
    reg  [XW-1:0]     kx_at, ky_at;
    reg  [ADDR_W-1:0] ky_row;
    wire [XW-1:0]     x_begin  = {{(XW-9){x_origin[8]}}, x_origin};
    wire [XW-1:0]     y_begin  = {{(XW-9){y_origin[8]}}, y_origin};
    wire [XW-1:0]     tap_step = {{(XW-4){1'b0}}, dilation};
    wire [TW-1:0]     tap      = {kx, ky, kx_at, ky_at, ky_row};
    wire [TW-1:0]     origin   = {s_size, r_size, x_begin, y_begin, {ADDR_W{1'b0}}};
    wire [TW-1:0]     tap_next = ~kx_last ? {kx - 1'b1, ky, kx_at + tap_step, ky_at, ky_row} :
                                 tap_last ? origin :
                                            {s_size, ky - 1'b1, x_begin, ky_at + tap_step, ky_row + tap_row};

    generate
        if (EWS) begin : g_taps
            reg [TW-1:0]     chunk_tap; // the chunk's first tap
            reg [TAPS_W-1:0] taps, taps_left;
            reg [3:0]        a, b, a_all, b_all;
            reg [EW:0]       d, d_all;
            wire [3:0]       a_f = desc[`LUTRA_D_A];
            wire [3:0]       b_f = desc[`LUTRA_D_B];
            wire [7:0]       d_f = desc[`LUTRA_D_D];
            wire [TAPS_W+EW:0] d_x = {{TAPS_W{1'b0}}, d_all};

            always @(posedge clk) begin
                if (start) begin
                    a_all <= pool_f ? 4'd1 : a_f;
                    b_all <= pool_f ? 4'd1 : b_f;
                    d_all <= pool_f ? {{EW{1'b0}}, 1'b1} : d_f[EW:0];
                    taps  <= taps_f[TAPS_W-1:0];
                end
                if (prime || (chunk_end && kc_last)) taps_left <= taps;
                else if (chunk_end)                  taps_left <= taps_left - d_x[TAPS_W-1:0];

                if (prime) begin
                    a <= a_all;
                    b <= b_all;
                    d <= d_all;
                end else if (fire) begin
                    a <= a_last ? a_all : a - 1'b1;
                    if (a_last) b <= b_last ? b_all : b - 1'b1;
                    if (a_last && b_last) d <= d_last ? d_all : d - 1'b1;
                end

                if (prime || chunk_end) chunk_tap <= prime ? origin : tap_next;
                if (prime)
                    {kx, ky, kx_at, ky_at, ky_row} <= origin;
                else if (fire && a_last && b_last)
                    {kx, ky, kx_at, ky_at, ky_row} <= (pixel_end && !chunk_last) ? chunk_tap : tap_next;
            end
            assign a_last      = a == 4'd1;
            assign b_last      = b == 4'd1;
            assign d_last      = is_pool ? tap_last : d == {{EW{1'b0}}, 1'b1};
            assign a_start     = a == a_all;
            assign b_start     = b == b_all;
            assign kc_last     = taps_left == d_x[TAPS_W-1:0];
            assign w_chunk_row = chunk_tap[TW-1 -: 8] == s_size;
            assign a_size      = a_all;
            assign b_size      = b_all;
            assign d_size      = d_all;
            wire unused = &{1'b0, tap, d_f, d_x, taps_f};
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
            assign a_size      = 4'd1;
            assign b_size      = 4'd1;
            assign d_size      = {{EW{1'b0}}, 1'b1};
            wire unused = &{1'b0, tap, taps_f};
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

    // ---- position of the pixel relative to the first one: column, row, row address; the same of the tile --------------------
    reg  [XW-1:0]     px, py, tile_px, tile_py;
    reg  [ADDR_W-1:0] prow, tile_prow;
    wire [XW-1:0]     pixel_step = {{(XW-4){1'b0}}, stride};
    wire [XW-1:0]     px_next    = (px + pixel_step) & {XW{~x_last}};
    wire [XW-1:0]     py_next    = py + (pixel_step & {XW{x_last}});
    wire [ADDR_W-1:0] prow_next  = prow + (stride_row & {ADDR_W{x_last}});
    wire              zero       = prime | set_tile; // the tile that follows is the first one
    wire [XW-1:0]     tile_px_next   = tile_new ? px_next & {XW{~zero}} : tile_px;
    wire [XW-1:0]     tile_py_next   = tile_new ? py_next & {XW{~zero}} : tile_py;
    wire [ADDR_W-1:0] tile_prow_next = tile_new ? prow_next & {ADDR_W{~zero}} : tile_prow;

    assign x_last = px == x_end;

    always @(posedge clk) begin
        tile_px   <= tile_px_next;
        tile_py   <= tile_py_next;
        tile_prow <= tile_prow_next;
        if (prime | (fire & pixel_end)) begin
            px   <= (prime | p_last) ? tile_px_next : px_next;
            py   <= (prime | p_last) ? tile_py_next : py_next;
            prow <= (prime | p_last) ? tile_prow_next : prow_next;
        end
    end

    // ---- address, range check; array entry -------------------------------------------------------------------------------
    wire [XW-1:0]      ix      = px + kx_at;
    wire [XW-1:0]      iy      = py + ky_at;
    wire [ADDR_W+XW-1:0] px_x  = {{ADDR_W{px[XW-1]}}, px}; // one sum of five addends is faster than sums of two
    wire [ADDR_W+XW-1:0] kx_x  = {{ADDR_W{kx_at[XW-1]}}, kx_at};
    wire               outside = (ix >= {1'b0, in_w}) | (iy >= {1'b0, in_h}); // negative ones are large here
    reg                valid_q, outside_q;
    reg  [EW-1:0]      entry_q;
    wire [EW-1:0]      entry;

    always @(posedge clk) begin
        fb_rd_en   <= fire & w_need & ~w_known & ~outside & ~rst;
        fb_rd_addr <= group + ky_row + prow + px_x[ADDR_W-1:0] + kx_x[ADDR_W-1:0];
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

    wire unused = &{1'b0, desc, base_f, plane_f, tile_f, cg_f, og_f, stride_row_f, tap_row_f, pixels_f, x_end_f, px_x, kx_x,
                    a_in_og, b_in_cg};

endmodule

`default_nettype wire
