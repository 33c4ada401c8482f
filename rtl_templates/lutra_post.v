// SPDX-License-Identifier: Apache-2.0
//
// Post unit, shared by all cores: words of LANES accumulators become words of LANES bytes in the feature buffer.
//
// A word occupies the unit for N = LANES / POST_LANES cycles, POST_LANES channels per cycle; words may follow each other
// every N cycles. A word taken in cycle t (in_valid and in_ready high):
//   t .. t+N-1   in_acc must be stable; in_acc_done marks cycle t+N-1. All other in_* are used in cycle t only.
//   t            fb_res_en (residual read); fb_res_data must hold from t+1 until one cycle after the next read
//   t+LATENCY    fb_wr_en (if in_wr_en) and out_valid, with fb_wr_data and out_tag
// LATENCY = N + 6, or N + 7 where N > 1 divides 6. A word with in_res_op is only taken a multiple of N cycles after the
// word before, as long as that is in flight. Since LATENCY is no multiple of N, no residual read of an operation then
// falls into a cycle with a result write, and an operation may work in place (N >= 2).
//
// The constants of an operation (shift, lo, hi, res_mult, res_unsigned) must be stable while `busy` or a word is offered:
// the words of the next operation wait until the last one of this operation is out.
//
// The tag is carried along unchanged: use it for whatever belongs to the result word.
//
// Parameters:
//   LANES         accumulators per word
//   POST_LANES    channels per cycle; divides LANES
//   ACC_BITS      accumulator width
//   MULT_BITS     width of the multipliers, that of the residual too: the higher bits of res_mult are not used
//   PARAM_GROUPS  output groups of parameters in each of two halves
//   FB_ADDR_W     feature-buffer address width
//   TAG_W         width of the tag
//   LD_BITS       width of the PARAM load port, at least 64 * POST_LANES

