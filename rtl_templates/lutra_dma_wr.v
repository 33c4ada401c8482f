// SPDX-License-Identifier: Apache-2.0
//
// Write engine: STORE of feature-buffer words and PROFILE records over AXI4.
//
// The engine keeps its descriptor from `cmd_set` to `done`; it waits for `cmd_go` (its tokens) while cmd_wait is high.
// Up to two bursts are outstanding. Data of a burst are sent after its address was taken, so there is never a data beat
// without an address. `done` comes when every write response is there.
//
// A profile record is 32 bytes, or one beat if that is more, from prof_data, slice prof_index of bus width (1 to 8).
//
// Latency: m_axi_awvalid two cycles after cmd_go; the first data beat four cycles after the address was taken (burst
// registers, buffer read, beat register), more for several words per beat; then one word or one beat per cycle,
// whichever is longer.
//
// `hold` stops new bursts; bursts whose address is out are completed.
//
// Parameters: BUS_BITS 32..512, MAX_BURST (see lutra_dma_addr), FB_BITS (see lutra_gearbox_out).

`default_nettype none

module lutra_dma_wr #(
    parameter BUS_BITS  = 128,
    parameter MAX_BURST = 16,
    parameter FB_BITS   = 128
) (
    input  wire                             clk,
    input  wire                             rst,
    input  wire                             hold,

    // STORE, PROFILE
    input  wire                             cmd_set,
    input  wire                             cmd_profile,
    input  wire [31-$clog2(BUS_BITS/8):0]   cmd_addr,      // beats
    input  wire [31-$clog2(BUS_BITS/8):0]   cmd_stride,    // beats
    input  wire [15:0]                      cmd_rows,      // 1 for a profile record
    input  wire [15:0]                      cmd_words_m1,  // words per row minus one
    input  wire [15:0]                      cmd_word,      // first word in the feature buffer
    input  wire [15:0]                      cmd_jump,      // from the last word of a row to the first of the next
    input  wire                             cmd_go,
    output wire                             cmd_ready,     // cmd_set is possible; the engine is idle
    output wire                             cmd_wait,      // cmd_go is possible
    output wire                             done,

    // feature buffer: data in the next cycle, held
    output wire                             fb_en,
    output wire [15:0]                      fb_addr,
    input  wire [FB_BITS-1:0]               fb_data,

    output wire [2:0]                       prof_index,
    input  wire [BUS_BITS-1:0]              prof_data,

    // status
    output wire                             bus_idle,
    output wire                             beat,
    output wire                             error,         // a write ended with an error response

    // AXI4 write
    output wire [31:0]                      m_axi_awaddr,
    output wire [7:0]                       m_axi_awlen,
    output reg                              m_axi_awvalid,
    input  wire                             m_axi_awready,
    output wire [BUS_BITS-1:0]              m_axi_wdata,
    output wire [BUS_BITS/8-1:0]            m_axi_wstrb,
    output wire                             m_axi_wlast,
    output wire                             m_axi_wvalid,
    input  wire                             m_axi_wready,
    input  wire [1:0]                       m_axi_bresp,
    input  wire                             m_axi_bvalid,
    output wire                             m_axi_bready
);

    localparam LSB        = $clog2(BUS_BITS / 8);
    localparam BEAT_ADDR  = 32 - LSB;
    localparam LB         = $clog2(MAX_BURST);
    localparam LG_RATIO   = $clog2((FB_BITS + 7) / 8) - LSB;  // log2 of beats per word; negative: of words per beat
    localparam LG_WIDE    = (LG_RATIO > 0) ? LG_RATIO : 0;
    localparam LG_NARROW  = (LG_RATIO < 0) ? -LG_RATIO : 0;
    localparam ROW_BITS   = 16 + LG_WIDE;
    localparam PROF_BEATS = (BUS_BITS < 256) ? 256 / BUS_BITS : 1;
    localparam [31:0] PROF_LAST = PROF_BEATS - 1;

    // --------------------------------------------------------------- command
    localparam [1:0] C_EMPTY = 2'd0,
                     C_WAIT  = 2'd1,
                     C_RUN   = 2'd2;

    reg [1:0]  cmd;
    reg        c_profile;
    reg [15:0] c_words_m1;
    reg [15:0] c_jump;

    // beats of a row minus one, from words minus one
    function [ROW_BITS-1:0] row_beats_m1(input [15:0] words_m1);
        reg [31:0] n;
        begin
            n = {16'd0, words_m1};
            n = (LG_RATIO > 0) ? ~(~n << LG_WIDE) : n >> LG_NARROW;  // to the left: ones come in
            row_beats_m1 = n[ROW_BITS-1:0];
        end
    endfunction

    wire [ROW_BITS-1:0]  row_m1 = c_profile ? PROF_LAST[ROW_BITS-1:0] : row_beats_m1(c_words_m1);

    wire                 gen_req, gen_ack, gen_idle, unused_last;
    wire [BEAT_ADDR-1:0] gen_addr;
    wire [LB-1:0]        gen_len;

    assign cmd_ready = (cmd == C_EMPTY);
    assign cmd_wait  = (cmd == C_WAIT);
    assign done      = (cmd == C_RUN) && gen_idle && bus_idle;

    always @(posedge clk) begin
        if (cmd_set) begin
            c_profile  <= cmd_profile;
            c_words_m1 <= cmd_words_m1;
            c_jump     <= cmd_jump;
        end
    end

    always @(posedge clk) begin
        case (cmd)
            C_EMPTY: if (cmd_set) cmd <= C_WAIT;
            C_WAIT:  if (cmd_go)  cmd <= C_RUN;
            default: if (done)    cmd <= C_EMPTY;
        endcase
        if (rst) cmd <= C_EMPTY;
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
        .row_m1     (row_m1),
        .req        (gen_req),
        .ack        (gen_ack),
        .req_addr   (gen_addr),
        .req_len    (gen_len),
        .req_last   (unused_last),
        .idle       (gen_idle)
    );

    // --------------------------------------------------------------- address
    // Filled only when empty. With two bursts at most, the one before has started to send its data when the address is
    // taken, so there is a place for the length.
    reg [BEAT_ADDR-1:0] aw_addr;
    reg [LB-1:0]        aw_len;
    reg [1:0]           bursts;   // requested, no response yet: 0..2
    reg                 next_valid;
    reg [LB-1:0]        next_len;

    wire aw_free = !m_axi_awvalid && !bursts[1] && !hold;
    wire aw_take = m_axi_awvalid && m_axi_awready;
    wire b_take  = m_axi_bvalid && m_axi_bready;
    wire burst_start;

    assign gen_ack      = gen_req && aw_free;
    assign m_axi_awaddr = {aw_addr, {LSB{1'b0}}};
    assign m_axi_awlen  = {{(8-LB){1'b0}}, aw_len};
    assign m_axi_bready = !bus_idle;
    assign bus_idle     = (bursts == 2'd0);
    assign error        = b_take && (m_axi_bresp != 2'b00);

    always @(posedge clk) begin
        if (!m_axi_awvalid) begin
            aw_addr <= gen_addr;
            aw_len  <= gen_len;
        end
        if (!next_valid) next_len <= aw_len;

        if (gen_ack)            m_axi_awvalid <= 1'b1;
        else if (m_axi_awready) m_axi_awvalid <= 1'b0;

        if (aw_take)          next_valid <= 1'b1;
        else if (burst_start) next_valid <= 1'b0;

        bursts <= bursts + {1'b0, gen_ack} - {1'b0, b_take};

        if (rst) begin
            m_axi_awvalid <= 1'b0;
            next_valid    <= 1'b0;
            bursts        <= 2'd0;
        end
    end

    // ------------------------------------------------------------------ data
    // A step is one word (several words per beat) or one beat (one or several beats per word, profile record).
    reg          run;       // a burst is being sent
    reg [LB-1:0] left;      // its beats after this one
    reg [15:0]   word;
    reg [15:0]   row_left;  // words of the row after this one

    wire step_ready, step_word_end, step_beat_end;
    wire step      = run && step_ready;
    wire row_end   = (row_left == 16'd0);
    wire burst_end = step && step_beat_end && (left == {LB{1'b0}});

    assign burst_start = next_valid && (!run || burst_end);
    assign fb_addr     = word;

    always @(posedge clk) begin
        if (burst_start)                left <= next_len;
        else if (step && step_beat_end) left <= left - 1'b1;

        if (cmd_set)                    row_left <= cmd_words_m1;
        else if (step && step_word_end) row_left <= row_end ? c_words_m1 : row_left - 16'd1;

        if (cmd_set)                    word <= cmd_word;
        else if (step && step_word_end) word <= word + (row_end ? c_jump : 16'd1);
    end

    always @(posedge clk) begin
        if (burst_start)    run <= 1'b1;
        else if (burst_end) run <= 1'b0;
        if (rst) run <= 1'b0;
    end

    lutra_gearbox_out #(
        .BUS_BITS (BUS_BITS),
        .FB_BITS  (FB_BITS)
    ) u_box (
        .clk           (clk),
        .rst           (rst),
        .step          (step),
        .step_ready    (step_ready),
        .profile       (c_profile),
        .row_end       (row_end),
        .burst_last    (left == {LB{1'b0}}),
        .step_word_end (step_word_end),
        .step_beat_end (step_beat_end),
        .fb_en         (fb_en),
        .fb_data       (fb_data),
        .prof_index    (prof_index),
        .prof_data     (prof_data),
        .beat_data     (m_axi_wdata),
        .beat_strb     (m_axi_wstrb),
        .beat_last     (m_axi_wlast),
        .beat_valid    (m_axi_wvalid),
        .beat_ready    (m_axi_wready)
    );

    assign beat = m_axi_wvalid && m_axi_wready;

endmodule

`default_nettype wire
