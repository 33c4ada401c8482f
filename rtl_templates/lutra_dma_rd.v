// SPDX-License-Identifier: Apache-2.0
//
// Read engine: AXI4 reads of descriptors (for the sequencer) and of LOAD data, which leave as words for the feature
// buffer (target 0) or the core's memories.
//
// A LOAD passes through two places. The issue side keeps it from `cmd_set` until its last burst is requested; it waits
// there for `cmd_go` (its tokens) while cmd_wait is high. The data side keeps it until its last word is delivered, so the
// bursts of the next LOAD are already on their way then. Bursts return in order; up to four are outstanding, each with
// a tag. A descriptor is one burst and goes before LOAD bursts.
//
// Latency: m_axi_arvalid two cycles after cmd_go, one after fetch_req; a word is shown in the cycle after its (last)
// beat; `done` is high in the cycle of the last word.
//
// `hold` stops new bursts; what is outstanding is still received.
//
// Parameters: BUS_BITS 32..512, MAX_BURST (see lutra_dma_addr), widths as in lutra_gearbox_in.

`default_nettype none

module lutra_dma_rd #(
    parameter BUS_BITS    = 128,
    parameter MAX_BURST   = 16,
    parameter FB_BITS     = 128,
    parameter WEIGHT_BITS = 128,
    parameter PARAM_BITS  = 128,
    parameter ENC_BITS    = 0,
    parameter CODE_BITS   = 0,
    parameter PARAM_LOW   = 32,
    parameter PARAM_HIGH  = 16,
    parameter WORD_BITS   = 128
) (
    input  wire                             clk,
    input  wire                             rst,
    input  wire                             hold,

    // LOAD
    input  wire                             cmd_set,
    input  wire [31-$clog2(BUS_BITS/8):0]   cmd_addr,      // beats
    input  wire [31-$clog2(BUS_BITS/8):0]   cmd_stride,    // beats
    input  wire [15:0]                      cmd_rows,
    input  wire [15:0]                      cmd_words_m1,  // words per row minus one
    input  wire [15:0]                      cmd_word,      // first word in the target
    input  wire [15:0]                      cmd_jump,      // from the last word of a row to the first of the next
    input  wire [2:0]                       cmd_target,
    input  wire [1:0]                       cmd_signal,    // handed back with done
    input  wire                             cmd_go,
    output wire                             cmd_ready,     // cmd_set is possible
    output wire                             cmd_wait,      // cmd_go is possible
    output wire                             done,
    output wire [1:0]                       done_signal,
    output wire                             idle,          // no LOAD inside

    // descriptor fetch: one burst of 64 bytes, data straight from m_axi_rdata
    input  wire                             fetch_req,
    input  wire [31:6]                      fetch_addr,
    output wire                             fetch_ack,
    output wire                             fetch_valid,
    output wire                             fetch_last,

    // words
    output wire                             word_valid,
    output wire [2:0]                       word_target,
    output wire [15:0]                      word_addr,
    output wire [WORD_BITS-1:0]             word_data,

    // status
    output wire                             bus_idle,
    output wire                             beat,
    output wire                             error,         // a beat came with an error response

    // AXI4 read
    output wire [31:0]                      m_axi_araddr,
    output reg  [7:0]                       m_axi_arlen,
    output reg                              m_axi_arvalid,
    input  wire                             m_axi_arready,
    input  wire [BUS_BITS-1:0]              m_axi_rdata,
    input  wire [1:0]                       m_axi_rresp,
    input  wire                             m_axi_rlast,
    input  wire                             m_axi_rvalid,
    output wire                             m_axi_rready
);

    function integer max2(input integer a, input integer b);
        max2 = (a > b) ? a : b;
    endfunction

    // log2 of beats per word, negative: of words per beat
    function integer lg_ratio(input integer bits);
        lg_ratio = (bits > 0) ? $clog2((bits + 7) / 8) - $clog2(BUS_BITS / 8) : 0;
    endfunction

    localparam LSB         = $clog2(BUS_BITS / 8);
    localparam BEAT_ADDR   = 32 - LSB;
    localparam LB          = $clog2(MAX_BURST);
    localparam FETCH_BEATS = 512 / BUS_BITS;
    localparam LG_WIDEST   = max2(0, max2(max2(lg_ratio(FB_BITS), lg_ratio(WEIGHT_BITS)),
                                          max2(lg_ratio(PARAM_BITS), max2(lg_ratio(ENC_BITS), lg_ratio(CODE_BITS)))));
    localparam ROW_BITS    = 16 + LG_WIDEST;

    // beats of a row minus one, from words minus one
    function [ROW_BITS-1:0] row_beats_m1(input integer lg, input [15:0] words_m1);
        reg [31:0] n;
        begin
            n = {16'd0, words_m1};
            n = (lg > 0) ? ~(~n << lg) : n >> -lg;  // to the left: ones come in
            row_beats_m1 = n[ROW_BITS-1:0];
        end
    endfunction

    // ------------------------------------------------------------ issue side
    localparam [1:0] C_EMPTY = 2'd0,
                     C_WAIT  = 2'd1,
                     C_RUN   = 2'd2;

    reg [1:0]  cmd;
    reg        c_pass;      // still to be taken over by the data side
    reg [15:0] c_words_m1;
    reg [15:0] c_word;
    reg [15:0] c_jump;
    reg [2:0]  c_target;
    reg [1:0]  c_signal;

    reg [ROW_BITS-1:0] c_row_m1;
    always @* begin
        case (c_target)
            3'd0:    c_row_m1 = row_beats_m1(lg_ratio(FB_BITS),     c_words_m1);
            3'd1:    c_row_m1 = row_beats_m1(lg_ratio(WEIGHT_BITS), c_words_m1);
            3'd2:    c_row_m1 = row_beats_m1(lg_ratio(PARAM_BITS),  c_words_m1);
            3'd3:    c_row_m1 = row_beats_m1(lg_ratio(ENC_BITS),    c_words_m1);
            default: c_row_m1 = row_beats_m1(lg_ratio(CODE_BITS),   c_words_m1);
        endcase
    end

    wire                 gen_req, gen_ack, gen_last, gen_idle;
    wire [BEAT_ADDR-1:0] gen_addr;
    wire [LB-1:0]        gen_len;
    wire                 pass;

    assign cmd_ready = (cmd == C_EMPTY);
    assign cmd_wait  = (cmd == C_WAIT);

    always @(posedge clk) begin
        if (cmd_set) begin
            c_words_m1 <= cmd_words_m1;
            c_word     <= cmd_word;
            c_jump     <= cmd_jump;
            c_target   <= cmd_target;
            c_signal   <= cmd_signal;
        end
    end

    always @(posedge clk) begin
        case (cmd)
            C_EMPTY: if (cmd_set) cmd <= C_WAIT;
            C_WAIT:  if (cmd_go)  cmd <= C_RUN;
            default: if (gen_idle && !c_pass) cmd <= C_EMPTY;
        endcase
        if (cmd_go)    c_pass <= 1'b1;
        else if (pass) c_pass <= 1'b0;
        if (rst) begin
            cmd    <= C_EMPTY;
            c_pass <= 1'b0;
        end
    end

    lutra_dma_addr #(
        .BEAT_ADDR (BEAT_ADDR),
        .MAX_BURST (MAX_BURST),
        .ROW_BITS  (ROW_BITS)
    ) u_addr (
        .clk        (clk),
        .rst        (rst),
        .set        (cmd_set),
        .set_addr   (cmd_addr),
        .set_stride (cmd_stride),
        .set_rows   (cmd_rows),
        .go         (cmd_go),
        .row_m1     (c_row_m1),
        .req        (gen_req),
        .ack        (gen_ack),
        .req_addr   (gen_addr),
        .req_len    (gen_len),
        .req_last   (gen_last),
        .idle       (gen_idle)
    );

    // --------------------------------------------------------------- address
    // One register; it is filled only when empty, which breaks the path from arready.
    reg [BEAT_ADDR-1:0] ar_addr;
    reg [2:0]           bursts;  // requested, not yet received: 0..4
    reg [3:0]           tag_fetch, tag_last;  // oldest at bit 0

    wire ar_free = !m_axi_arvalid && !bursts[2] && !hold;
    wire burst_end;

    assign fetch_ack = fetch_req && ar_free;
    assign gen_ack   = gen_req && ar_free && !fetch_req;
    wire   ar_fill   = fetch_ack || gen_ack;

    assign m_axi_araddr = {ar_addr, {LSB{1'b0}}};
    assign bus_idle     = (bursts == 3'd0);

    localparam [31:0] FETCH_LEN = FETCH_BEATS - 1;

    always @(posedge clk) begin
        if (!m_axi_arvalid) begin
            ar_addr     <= fetch_req ? {fetch_addr, {(6-LSB){1'b0}}} : gen_addr;
            m_axi_arlen <= fetch_req ? FETCH_LEN[7:0] : {{(8-LB){1'b0}}, gen_len};
        end

        if (ar_fill)            m_axi_arvalid <= 1'b1;
        else if (m_axi_arready) m_axi_arvalid <= 1'b0;

        bursts <= bursts + {2'b00, ar_fill} - {2'b00, burst_end};

        if (rst) begin
            m_axi_arvalid <= 1'b0;
            bursts        <= 3'd0;
        end
    end

    // place of a new tag: behind those that stay
    wire [2:0] behind = bursts - {2'b00, burst_end};
    wire [3:0] stay_fetch = burst_end ? {1'b0, tag_fetch[3:1]} : tag_fetch;
    wire [3:0] stay_last  = burst_end ? {1'b0, tag_last[3:1]}  : tag_last;
    integer t;
    always @(posedge clk) begin
        for (t = 0; t < 4; t = t + 1) begin
            tag_fetch[t] <= (ar_fill && behind == t[2:0]) ? fetch_req              : stay_fetch[t];
            tag_last[t]  <= (ar_fill && behind == t[2:0]) ? !fetch_req && gen_last : stay_last[t];
        end
    end

    // ------------------------------------------------------------- data side
    reg        d_busy;      // holds a LOAD
    reg        d_last;      // its last beat was taken
    reg [15:0] d_words_m1;
    reg [15:0] d_left;      // words of this row after the one shown
    reg [15:0] d_word;
    reg [15:0] d_jump;
    reg [2:0]  d_target;
    reg [1:0]  d_signal;

    wire box_ready, box_end;
    reg  row_end;  // d_left is 0
    wire take_load = !bus_idle && !tag_fetch[0] && d_busy && !d_last;

    wire take_fetch = !bus_idle && tag_fetch[0];

    assign m_axi_rready = take_fetch || (take_load && box_ready);
    assign beat         = m_axi_rvalid && m_axi_rready;
    assign burst_end    = beat && m_axi_rlast;
    assign error        = beat && (m_axi_rresp != 2'b00);
    assign fetch_valid  = m_axi_rvalid && take_fetch;
    assign fetch_last   = fetch_valid && m_axi_rlast;

    assign done        = word_valid && d_last && box_end;
    assign done_signal = d_signal;
    assign pass        = c_pass && !d_busy;
    assign idle        = cmd_ready && !d_busy;

    always @(posedge clk) begin
        if (pass) begin
            d_words_m1 <= c_words_m1;
            d_jump     <= c_jump;
            d_target   <= c_target;
            d_signal   <= c_signal;
        end

        if (pass)            row_end <= (c_words_m1 == 16'd0);
        else if (word_valid) row_end <= row_end ? (d_words_m1 == 16'd0) : (d_left == 16'd1);

        if (pass)            d_left <= c_words_m1;
        else if (word_valid) d_left <= row_end ? d_words_m1 : d_left - 16'd1;

        if (pass)            d_word <= c_word;
        else if (word_valid) d_word <= d_word + (row_end ? d_jump : 16'd1);
    end

    always @(posedge clk) begin
        if (pass)      d_busy <= 1'b1;
        else if (done) d_busy <= 1'b0;

        if (burst_end && tag_last[0]) d_last <= 1'b1;
        else if (done)                d_last <= 1'b0;

        if (rst) begin
            d_busy <= 1'b0;
            d_last <= 1'b0;
        end
    end

    lutra_gearbox_in #(
        .BUS_BITS    (BUS_BITS),
        .FB_BITS     (FB_BITS),
        .WEIGHT_BITS (WEIGHT_BITS),
        .PARAM_BITS  (PARAM_BITS),
        .ENC_BITS    (ENC_BITS),
        .CODE_BITS   (CODE_BITS),
        .PARAM_LOW   (PARAM_LOW),
        .PARAM_HIGH  (PARAM_HIGH),
        .WORD_BITS   (WORD_BITS)
    ) u_box (
        .clk        (clk),
        .rst        (rst),
        .target     (d_target),
        .beat_valid (m_axi_rvalid && take_load),
        .beat_ready (box_ready),
        .beat_data  (m_axi_rdata),
        .word_valid (word_valid),
        .word_data  (word_data),
        .row_end    (row_end),
        .beat_end   (box_end)
    );

    assign word_target = d_target;
    assign word_addr   = d_word;

endmodule

`default_nettype wire
