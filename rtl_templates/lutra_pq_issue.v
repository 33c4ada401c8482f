// Issue logic of the pq core: takes one operation at a time and turns it into fetches and steps, one per cycle.
//
// A fetch reads one column of three rows of one chunk from the code memory. A step uses a window (CONV) or a feature-buffer
// word (POOL). All addresses are sums of what the descriptor holds ready (docs/architecture.md section 6: derived
// fields), so there is no multiplier here. Three ways to walk:
//   STREAM  every input column once, rows one behind the other without a gap: a column outside the input is never
//           fetched, its place in the window is masked, and the next row's first columns take its cycle.
//   gather  for each pixel: sub-kernels of 3 x 3 taps (1 x 3 if dilated), chunks, columns.
//   POOL    as gather with sub-kernels of one row, each column a step.
// The step that ends a pixel waits until the post unit and the code writer can take its result. Partial operations add
// steps at the pixel's start (ACC_IN: load the accumulators byte by byte) or end (ACC_OUT: store them).
//
// Latency: outputs are registered, valid in the cycle after the issue cycle (P1 of lutra_exec_pq).
// Parameters: see lutra_exec_pq; POST_LATENCY of lutra_post, POST_CYCLES cycles per word in it, ACC_BYTES of an
// accumulator, PASS_* shape of the passes a step takes.
`default_nettype none

module lutra_pq_issue #(
    parameter SPATIAL      = 0,
    parameter CODE_ADDR_W  = 9,
    parameter FB_ADDR_W    = 11,
    parameter SLOT_W       = 2,
    parameter LUT_ROWS     = 64,  // rows of one half
    parameter LUT_ADDR_W   = 6,
    parameter SET_ROWS     = 16,  // of a lookup's tables, at most
    parameter ENC_PASSES   = 1,   // passes of a lookup step (spatial mode, l1 or l2)
    parameter BLOCKS       = 1,   // dense, spatial: passes over the channels of a tap
    parameter ROW_BLOCKS   = 1,   // dense, spatial: of these, passes per weight row
    parameter TAP_COLS     = 1,   // dense: 1 if each window column has its own pass
    parameter TAP_ROWS     = 1,   // dense: 1 if each window row has
    parameter BLOCK_W      = 1,
    parameter POST_CYCLES  = 1,
    parameter POST_LATENCY = 7,
    parameter ACC_BYTES    = 3
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     op_valid,
    output wire                     op_ready,
    input  wire [511:0]             op_desc,
    input  wire                     op_done,
    input  wire                     handed,     // the output stage has taken over this operation's constants
    output wire [511:0]             desc,       // of the operation at issue
    output wire                     issue,
    // fetch
    output reg  [2:0]               fetch_en,   // by bank
    output wire [3*CODE_ADDR_W-1:0] fetch_addr,
    output reg                      fetch_shift,
    output reg  [1:0]               fetch_top,  // bank of the window's first row
    output reg  [SLOT_W-1:0]        fetch_slot,
    // step
    output reg                      step,       // a lookup, product or word reaches the accumulators
    output reg                      step_enc,   // the encoders take the window (spatial mode)
    output reg                      step_read,  // the LUT memory is read
    output reg                      step_first, // the accumulators start anew
    output reg                      step_end,   // ... and hold a pixel's sums afterwards
    output reg                      step_op_first, // first pixel of the operation
    output reg                      step_op_last,  // last pixel of the operation
    output reg                      step_pool,
    output reg                      step_load,  // ACC_IN byte
    output reg                      step_store, // ACC_OUT byte
    output reg  [1:0]               step_byte,  // ... its number, highest first
    output reg  [8:0]               step_mask,  // by window position; POOL: bit 2
    output reg  [BLOCK_W-1:0]       step_block,
    output reg  [1:0]               step_col,
    output reg  [1:0]               step_row,
    output reg                      lut_half,
    output reg  [LUT_ADDR_W-1:0]    lut_row,
    output reg  [15:0]              enc_chunk,  // chunk of the step plus ENC_BASE (spatial mode)
    output wire [FB_ADDR_W-1:0]     fb_addr
);
    localparam ADDR_W = (CODE_ADDR_W > FB_ADDR_W) ? CODE_ADDR_W : FB_ADDR_W;
    localparam POS_W  = 14; // signed input coordinates
    localparam SINCE_W = $clog2(POST_LATENCY + 2);
    // verilator lint_off WIDTH
    localparam [SINCE_W-1:0] LONG_AGO  = POST_LATENCY + 1; // the post unit is empty
    localparam [SINCE_W-1:0] PHASE     = POST_CYCLES - 1;
    localparam [11:0]        OP_GAP    = POST_LATENCY + 1;
    localparam [1:0]         LAST_BYTE = ACC_BYTES - 1;
    localparam [1:0]         LAST_TWO  = (ACC_BYTES > 2) ? ACC_BYTES - 2 : 0; // first of the lowest two bytes
    localparam [LUT_ADDR_W:0] ALL_ROWS = LUT_ROWS;
    // verilator lint_on WIDTH

    // ---- the operation -----------------------------------------------------------------------------------------------
    // verilator lint_off WIDTH
    // bits of the descriptor that are still needed after the cycle of acceptance
    localparam [15:0] A_USED = (1 << ADDR_W) - 1;
    localparam [15:0] F_USED = (1 << FB_ADDR_W) - 1;
    localparam [15:0] C_USED = (1 << CODE_ADDR_W) - 1;
    localparam [15:0] L_USED = (2 << LUT_ADDR_W) - 1;
    localparam [15:0] R_USED = 16'hf00f | (SET_ROWS - 1) << 4;
    localparam [15:0] E_USED = (SPATIAL != 0) ? 16'hffff : 16'h0001;
    // verilator lint_on WIDTH
    localparam [511:0] USED = {
        A_USED, E_USED,                           // w15
        (C_USED << 1) | 16'h1, C_USED,            // w14
        16'hffff, 16'h0000,                       // w13
        A_USED, 16'hffff,                         // w12
        16'h0000, R_USED,                         // w11
        F_USED, F_USED,                           // w10
        32'h03ffffff,                             // w9
        16'h07ff, L_USED,                         // w8
        16'hcfff, A_USED,                         // w7
        A_USED | 16'h0fff, A_USED | 16'h0fff,     // w6
        32'hff00ffff,                             // w5
        32'h00fff000,                             // w4
        C_USED, F_USED,                           // w3
        32'hffffffff,                             // w2
        A_USED, A_USED,                           // w1
        32'h00bb770f};                            // w0
    reg  [511:0] d;
    reg          busy;
    reg  [1:0]   inflight;

    wire accept  = op_valid && op_ready;
    assign desc  = d;
    assign op_ready = !busy && handed && !inflight[1];

    always @(posedge clk) begin
        if (accept) d <= op_desc & USED;
        if (rst) inflight <= 2'd0;
        else     inflight <= inflight + {1'b0, accept} - {1'b0, op_done};
    end

    `include "lutra_desc.vh"
    wire        new_pool   = op_desc[`LUTRA_D_OPCODE] == `LUTRA_OP_POOL;
    wire        new_stream = op_desc[`LUTRA_D_STREAM] && !new_pool;
    reg         pool, stream, dense, tall; // tall: sub-kernels have three rows
    reg         ordered;                   // waits for everything before it
    wire        acc_in   = d[20];
    wire        acc_out  = d[21];
    wire [1:0]  first_byte = d[23] ? LAST_TWO : 2'd0;
    wire        res_en   = d[`LUTRA_D_RES_EN];
    wire [11:0] in_h     = d[`LUTRA_D_IN_H];
    wire [11:0] in_w     = d[`LUTRA_D_IN_W];
    wire [3:0]  stride   = d[`LUTRA_D_STRIDE];
    wire [3:0]  dilation = d[`LUTRA_D_DILATION];
    wire [11:0] out_w    = d[`LUTRA_D_OUT_W];
    wire [7:0]  kr       = d[`LUTRA_D_R];
    wire [7:0]  ks       = d[`LUTRA_D_S];
    wire [14:0] chunks   = d[`LUTRA_D_CHUNKS];
    // derived fields; in STREAM some hold counts of columns instead
    wire [ADDR_W-1:0] in_pitch  = d[32 +: ADDR_W];
    wire [ADDR_W-1:0] krow_step = d[48 +: ADDR_W];
    wire [ADDR_W-1:0] col_step  = d[192 +: ADDR_W];
    wire [ADDR_W-1:0] q_step    = d[208 +: ADDR_W];
    wire [11:0]       row_cols  = d[192 +: 12]; // STREAM: columns fetched per row
    wire [11:0]       row_gap   = d[208 +: 12]; // STREAM: columns from a row's last pixel to the next row's first
    wire [ADDR_W-1:0] row_step  = d[224 +: ADDR_W];
    wire [11:0]       interval  = d[251:240];
    wire [1:0]        row_mod   = d[255:254];
    wire [1:0]        krow_mod  = d[353:352];
    wire [5:0]        more_rows = d[361:356]; // LUT rows of a step, less one
    wire [ADDR_W-1:0] x_start   = d[400 +: ADDR_W];
    wire [ADDR_W-1:0] kcol_step = d[496 +: ADDR_W];

    // ---- where we are --------------------------------------------------------------------------------------------------
    // Counters count down to 1. What decides how far a step goes is compared when a counter changes, not when it is
    // used: last_* of the innermost loops, only_* for an operation where such a loop has one round.
    // fires: a step is due, ends: the pixel's last one.
    reg              fires, ends;
    reg              last_col, last_c, last_sb, last_rb;
    reg              only_col, only_c, only_sb, only_rb;
    reg [14:0]       c;                  // chunks left
    reg [SLOT_W-1:0] slot;               // STREAM: window slot of the chunk
    reg [15:0]       chunk;              // encoder word of the chunk (spatial mode)
    reg [7:0]        j;                  // columns left in the sub-kernel
    reg [7:0]        rleft, sleft;       // kernel rows and columns from here on
    reg [11:0]       q, p;               // columns and rows of pixels left
    reg              last_q, last_p;     // these are 1
    reg [ADDR_W-1:0] cur, csub, cpix;    // column address of the fetch, of sub-kernel and chunk, of the pixel
    reg [POS_W-1:0]  xl, xsub, xpix;     // the same as input column; STREAM: xl is the window's newest column
    reg [ADDR_W-1:0] asub, arow;         // row address of the fetch, of the pixel row ...
    reg [1:0]        msub, mrow;         // ... and the bank of that row
    reg [POS_W-1:0]  ysub, yrow;         // the same as input row
    reg [POS_W-1:0]  ywin;               // the window's first row: STREAM: yrow, else ysub
    reg [11:0]       fcol, frow;         // STREAM: columns of the row and rows left to fetch
    reg              fetching;           // STREAM: rows are left
    reg [11:0]       fire;               // STREAM: columns until the next pixel is complete, this one included
    reg              fire_one;           // that is 1
    reg [BLOCK_W-1:0] pi;                // passes
    reg [1:0]        pc, pr;
    reg              half;               // LUT row
    reg [LUT_ADDR_W-1:0] lrow;
    reg              aside, storing;     // ACC_IN bytes before, ACC_OUT bytes (storing) after the steps of a pixel
    reg              due;                // ACC_IN bytes come before the pixel's next step
    reg              finished;           // ACC_OUT: the last pixel is being stored
    reg [1:0]        abyte;
    reg [ADDR_W-1:0] row_wrap, krow_wrap; // row steps that go round the three banks
    reg [FB_ADDR_W-1:0] acc_ptr;
    reg              first, op_first;    // first step of the pixel, pixel of the operation
    reg [11:0]       gap;                // a pixel may end when this is 1
    reg              gap_one;            // it is
    reg [SINCE_W-1:0] since;             // cycles since the last pixel ended, saturating


    // ---- what this cycle does ----------------------------------------------------------------------------------------
    wire [1:0] rows_here = (tall && rleft > 8'd2) ? 2'd3 : (tall && rleft == 8'd2) ? 2'd2 : 2'd1;
    wire [1:0] cols_here = (sleft > 8'd2) ? 2'd3 : sleft[1:0];

    // passes of a step
    wire pi_last  = !(SPATIAL && ((dense && BLOCKS > 1) || (!dense && !pool && ENC_PASSES > 1))) ||
                    pi == (dense ? BLOCKS[BLOCK_W-1:0] - 1'b1 : ENC_PASSES[BLOCK_W-1:0] - 1'b1);
    wire pc_last  = !(dense && TAP_COLS) || pc == cols_here - 2'd1;
    wire pr_last  = !(dense && TAP_ROWS) || pr == rows_here - 2'd1;
    wire pass_last  = !fires || (pi_last && pc_last && pr_last);
    wire pass_first = ((BLOCKS <= 1 && ENC_PASSES <= 1) || pi == {BLOCK_W{1'b0}}) && (!TAP_COLS || pc == 2'd0) &&
                      (!TAP_ROWS || pr == 2'd0);
    wire row_full   = (ROW_BLOCKS == 1) || ((pi & (ROW_BLOCKS[BLOCK_W-1:0] - 1'b1)) == ROW_BLOCKS[BLOCK_W-1:0] - 1'b1);

    wire load_now   = aside && !storing;
    wire main       = !aside;
    wire pixel_end  = main && ends && pass_last;
    wire free       = acc_out || (gap_one && (POST_CYCLES == 1 || !res_en || since == LONG_AGO ||
                                             (since & PHASE) == {SINCE_W{1'b0}}));
    wire alone      = inflight == 2'd1;
    wire go         = busy && (!ordered || alone) && !(pixel_end && !free);
    wire step_done  = go && main && pass_last;
    wire last_byte  = abyte == LAST_BYTE;
    wire op_end     = go && (acc_out ? storing && last_byte && finished : pixel_end && last_q && last_p);

    assign issue = go;

    // ---- masks -------------------------------------------------------------------------------------------------------
    wire [POS_W-1:0] x_row    = -{{(POS_W-8){d[191]}}, d[`LUTRA_D_PAD_L]};
    wire [2:0]       row_in, row_fetch, col_in;
    genvar r;
    generate
        for (r = 0; r < 3; r = r + 1) begin : g_mask
            wire [POS_W-1:0] yw = ywin + r;
            wire [POS_W-1:0] yf = ysub + r;
            wire [POS_W-1:0] x  = xl - ((r == 0) ? {POS_W{1'b0}} : (r == 1) ? {{(POS_W-4){1'b0}}, dilation}
                                                                        : {{(POS_W-5){1'b0}}, dilation, 1'b0});
            assign row_in[r]    = yw < {2'b00, in_h} && r < rows_here;
            assign row_fetch[r] = yf < {2'b00, in_h} && r < rows_here;
            assign col_in[r]    = x < {2'b00, in_w} && r < cols_here; // by age
        end
    endgenerate
    wire fetch_now = main && pass_first && !pool && (stream ? fetching : col_in[0]);

    // columns of the sub-kernel when `left` columns of the kernel are left
    function [7:0] cols(input [7:0] left);
        cols = (pool || left < 8'd3) ? left : 8'd3;
    endfunction

    // ---- next position -------------------------------------------------------------------------------------------------
    wire [POS_W-1:0]  x_first  = -{{(POS_W-8){op_desc[191]}}, op_desc[`LUTRA_D_PAD_L]};
    wire [POS_W-1:0]  y_first  = -{{(POS_W-8){op_desc[183]}}, op_desc[`LUTRA_D_PAD_T]};
    wire [7:0]        s_first  = op_desc[`LUTRA_D_S];
    wire              new_tall = !new_pool && op_desc[`LUTRA_D_DILATION] == 4'd1;
    wire              new_col  = s_first == 8'd1;
    wire              new_c    = new_pool || op_desc[`LUTRA_D_CHUNKS] == 15'd1;
    wire              new_sb   = new_pool || s_first <= 8'd3;
    wire              new_rb   = op_desc[`LUTRA_D_R] == 8'd1 || (new_tall && op_desc[`LUTRA_D_R] <= 8'd3);
    wire [ADDR_W-1:0] new_x    = new_stream ? {ADDR_W{1'b0}} : op_desc[400 +: ADDR_W];
    wire [POS_W-1:0]  stride_x = {{(POS_W-4){1'b0}}, stride};
    wire [POS_W-1:0]  dil_x    = {{(POS_W-4){1'b0}}, dilation};

    // one pixel row or one sub-kernel row further: bank and address
    wire [1:0]        m_from   = stream ? msub : last_rb ? mrow : msub;
    wire [ADDR_W-1:0] a_from   = stream ? asub : last_rb ? arow : asub;
    wire [2:0]        m_sum    = {1'b0, m_from} + {1'b0, (stream || last_rb) ? row_mod : krow_mod};
    wire              m_wrap   = m_sum > 3'd2;
    wire [1:0]        m_next   = m_wrap ? m_sum[1:0] - 2'd3 : m_sum[1:0];
    wire [ADDR_W-1:0] a_next   = a_from + ((stream || last_rb) ? (m_wrap ? row_wrap : row_step)
                                                              : (m_wrap ? krow_wrap : krow_step));
    wire [POS_W-1:0]  y_next   = yrow + stride_x;

    localparam WIDE_ROW = LUT_ADDR_W + 6;
    wire [WIDE_ROW-1:0] lrow_more = {{LUT_ADDR_W{1'b0}}, more_rows};
    wire [LUT_ADDR_W:0] lrow_next = {1'b0, lrow} + lrow_more[LUT_ADDR_W:0] + 1'b1;
    wire                lrow_wrap = lrow_next == ALL_ROWS;
    wire                lrow_step = fires && ((SPATIAL && dense) ? row_full : pass_last);
    wire                sums      = fires && (dense || pool || pass_last); // something reaches the accumulators

    // the same flags after this step
    wire inner    = last_col && last_c;
    wire next_col = !last_col ? j == 8'd2 : !last_c ? sleft == 8'd1 : !last_sb ? sleft == 8'd4 : only_col;
    wire next_c   = !(stream || last_col) ? last_c : last_c ? only_c : c == 15'd2;
    wire next_sb  = !inner ? last_sb : !last_sb ? sleft <= 8'd6 : only_sb;
    wire next_rb  = !(inner && last_sb) ? last_rb : last_rb ? only_rb : tall ? rleft <= 8'd6 : rleft == 8'd2;
    wire next_one = !last_c ? fire_one : !fires ? fire == 12'd2 : last_q ? row_gap == 12'd1 : stride == 4'd1;
    wire new_one  = op_desc[411:400] == 12'd0;

    wire new_fires  = new_stream ? new_one : new_pool || new_col;
    wire next_fires = stream ? next_one : pool || next_col;
    wire next_due   = pixel_end ? acc_in && !acc_out : due;

    always @(posedge clk) begin
        if (accept) begin
            fires <= new_fires;
            ends  <= new_stream ? new_one && new_c : new_col && new_c && new_sb && new_rb;
        end else if (step_done) begin
            fires <= next_fires;
            ends  <= stream ? next_one && next_c : next_col && next_c && next_sb && next_rb;
        end
        // the first step of a pixel waits for ACC_IN
        if (accept) begin
            due     <= op_desc[20];
            aside   <= op_desc[20] && new_fires;
            storing <= 1'b0;
        end else if (step_done) begin
            due     <= next_due;
            aside   <= (next_due && next_fires) || (pixel_end && acc_out);
            storing <= pixel_end && acc_out;
        end else if (go && !main && last_byte) begin
            due     <= storing && acc_in;
            aside   <= storing && acc_in && fires;
            storing <= 1'b0;
        end
    end

    always @(posedge clk) begin
        if (rst) busy <= 1'b0;
        else     busy <= accept || (busy && !op_end);

        if (accept) begin
            pool     <= new_pool;
            stream   <= new_stream;
            dense    <= op_desc[`LUTRA_D_DENSE] && !new_pool;
            tall     <= new_tall;
            ordered  <= op_desc[`LUTRA_D_BARRIER] || op_desc[21];
            row_wrap  <= op_desc[224 +: ADDR_W] + op_desc[32 +: ADDR_W];
            krow_wrap <= op_desc[48 +: ADDR_W] + op_desc[32 +: ADDR_W];
            c        <= op_desc[`LUTRA_D_CHUNKS];
            slot     <= {SLOT_W{1'b0}};
            chunk    <= (SPATIAL != 0) ? op_desc[`LUTRA_D_ENC_BASE] : 16'd0;
            j        <= (new_pool || s_first < 8'd3) ? s_first : 8'd3;
            rleft    <= op_desc[`LUTRA_D_R];
            sleft    <= s_first;
            last_col <= new_col;
            last_c   <= new_c;
            last_sb  <= new_sb;
            last_rb  <= new_rb;
            only_col <= new_col;
            only_c   <= new_c;
            only_sb  <= new_sb;
            only_rb  <= new_rb;
            q        <= op_desc[`LUTRA_D_OUT_W];
            p        <= op_desc[`LUTRA_D_OUT_H];
            last_q   <= op_desc[`LUTRA_D_OUT_W] == 12'd1;
            last_p   <= op_desc[`LUTRA_D_OUT_H] == 12'd1;
            cur      <= new_x;
            csub     <= new_x;
            cpix     <= new_x;
            xl       <= new_stream ? x_first + {{(POS_W-8){1'b0}}, s_first} - 1'b1 : x_first;
            xsub     <= x_first;
            xpix     <= x_first;
            asub     <= op_desc[416 +: ADDR_W];
            arow     <= op_desc[416 +: ADDR_W];
            msub     <= op_desc[253:252];
            mrow     <= op_desc[253:252];
            ysub     <= y_first;
            yrow     <= y_first;
            ywin     <= y_first;
            fcol     <= op_desc[203:192];
            frow     <= op_desc[`LUTRA_D_OUT_H];
            fetching <= 1'b1;
            fire     <= op_desc[411:400] + 12'd1;
            fire_one <= new_one;
            pi       <= {BLOCK_W{1'b0}};
            pc       <= 2'd0;
            pr       <= 2'd0;
            half     <= op_desc[256 + LUT_ADDR_W];
            lrow     <= op_desc[256 +: LUT_ADDR_W];
            abyte    <= op_desc[23] ? LAST_TWO : 2'd0;
            acc_ptr  <= op_desc[368 +: FB_ADDR_W];
            first    <= 1'b1;
            op_first <= 1'b1;
        end else if (go) begin
            ordered <= 1'b0; // from its first cycle on it is alone
            if (!main) begin
                abyte <= last_byte ? first_byte : abyte + 2'd1;
                if (!storing) acc_ptr <= acc_ptr + 1'b1;
            end else begin
                // passes
                if (fires) begin
                    pi <= pi_last ? {BLOCK_W{1'b0}} : pi + 1'b1;
                    if (pi_last) pc <= pc_last ? 2'd0 : pc + 2'd1;
                    if (pi_last && pc_last) pr <= pr_last ? 2'd0 : pr + 2'd1;
                end
                if (sums) first <= pixel_end;
                if (pixel_end) begin
                    half <= d[256 + LUT_ADDR_W];
                    lrow <= d[256 +: LUT_ADDR_W];
                end else if (lrow_step) begin
                    half <= half ^ lrow_wrap;
                    lrow <= lrow_wrap ? {LUT_ADDR_W{1'b0}} : lrow_next[LUT_ADDR_W-1:0];
                end
                if (pixel_end) begin
                    q        <= last_q ? out_w : q - 12'd1;
                    last_q   <= last_q ? out_w == 12'd1 : q == 12'd2;
                    if (last_q) p <= p - 12'd1;
                    if (last_q) last_p <= p == 12'd2;
                    finished <= last_q && last_p;
                    op_first <= 1'b0;
                end
            end

            if (step_done && stream) begin
                c      <= last_c ? chunks : c - 15'd1;
                last_c <= next_c;
                slot   <= last_c ? {SLOT_W{1'b0}} : slot + 1'b1;
                if (SPATIAL != 0) chunk <= last_c ? d[`LUTRA_D_ENC_BASE] : chunk + 16'd1;
                if (fetching) begin
                    if (last_c && fcol == 12'd1) begin
                        fcol <= row_cols;
                        frow <= frow - 12'd1;
                        if (frow == 12'd1) fetching <= 1'b0;
                        cur  <= {ADDR_W{1'b0}};
                        asub <= a_next;
                        msub <= m_next;
                        ysub <= ysub + stride_x;
                    end else begin
                        if (last_c) fcol <= fcol - 12'd1;
                        cur <= cur + (last_c ? kcol_step : {{(ADDR_W-1){1'b0}}, 1'b1});
                    end
                end
                if (last_c) fire <= !fires ? fire - 12'd1 : last_q ? row_gap : {8'd0, stride};
                fire_one <= next_one;
                if (pixel_end) begin
                    xl <= last_q ? xpix + {{(POS_W-8){1'b0}}, ks} - 1'b1 : xl + stride_x;
                    if (last_q) begin
                        yrow <= y_next;
                        ywin <= y_next;
                    end
                end
            end else if (step_done) begin
                j        <= !last_col ? j - 8'd1 : !last_c ? cols(sleft) : !last_sb ? cols(sleft - 8'd3) : cols(ks);
                last_col <= next_col;
                if (last_col) begin
                    c      <= last_c ? chunks : c - 15'd1;
                    last_c <= next_c;
                    if (SPATIAL != 0) chunk <= last_c ? d[`LUTRA_D_ENC_BASE] : chunk + 16'd1;
                end
                if (!last_col) begin
                    cur <= cur + col_step;
                    xl  <= xl + dil_x;
                end else if (!last_c) begin
                    csub <= csub + 1'b1;
                    cur  <= csub + 1'b1;
                    xl   <= xsub;
                end else if (!last_sb) begin
                    sleft   <= sleft - 8'd3;
                    last_sb <= next_sb;
                    csub  <= csub + kcol_step;
                    cur   <= csub + kcol_step;
                    xsub  <= xsub + dil_x + (dil_x << 1);
                    xl    <= xsub + dil_x + (dil_x << 1);
                end else if (!last_rb) begin
                    sleft   <= ks;
                    last_sb <= next_sb;
                    rleft   <= rleft - (tall ? 8'd3 : 8'd1);
                    last_rb <= next_rb;
                    csub  <= cpix;
                    cur   <= cpix;
                    xsub  <= xpix;
                    xl    <= xpix;
                    asub  <= a_next;
                    msub  <= m_next;
                    ysub  <= ysub + (tall ? 14'd3 : dil_x);
                    ywin  <= ysub + (tall ? 14'd3 : dil_x);
                end else begin
                    sleft   <= ks;
                    last_sb <= next_sb;
                    rleft   <= kr;
                    last_rb <= next_rb;
                    if (!last_q) begin
                        cpix <= cpix + q_step;
                        csub <= cpix + q_step;
                        cur  <= cpix + q_step;
                        xpix <= xpix + stride_x;
                        xsub <= xpix + stride_x;
                        xl   <= xpix + stride_x;
                        asub <= arow;
                        msub <= mrow;
                        ysub <= yrow;
                        ywin <= yrow;
                    end else begin
                        cpix <= x_start;
                        csub <= x_start;
                        cur  <= x_start;
                        xpix <= x_row;
                        xsub <= x_row;
                        xl   <= x_row;
                        arow <= a_next;
                        asub <= a_next;
                        mrow <= m_next;
                        msub <= m_next;
                        yrow <= y_next;
                        ysub <= y_next;
                        ywin <= y_next;
                    end
                end
            end
        end
    end

    // ---- when the next pixel may end ---------------------------------------------------------------------------------
    wire       op_pause = last_q && last_p && interval < OP_GAP;
    always @(posedge clk) begin
        if (rst) begin
            gap     <= 12'd1;
            gap_one <= 1'b1;
            since   <= LONG_AGO;
        end else if (go && pixel_end && !acc_out) begin
            gap     <= op_pause ? OP_GAP : interval;
            gap_one <= !op_pause && interval == 12'd1; // OP_GAP is more
            since   <= {{(SINCE_W-1){1'b0}}, 1'b1};
        end else begin
            if (!gap_one) gap <= gap - 12'd1;
            gap_one <= gap_one || gap == 12'd2;
            if (since != LONG_AGO) since <= since + 1'b1;
        end
    end

    // ---- registered outputs --------------------------------------------------------------------------------------------
    reg [ADDR_W-1:0] a1, a1_below, cur1; // rows of the window's top triple, of the next one, column
    reg [2:0]        in_top;             // banks whose row is of the top triple
    integer i;

    always @(posedge clk) begin
        fetch_en       <= {3{go && fetch_now}} & ((msub == 2'd0) ? row_fetch :
                                                  (msub == 2'd1) ? {row_fetch[1:0], row_fetch[2]} :
                                                                   {row_fetch[0], row_fetch[2:1]});
        fetch_shift    <= go && main && !pool && pass_first;
        fetch_top      <= msub;
        in_top         <= (msub == 2'd0) ? 3'b111 : (msub == 2'd1) ? 3'b110 : 3'b100;
        fetch_slot     <= stream ? slot : {SLOT_W{1'b0}};
        step           <= go && main && sums;
        step_enc       <= SPATIAL && go && main && fires && !dense && !pool;
        step_read      <= go && main && fires && !pool && (dense ? (SPATIAL || pass_first) : pass_last);
        step_first     <= load_now ? abyte == first_byte : first && !acc_in;
        step_end       <= go && pixel_end && !acc_out;
        step_op_first  <= op_first;
        step_op_last   <= acc_out ? op_end : last_q && last_p;
        step_pool      <= pool;
        step_load      <= go && load_now;
        step_store     <= go && storing;
        step_byte      <= abyte;
        for (i = 0; i < 9; i = i + 1) step_mask[i] <= row_in[i / 3] && col_in[2 - i % 3];
        step_block     <= pi;
        step_col       <= pc;
        step_row       <= pr;
        lut_half       <= half;
        lut_row        <= lrow;
        enc_chunk      <= chunk;
        a1             <= load_now ? {{(ADDR_W-FB_ADDR_W){1'b0}}, acc_ptr} : asub;
        a1_below       <= asub + in_pitch;
        cur1           <= load_now ? {ADDR_W{1'b0}} : cur;
    end

    genvar b;
    generate
        for (b = 0; b < 3; b = b + 1) begin : g_bank
            wire [ADDR_W-1:0] sum = (in_top[b] ? a1 : a1_below) + cur1;
            assign fetch_addr[b*CODE_ADDR_W +: CODE_ADDR_W] = sum[CODE_ADDR_W-1:0];
            wire unused = &{1'b0, sum}; // wider than the code memory
        end
    endgenerate
    wire [ADDR_W-1:0] fb_sum = a1 + cur1;
    assign fb_addr = fb_sum[FB_ADDR_W-1:0];
    wire unused = &{1'b0, fb_sum, lrow_more, desc};
endmodule
`default_nettype wire
