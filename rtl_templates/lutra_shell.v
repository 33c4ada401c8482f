// SPDX-License-Identifier: Apache-2.0
//
// The shell: everything of an accelerator but its core. Registers, sequencer, both DMA engines, feature buffer and
// counters; the core hangs on the exec_* ports (docs/architecture.md, section 8).
//
// Latency: see the modules.
//
// Parameters:
//   LANES                     channels per feature-buffer word
//   BUS_BITS                  AXI4 data width: 32, 64, 128, 256, 512
//   FB_BANKS, _WORDS, _PAIRS  feature buffer
//   WEIGHT_BITS .. CODE_BITS  word widths of LOAD targets 1..4 without padding; 0: this target does not exist
//   PARAM_LOW, PARAM_HIGH     bits in use of the two 32-bit halves of a parameter (bias, multiplier)
//   LD_BITS                   width of exec_ld_data: at least the widest of them
//   FINGERPRINT               configuration fingerprint
//   RD_BURST, WR_BURST        longest bursts in beats, powers of two of 2..64. Up to four read bursts are outstanding, and
//                             a descriptor waits for those before it: short ones keep the sequencer quick.

`default_nettype none

module lutra_shell #(
    parameter        LANES       = 16,
    parameter        BUS_BITS    = 128,
    parameter        FB_BANKS    = 4,
    parameter        FB_WORDS    = 512,
    parameter        FB_PAIRS    = 0,
    parameter        WEIGHT_BITS = 128,
    parameter        PARAM_BITS  = 128,
    parameter        ENC_BITS    = 0,
    parameter        CODE_BITS   = 0,
    parameter        PARAM_LOW   = 32,
    parameter        PARAM_HIGH  = 16,
    parameter        LD_BITS     = 128,
    parameter [31:0] FINGERPRINT = 32'd0,
    parameter        RD_BURST    = 16,
    parameter        WR_BURST    = 64
) (
    input  wire                   clk,
    input  wire                   rst,
    output wire                   irq,

    // control
    input  wire [11:0]            s_axil_awaddr,
    input  wire [2:0]             s_axil_awprot,
    input  wire                   s_axil_awvalid,
    output wire                   s_axil_awready,
    input  wire [31:0]            s_axil_wdata,
    input  wire [3:0]             s_axil_wstrb,
    input  wire                   s_axil_wvalid,
    output wire                   s_axil_wready,
    output wire [1:0]             s_axil_bresp,
    output wire                   s_axil_bvalid,
    input  wire                   s_axil_bready,
    input  wire [11:0]            s_axil_araddr,
    input  wire [2:0]             s_axil_arprot,
    input  wire                   s_axil_arvalid,
    output wire                   s_axil_arready,
    output wire [31:0]            s_axil_rdata,
    output wire [1:0]             s_axil_rresp,
    output wire                   s_axil_rvalid,
    input  wire                   s_axil_rready,

    // data: ID 0, INCR bursts
    output wire                   m_axi_awid,
    output wire [31:0]            m_axi_awaddr,
    output wire [7:0]             m_axi_awlen,
    output wire [2:0]             m_axi_awsize,
    output wire [1:0]             m_axi_awburst,
    output wire [3:0]             m_axi_awcache,
    output wire [2:0]             m_axi_awprot,
    output wire                   m_axi_awvalid,
    input  wire                   m_axi_awready,
    output wire [BUS_BITS-1:0]    m_axi_wdata,
    output wire [BUS_BITS/8-1:0]  m_axi_wstrb,
    output wire                   m_axi_wlast,
    output wire                   m_axi_wvalid,
    input  wire                   m_axi_wready,
    input  wire                   m_axi_bid,
    input  wire [1:0]             m_axi_bresp,
    input  wire                   m_axi_bvalid,
    output wire                   m_axi_bready,
    output wire                   m_axi_arid,
    output wire [31:0]            m_axi_araddr,
    output wire [7:0]             m_axi_arlen,
    output wire [2:0]             m_axi_arsize,
    output wire [1:0]             m_axi_arburst,
    output wire [3:0]             m_axi_arcache,
    output wire [2:0]             m_axi_arprot,
    output wire                   m_axi_arvalid,
    input  wire                   m_axi_arready,
    input  wire                   m_axi_rid,
    input  wire [BUS_BITS-1:0]    m_axi_rdata,
    input  wire [1:0]             m_axi_rresp,
    input  wire                   m_axi_rlast,
    input  wire                   m_axi_rvalid,
    output wire                   m_axi_rready,

    // core
    output wire                   exec_rst,
    output wire                   exec_op_valid,
    input  wire                   exec_op_ready,
    output wire [511:0]           exec_op_desc,
    input  wire                   exec_op_done,
    input  wire                   exec_fb_rd_en,
    input  wire [15:0]            exec_fb_rd_addr,
    output wire [8*LANES-1:0]     exec_fb_rd_data,
    input  wire                   exec_fb_res_en,
    input  wire [15:0]            exec_fb_res_addr,
    output wire [8*LANES-1:0]     exec_fb_res_data,
    input  wire                   exec_fb_wr_en,
    input  wire [15:0]            exec_fb_wr_addr,
    input  wire [8*LANES-1:0]     exec_fb_wr_data,
    output wire                   exec_ld_valid,
    output wire [2:0]             exec_ld_target,
    output wire [15:0]            exec_ld_addr,
    output wire [LD_BITS-1:0]     exec_ld_data,
    input  wire                   exec_issue,
    input  wire                   exec_conflict
);

    localparam       LSB       = $clog2(BUS_BITS / 8);
    localparam       FB_BITS   = 8 * LANES;
    localparam       WORD_BITS = (LD_BITS > FB_BITS) ? LD_BITS : FB_BITS;
    localparam [4:0] TARGETS   = {CODE_BITS > 0, ENC_BITS > 0, PARAM_BITS > 0, WEIGHT_BITS > 0, 1'b1};

    localparam [31:0] SIZE = LSB;
    assign m_axi_awid    = 1'b0;
    assign m_axi_arid    = 1'b0;
    assign m_axi_awsize  = SIZE[2:0];
    assign m_axi_awburst = 2'b01;    // INCR
    assign m_axi_awcache = 4'b0011;  // normal, not cacheable
    assign m_axi_awprot  = 3'b000;
    assign m_axi_arsize  = SIZE[2:0];
    assign m_axi_arburst = 2'b01;
    assign m_axi_arcache = 4'b0011;
    assign m_axi_arprot  = 3'b000;

    // there is only one ID
    wire unused = &{1'b0, m_axi_bid, m_axi_rid};

    // ------------------------------------------------------------- registers
    wire        start, abort, busy, done, error, set_done, set_error;
    wire [2:0]  error_code;
    wire        rd_bus_idle, wr_bus_idle;
    wire [31:0] base0, base1, base2, base3, prog_offset, watchdog;
    wire [31:0] n_cycles, n_exec_busy, n_stall_read, n_stall_write, n_stall_core;
    wire [31:0] n_read_beats, n_write_beats, n_descriptors;
    wire        bus_idle = rd_bus_idle && wr_bus_idle;

    lutra_csr #(
        .FINGERPRINT (FINGERPRINT)
    ) u_csr (
        .clk                   (clk),
        .rst                   (rst),
        .s_axil_awaddr         (s_axil_awaddr),
        .s_axil_awprot         (s_axil_awprot),
        .s_axil_awvalid        (s_axil_awvalid),
        .s_axil_awready        (s_axil_awready),
        .s_axil_wdata          (s_axil_wdata),
        .s_axil_wstrb          (s_axil_wstrb),
        .s_axil_wvalid         (s_axil_wvalid),
        .s_axil_wready         (s_axil_wready),
        .s_axil_bresp          (s_axil_bresp),
        .s_axil_bvalid         (s_axil_bvalid),
        .s_axil_bready         (s_axil_bready),
        .s_axil_araddr         (s_axil_araddr),
        .s_axil_arprot         (s_axil_arprot),
        .s_axil_arvalid        (s_axil_arvalid),
        .s_axil_arready        (s_axil_arready),
        .s_axil_rdata          (s_axil_rdata),
        .s_axil_rresp          (s_axil_rresp),
        .s_axil_rvalid         (s_axil_rvalid),
        .s_axil_rready         (s_axil_rready),
        .irq                   (irq),
        .csr_control_start     (start),
        .csr_control_abort     (abort),
        .csr_status_busy       (busy),
        .csr_status_done       (done),
        .csr_status_error      (error),
        .csr_status_bus_idle   (bus_idle),
        .csr_status_error_code ({5'd0, error_code}),
        .csr_irq_status_set    ({set_error, set_done}),
        .csr_base0             (base0),
        .csr_base1             (base1),
        .csr_base2             (base2),
        .csr_base3             (base3),
        .csr_program           (prog_offset),
        .csr_watchdog          (watchdog),
        .csr_cycles            (n_cycles),
        .csr_exec_busy         (n_exec_busy),
        .csr_stall_read        (n_stall_read),
        .csr_stall_write       (n_stall_write),
        .csr_stall_core        (n_stall_core),
        .csr_read_beats        (n_read_beats),
        .csr_write_beats       (n_write_beats),
        .csr_descriptors       (n_descriptors)
    );

    // ------------------------------------------------------------- sequencer
    wire          engine_rst, hold, read_beat, write_beat, read_error, write_error, fb_conflict;
    wire          fetch_req, fetch_ack, fetch_valid, fetch_last;
    wire [31:6]   fetch_addr;
    wire [31-LSB:0] dma_addr, dma_stride;
    wire [15:0]   dma_rows, dma_words_m1, dma_word, dma_jump;
    wire          ld_set, ld_go, ld_ready, ld_wait, ld_done, ld_idle;
    wire [2:0]    ld_target;
    wire [1:0]    ld_signal, ld_done_signal;
    wire          st_set, st_profile, st_go, st_ready, st_wait, st_done;
    wire          clear, run, exec_busy, stall_read, stall_write, mark;
    wire [1:0]    retired;
    wire [7:0]    mark_layer;

    assign exec_rst = engine_rst;

    lutra_seq #(
        .BUS_BITS (BUS_BITS),
        .TARGETS  (TARGETS)
    ) u_seq (
        .clk            (clk),
        .rst            (rst),
        .start          (start),
        .abort          (abort),
        .base0          (base0),
        .base1          (base1),
        .base2          (base2),
        .base3          (base3),
        .prog_offset    (prog_offset),
        .watchdog       (watchdog),
        .busy           (busy),
        .done           (done),
        .error          (error),
        .error_code     (error_code),
        .set_done       (set_done),
        .set_error      (set_error),
        .engine_rst     (engine_rst),
        .hold           (hold),
        .bus_idle       (bus_idle),
        .read_beat      (read_beat),
        .write_beat     (write_beat),
        .read_error     (read_error),
        .write_error    (write_error),
        .conflict       (fb_conflict || exec_conflict),
        .fetch_req      (fetch_req),
        .fetch_addr     (fetch_addr),
        .fetch_ack      (fetch_ack),
        .fetch_valid    (fetch_valid),
        .fetch_last     (fetch_last),
        .fetch_data     (m_axi_rdata),
        .dma_addr       (dma_addr),
        .dma_stride     (dma_stride),
        .dma_rows       (dma_rows),
        .dma_words_m1   (dma_words_m1),
        .dma_word       (dma_word),
        .dma_jump       (dma_jump),
        .ld_set         (ld_set),
        .ld_target      (ld_target),
        .ld_signal      (ld_signal),
        .ld_go          (ld_go),
        .ld_ready       (ld_ready),
        .ld_wait        (ld_wait),
        .ld_done        (ld_done),
        .ld_done_signal (ld_done_signal),
        .ld_idle        (ld_idle),
        .st_set         (st_set),
        .st_profile     (st_profile),
        .st_go          (st_go),
        .st_ready       (st_ready),
        .st_wait        (st_wait),
        .st_done        (st_done),
        .op_valid       (exec_op_valid),
        .op_ready       (exec_op_ready),
        .op_desc        (exec_op_desc),
        .op_done        (exec_op_done),
        .op_issue       (exec_issue),
        .clear          (clear),
        .run            (run),
        .exec_busy      (exec_busy),
        .stall_read     (stall_read),
        .stall_write    (stall_write),
        .retired        (retired),
        .mark           (mark),
        .mark_layer     (mark_layer)
    );

    wire [2:0]          prof_index;
    wire [BUS_BITS-1:0] prof_data;

    lutra_counters #(
        .BUS_BITS (BUS_BITS)
    ) u_counters (
        .clk           (clk),
        .rst           (rst || clear),
        .run           (run),
        .exec_busy     (exec_busy),
        .issue         (exec_issue),
        .stall_read    (stall_read),
        .stall_write   (stall_write),
        .read_beat     (read_beat),
        .write_beat    (write_beat),
        .retired       (retired),
        .n_cycles      (n_cycles),
        .n_exec_busy   (n_exec_busy),
        .n_stall_read  (n_stall_read),
        .n_stall_write (n_stall_write),
        .n_stall_core  (n_stall_core),
        .n_read_beats  (n_read_beats),
        .n_write_beats (n_write_beats),
        .n_descriptors (n_descriptors),
        .mark          (mark),
        .mark_layer    (mark_layer),
        .prof_index    (prof_index),
        .prof_data     (prof_data)
    );

    // ------------------------------------------------------------------ LOAD
    wire                 word_valid;
    wire [2:0]           word_target;
    wire [15:0]          word_addr;
    wire [WORD_BITS-1:0] word_data;

    lutra_dma_rd #(
        .BUS_BITS    (BUS_BITS),
        .MAX_BURST   (RD_BURST),
        .FB_BITS     (FB_BITS),
        .WEIGHT_BITS (WEIGHT_BITS),
        .PARAM_BITS  (PARAM_BITS),
        .ENC_BITS    (ENC_BITS),
        .CODE_BITS   (CODE_BITS),
        .PARAM_LOW   (PARAM_LOW),
        .PARAM_HIGH  (PARAM_HIGH),
        .WORD_BITS   (WORD_BITS)
    ) u_dmard (
        .clk           (clk),
        .rst           (engine_rst),
        .hold          (hold),
        .cmd_set       (ld_set),
        .cmd_addr      (dma_addr),
        .cmd_stride    (dma_stride),
        .cmd_rows      (dma_rows),
        .cmd_words_m1  (dma_words_m1),
        .cmd_word      (dma_word),
        .cmd_jump      (dma_jump),
        .cmd_target    (ld_target),
        .cmd_signal    (ld_signal),
        .cmd_go        (ld_go),
        .cmd_ready     (ld_ready),
        .cmd_wait      (ld_wait),
        .done          (ld_done),
        .done_signal   (ld_done_signal),
        .idle          (ld_idle),
        .fetch_req     (fetch_req),
        .fetch_addr    (fetch_addr),
        .fetch_ack     (fetch_ack),
        .fetch_valid   (fetch_valid),
        .fetch_last    (fetch_last),
        .word_valid    (word_valid),
        .word_target   (word_target),
        .word_addr     (word_addr),
        .word_data     (word_data),
        .bus_idle      (rd_bus_idle),
        .beat          (read_beat),
        .error         (read_error),
        .m_axi_araddr  (m_axi_araddr),
        .m_axi_arlen   (m_axi_arlen),
        .m_axi_arvalid (m_axi_arvalid),
        .m_axi_arready (m_axi_arready),
        .m_axi_rdata   (m_axi_rdata),
        .m_axi_rresp   (m_axi_rresp),
        .m_axi_rlast   (m_axi_rlast),
        .m_axi_rvalid  (m_axi_rvalid),
        .m_axi_rready  (m_axi_rready)
    );

    assign exec_ld_valid  = word_valid && (word_target != 3'd0);
    assign exec_ld_target = word_target;
    assign exec_ld_addr   = word_addr;
    assign exec_ld_data   = word_data[LD_BITS-1:0];

    // ----------------------------------------------------------------- STORE
    wire               st_fb_en;
    wire [15:0]        st_fb_addr;
    wire [FB_BITS-1:0] st_fb_data;

    lutra_dma_wr #(
        .BUS_BITS  (BUS_BITS),
        .MAX_BURST (WR_BURST),
        .FB_BITS   (FB_BITS)
    ) u_dmawr (
        .clk           (clk),
        .rst           (engine_rst),
        .hold          (hold),
        .cmd_set       (st_set),
        .cmd_profile   (st_profile),
        .cmd_addr      (dma_addr),
        .cmd_stride    (dma_stride),
        .cmd_rows      (dma_rows),
        .cmd_words_m1  (dma_words_m1),
        .cmd_word      (dma_word),
        .cmd_jump      (dma_jump),
        .cmd_go        (st_go),
        .cmd_ready     (st_ready),
        .cmd_wait      (st_wait),
        .done          (st_done),
        .fb_en         (st_fb_en),
        .fb_addr       (st_fb_addr),
        .fb_data       (st_fb_data),
        .prof_index    (prof_index),
        .prof_data     (prof_data),
        .bus_idle      (wr_bus_idle),
        .beat          (write_beat),
        .error         (write_error),
        .m_axi_awaddr  (m_axi_awaddr),
        .m_axi_awlen   (m_axi_awlen),
        .m_axi_awvalid (m_axi_awvalid),
        .m_axi_awready (m_axi_awready),
        .m_axi_wdata   (m_axi_wdata),
        .m_axi_wstrb   (m_axi_wstrb),
        .m_axi_wlast   (m_axi_wlast),
        .m_axi_wvalid  (m_axi_wvalid),
        .m_axi_wready  (m_axi_wready),
        .m_axi_bresp   (m_axi_bresp),
        .m_axi_bvalid  (m_axi_bvalid),
        .m_axi_bready  (m_axi_bready)
    );

    // -------------------------------------------------------- feature buffer
    lutra_fb #(
        .WIDTH (FB_BITS),
        .BANKS (FB_BANKS),
        .WORDS (FB_WORDS),
        .PAIRS (FB_PAIRS)
    ) u_fb (
        .clk      (clk),
        .rst      (engine_rst),
        .rd_en    (exec_fb_rd_en),
        .rd_addr  (exec_fb_rd_addr),
        .rd_data  (exec_fb_rd_data),
        .res_en   (exec_fb_res_en),
        .res_addr (exec_fb_res_addr),
        .res_data (exec_fb_res_data),
        .wr_en    (exec_fb_wr_en),
        .wr_addr  (exec_fb_wr_addr),
        .wr_data  (exec_fb_wr_data),
        .ld_en    (word_valid && (word_target == 3'd0)),
        .ld_addr  (word_addr),
        .ld_data  (word_data[FB_BITS-1:0]),
        .st_en    (st_fb_en),
        .st_addr  (st_fb_addr),
        .st_data  (st_fb_data),
        .conflict (fb_conflict)
    );

endmodule

`default_nettype wire