`default_nettype none

module lutra_post #(
    parameter LANES        = 16,
    parameter POST_LANES   = 2,
    parameter ACC_BITS     = 24,
    parameter MULT_BITS    = 16,
    parameter PARAM_GROUPS = 4,
    parameter FB_ADDR_W    = 11,
    parameter TAG_W        = 1,
    parameter LD_BITS      = 64 * POST_LANES
) (
    input  wire                      clk,
    input  wire                      rst,
    // LOAD to PARAM
    input  wire                      ld_valid,
    input  wire [15:0]               ld_addr,
    input  wire [LD_BITS-1:0]        ld_data,
    // constants of the operation
    input  wire [5:0]                shift,
    input  wire [9:0]                lo,
    input  wire [9:0]                hi,
    input  wire [15:0]               res_mult,
    input  wire                      res_unsigned,
    // accumulator words
    input  wire                      in_valid,
    output wire                      in_ready,
    output wire                      in_acc_done,
    input  wire [LANES*ACC_BITS-1:0] in_acc,
    input  wire [$clog2(2*PARAM_GROUPS)-1:0] in_group,  // parameter group
    input  wire                      in_wr_en,
    input  wire [FB_ADDR_W-1:0]      in_wr_addr,
    input  wire                      in_res_op,         // the operation has a residual
    input  wire                      in_res_en,         // this word has one (else it counts as 0)
    input  wire [FB_ADDR_W-1:0]      in_res_addr,
    input  wire [TAG_W-1:0]          in_tag,
    // feature buffer
    output wire                      fb_res_en,
    output wire [FB_ADDR_W-1:0]      fb_res_addr,
    input  wire [8*LANES-1:0]        fb_res_data,
    output wire                      fb_wr_en,
    output wire [FB_ADDR_W-1:0]      fb_wr_addr,
    output wire [8*LANES-1:0]        fb_wr_data,
    // results
    output wire                      out_valid,
    output wire [TAG_W-1:0]          out_tag,
    output wire                      busy               // a word is in flight
);

    localparam N       = LANES / POST_LANES;
    localparam EXTRA   = (N > 1 && 6 % N == 0) ? 1 : 0;
    localparam LATENCY = N + 6 + EXTRA;
    localparam PADDR_W = (2 * PARAM_GROUPS * N > 1) ? $clog2(2 * PARAM_GROUPS * N) : 1;

    // ---- taking words ------------------------------------------------------------------------------------------------
    wire               accept = in_valid & in_ready;
    wire [N-1:0]       turn;   // lane group sampled in this cycle; bit 0 also when idle
    reg  [LATENCY-1:0] flight; // bit i: a word was taken i+1 cycles ago
    wire [LATENCY-1:0] beats;  // ... a multiple of N cycles ago

    always @(posedge clk) begin
        if (rst) flight <= {LATENCY{1'b0}};
        else     flight <= {flight[LATENCY-2:0], accept};
    end

    assign busy        = |flight;
    assign in_ready    = turn[0] & (~in_res_op | (|beats) | ~busy);
    assign in_acc_done = (N > 1) ? turn[N-1] : accept;

    genvar b;
    generate
        for (b = 0; b < LATENCY; b = b + 1) begin : g_beat
            assign beats[b] = flight[b] & ((b + 1) % N == 0);
        end
        if (N > 1) begin : g_turn
            reg [N-1:0] ring;
            always @(posedge clk) begin
                if (rst)                    ring <= {{(N-1){1'b0}}, 1'b1};
                else if (accept | ~ring[0]) ring <= {ring[N-2:0], ring[N-1]};
            end
            assign turn = ring;
        end else begin : g_always
            assign turn = 1'b1;
        end
    endgenerate

    // ---- parameters: one word per lane group -------------------------------------------------------------------------
    wire [PADDR_W-1:0]              param_addr;
    wire [POST_LANES*ACC_BITS-1:0]  bias;
    wire [POST_LANES*MULT_BITS-1:0] mult;
    wire                            param_en;

    generate
        if (N > 1) begin : g_param_walk
            localparam [31:0] GROUP_WORDS = N;
            reg [PADDR_W-1:0] next;
            // N is a constant: wiring where it is a power of two
            wire [PADDR_W-1:0] first = {{(PADDR_W-$clog2(2*PARAM_GROUPS)){1'b0}}, in_group} * GROUP_WORDS[PADDR_W-1:0];

            always @(posedge clk) if (param_en) next <= param_addr + 1'b1;
            assign param_addr = turn[0] ? first : next;
            assign param_en   = accept | ~turn[0];
        end else begin : g_param_word
            assign param_addr = in_group;
            assign param_en   = accept;
        end
    endgenerate

    lutra_param #(
        .POST_LANES   (POST_LANES),
        .ACC_BITS     (ACC_BITS),
        .MULT_BITS    (MULT_BITS),
        .PARAM_GROUPS (PARAM_GROUPS),
        .GROUP_WORDS  (N),
        .LD_BITS      (LD_BITS)
    ) u_param (
        .clk      (clk),
        .ld_valid (ld_valid),
        .ld_addr  (ld_addr),
        .ld_data  (ld_data),
        .rd_en    (param_en),
        .rd_addr  (param_addr),
        .bias     (bias),
        .mult     (mult)
    );

    // ---- residual ----------------------------------------------------------------------------------------------------
    reg          res_on;
    wire         res_now = turn[0] ? in_res_en : res_on; // the word whose lane group is sampled has one
    reg  [N-1:0] res_turn;

    always @(posedge clk) begin
        res_on   <= res_now;
        res_turn <= turn & {N{res_now}};
    end
    assign fb_res_en   = accept & in_res_en;
    assign fb_res_addr = in_res_addr;

    // ---- multiplier of the residual: its digits serve all lanes, one cycle after the constants are stable ----------------
    localparam CODE_W = 3 * (MULT_BITS / 2 + 1);
    wire [CODE_W-1:0] res_code;

    lutra_radix4 #(
        .BITS (MULT_BITS)
    ) u_res_mult (
        .clk   (clk),
        .value (res_mult[MULT_BITS-1:0]),
        .code  (res_code)
    );
    wire unused = &{1'b0, res_mult}; // no more than MULT_BITS

    // ---- lanes -------------------------------------------------------------------------------------------------------
    wire [8*POST_LANES-1:0] y;
    genvar i;
    generate
        for (i = 0; i < POST_LANES; i = i + 1) begin : g_lane
            // lane group j holds channels j*POST_LANES ..
            reg [ACC_BITS-1:0] acc;
            reg [7:0]          res;
            integer j;
            always @* begin
                acc = {ACC_BITS{1'b0}};
                res = 8'd0;
                for (j = 0; j < N; j = j + 1) begin
                    acc = acc | (in_acc[(j*POST_LANES+i)*ACC_BITS +: ACC_BITS] & {ACC_BITS{turn[j]}});
                    res = res | (fb_res_data[(j*POST_LANES+i)*8 +: 8] & {8{res_turn[j]}});
                end
            end

            lutra_requant #(
                .ACC_BITS  (ACC_BITS),
                .MULT_BITS (MULT_BITS)
            ) u_requant (
                .clk      (clk),
                .acc      (acc),
                .bias     (bias[i*ACC_BITS +: ACC_BITS]),
                .mult     (mult[i*MULT_BITS +: MULT_BITS]),
                .res      ({res[7] & ~res_unsigned, res}),
                .res_code (res_code),
                .shift    (shift),
                .lo       (lo),
                .hi       (hi),
                .y        (y[8*i +: 8])
            );
        end
    endgenerate

    // ---- result word: the lane groups shift in from the top ------------------------------------------------------------
    wire [8*POST_LANES-1:0] y_late;
    reg  [8*LANES-1:0]      word;

    generate
        if (EXTRA) begin : g_extra
            reg [8*POST_LANES-1:0] y_q;
            always @(posedge clk) y_q <= y;
            assign y_late = y_q;
        end else begin : g_no_extra
            assign y_late = y;
        end
        if (N > 1) begin : g_shift_word
            always @(posedge clk) word <= {y_late, word[8*LANES-1:8*POST_LANES]};
        end else begin : g_whole_word
            always @(posedge clk) word <= y_late;
        end
    endgenerate

    // ---- what belongs to a result: one register per N cycles of latency ------------------------------------------------
    localparam INFO_W = 1 + FB_ADDR_W + TAG_W;
    localparam SLOTS  = (LATENCY + N - 1) / N;
    wire [SLOTS*INFO_W-1:0] info;
    genvar k;
    generate
        for (k = 0; k < SLOTS; k = k + 1) begin : g_info
            reg [INFO_W-1:0] slot;
            if (k == 0) begin : g_first
                always @(posedge clk) if (accept) slot <= {in_tag, in_wr_addr, in_wr_en};
            end else begin : g_next
                always @(posedge clk) if (flight[k*N-1]) slot <= info[(k-1)*INFO_W +: INFO_W];
            end
            assign info[k*INFO_W +: INFO_W] = slot;
        end
    endgenerate

    assign out_valid  = flight[LATENCY-1];
    assign {out_tag, fb_wr_addr} = info[(SLOTS-1)*INFO_W+1 +: INFO_W-1];
    assign fb_wr_en   = out_valid & info[(SLOTS-1)*INFO_W];
    assign fb_wr_data = word;

endmodule

`default_nettype wire
