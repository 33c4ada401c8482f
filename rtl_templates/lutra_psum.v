// SPDX-License-Identifier: Apache-2.0
//
// Partial sums of the ws and ews cores: accumulates what the array delivers over the chunks of a tile, and hands finished
// words to the post unit. Also the accumulators of pooling.
//
// Two memories of PSUM_WORDS words. The accumulator memory holds the tile between chunks: every chunk but the first reads
// it, every chunk but the last writes it. The last chunk writes the output memory instead, a FIFO in front of the post
// unit; the issue logic reserves a place there (`reserve`) before it issues a word's last term (`space`: there is one).
// A tile may go on over several operations: the last chunk of all but the last one is like any other then, and so is the first
// chunk of all but the first one.
//
// What is issued in cycle t is described by the t_* ports in cycle t; its array sum comes in t + ARRAY_DELAY. Terms of one
// word must be at least three cycles apart in successive chunks.
//
// Latency: last term issued in t; word written in t + D and offered from t + D + 2 on, with D = ARRAY_DELAY + 1.
//
// t_level says how a word ends its loops (lutra_out_addr); 7 marks the terms of all but the last chunk.
//
// Parameters:
//   LANES        words have LANES accumulators
//   ACC_BITS     accumulator width
//   SUM_W        width of array sums
//   PSUM_WORDS   words in each memory; 1: flip-flops
//   PRF_DEPTH    partial-sum registers per lane, 0: none (ws)
//   ARRAY_DELAY  from issue to array sum, 5 or more

`default_nettype none

module lutra_psum #(
    parameter LANES       = 16,
    parameter ACC_BITS    = 24,
    parameter SUM_W       = 20,
    parameter PSUM_WORDS  = 16,
    parameter PRF_DEPTH   = 0,
    parameter ARRAY_DELAY = 6
) (
    input  wire                      clk,
    input  wire                      rst,
    // issued terms
    input  wire                      t_valid,
    input  wire                      t_first,       // first term of a word's sum over taps and input groups of this chunk
    input  wire                      t_last,        // last one
    input  wire                      t_group_end,   // the next term goes to the first partial-sum register
    input  wire                      t_chunk_first, // the tile's first chunk: starts from 0
    input  wire                      t_chunk_end,   // last term of the chunk
    input  wire [2:0]                t_level,
    output wire                      idle,          // no term is on its way
    output wire                      space,
    input  wire                      reserve,
    // array
    input  wire [LANES*SUM_W-1:0]    sum,
    input  wire                      pool,          // constant while terms are on their way
    input  wire                      pool_max,
    input  wire                      is_unsigned,
    // finished words
    output wire                      out_valid,
    input  wire                      out_accept,    // taken in this cycle (only while out_valid)
    input  wire                      out_done,      // last cycle in which the word must stay
    output wire [LANES*ACC_BITS-1:0] out_acc,
    output wire [2:0]                out_level
);

    localparam        WORD_W = LANES * ACC_BITS;
    localparam        AW     = (PSUM_WORDS > 1) ? $clog2(PSUM_WORDS) : 1;
    localparam        CW     = $clog2(PSUM_WORDS + 1);
    localparam [31:0] TOP    = PSUM_WORDS - 1;
    localparam [31:0] WORDS  = PSUM_WORDS;
    localparam        REGS   = (PRF_DEPTH > 0) ? PRF_DEPTH : 1;
    localparam        TAG_W  = 8;

    // ---- descriptions on their way -----------------------------------------------------------------------------------
    // stage k, which is k+1 cycles after issue, is flying[k] and tags[k*TAG_W +: TAG_W]
    localparam                   LAST = ARRAY_DELAY - 1;
    reg  [ARRAY_DELAY-1:0]       flying;
    reg  [ARRAY_DELAY*TAG_W-1:0] tags;
    wire [TAG_W-1:0] tag_in = {t_first, t_last, (PRF_DEPTH < 2) | t_group_end, t_chunk_first, t_chunk_end, t_level};

    always @(posedge clk) begin
        flying <= rst ? {ARRAY_DELAY{1'b0}} : {flying[ARRAY_DELAY-2:0], t_valid};
        tags   <= {tags[(ARRAY_DELAY-1)*TAG_W-1:0], tag_in};
    end

    assign idle = flying == {ARRAY_DELAY{1'b0}};

    // the term at the accumulators, and the one behind it
    wire       s_valid = flying[LAST];
    wire       n_valid = flying[LAST-1];
    wire       s_first, s_last, s_group_end, s_chunk_first, s_chunk_end;
    wire       n_first, n_last, n_group_end, n_chunk_first, n_chunk_end;
    wire [2:0] s_level, n_level;
    assign {s_first, s_last, s_group_end, s_chunk_first, s_chunk_end, s_level} = tags[LAST*TAG_W +: TAG_W];
    assign {n_first, n_last, n_group_end, n_chunk_first, n_chunk_end, n_level} = tags[(LAST-1)*TAG_W +: TAG_W];

    // what the lanes do with it
    reg take, keep, best;

    generate
        if (PRF_DEPTH == 0) begin : g_direct_control
            always @(posedge clk) begin
                take <= ~pool | (n_valid & (~pool_max | n_first));
                keep <= pool & ~(n_valid & (pool_max | n_first));
                best <= pool & n_valid & pool_max & ~n_first;
            end
        end else begin : g_collect_control
            always @(posedge clk) begin
                take <= ~(pool & pool_max) | n_first;
                keep <= ~(pool & pool_max) & ~n_first;
                best <= pool & pool_max & ~n_first;
            end
        end
    endgenerate

    // ---- accumulator memory: read ----------------------------------------------------------------------------------------
    wire              read, read_step, read_end;
    reg  [AW-1:0]     read_at;
    wire [WORD_W-1:0] old;
    reg               add_old;
    reg               done;       // a word is complete
    reg               done_end;   // ... the chunk's last
    reg  [2:0]        done_level;
    wire [REGS-1:0]   reg_in; // one-hot

    always @(posedge clk) begin
        if (rst) read_at <= {AW{1'b0}};
        else if (read_step)
            read_at <= (read_end || read_at == TOP[AW-1:0]) ? {AW{1'b0}} : read_at + 1'b1;
        add_old    <= read;
        done       <= s_valid & s_last & ~rst;
        done_end   <= s_chunk_end;
        done_level <= s_level;
    end

    generate
        if (PRF_DEPTH == 0) begin : g_direct
            // every array sum is a word's only one in its chunk: the memory is read one cycle ahead of it
            assign read_step = n_valid;
            assign read      = n_valid & ~n_chunk_first;
            assign read_end  = n_chunk_end;
            assign reg_in    = 1'b0;

            wire unused = &{1'b0, s_group_end, s_chunk_first};
        end else begin : g_collect
            assign read_step = s_valid & s_last;
            assign read      = read_step & ~s_chunk_first;
            assign read_end  = s_chunk_end;
            if (PRF_DEPTH > 1) begin : g_index
                reg [REGS-1:0] turn;
                always @(posedge clk) begin
                    if (rst)          turn <= {{(REGS-1){1'b0}}, 1'b1};
                    else if (s_valid) turn <= s_group_end ? {{(REGS-1){1'b0}}, 1'b1} : {turn[REGS-2:0], turn[REGS-1]};
                end
                assign reg_in = turn;
            end else begin : g_single
                assign reg_in = 1'b1;
                wire unused = &{1'b0, s_group_end};
            end
        end
    endgenerate

    // ---- lanes -------------------------------------------------------------------------------------------------------
    wire [WORD_W-1:0] w;
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : g_lane
            lutra_psum_lane #(
                .ACC_BITS  (ACC_BITS),
                .SUM_W     (SUM_W),
                .PRF_DEPTH (PRF_DEPTH)
            ) u_lane (
                .clk           (clk),
                .sum           (sum[i*SUM_W +: SUM_W]),
                .take          (take),
                .keep          (keep),
                .best          (best),
                .pool_unsigned (pool & is_unsigned),
                .is_unsigned   (is_unsigned),
                .reg_in        (reg_in),
                .store         (reg_in & {REGS{s_valid}}),
                .add_old       (add_old),
                .old           (old[i*ACC_BITS +: ACC_BITS]),
                .result        (w[i*ACC_BITS +: ACC_BITS])
            );
        end
    endgenerate

    // ---- accumulator memory: write; output FIFO -----------------------------------------------------------------------------
    wire          hold = done & (done_level == 3'd7);
    wire          push = done & (done_level != 3'd7);
    wire          pop;
    reg  [AW-1:0] keep_at, push_at, pop_at;
    reg  [CW-1:0] stored; // words in the FIFO
    reg  [CW-1:0] room;   // places not reserved

    always @(posedge clk) begin
        if (rst) begin
            keep_at <= {AW{1'b0}};
            push_at <= {AW{1'b0}};
            pop_at  <= {AW{1'b0}};
            stored  <= {CW{1'b0}};
            room    <= WORDS[CW-1:0];
        end else begin
            if (hold) keep_at <= done_end ? {AW{1'b0}} : keep_at + 1'b1;
            if (push) push_at <= (push_at == TOP[AW-1:0]) ? {AW{1'b0}} : push_at + 1'b1;
            if (pop)  pop_at  <= (pop_at == TOP[AW-1:0]) ? {AW{1'b0}} : pop_at + 1'b1;
            if (push != pop)    stored <= push ? stored + 1'b1 : stored - 1'b1;
            if (reserve != pop) room   <= pop ? room + 1'b1 : room - 1'b1;
        end
    end
    assign space = room != {CW{1'b0}};

    // the memory's output register holds a word until the post unit is through with it
    reg full, offered;
    assign pop       = (stored != {CW{1'b0}}) & (~full | out_done);
    assign out_valid = offered;

    always @(posedge clk) begin
        if (rst) begin
            full    <= 1'b0;
            offered <= 1'b0;
        end else begin
            full    <= pop | (full & ~out_done);
            offered <= pop | (offered & ~out_accept);
        end
    end

    wire unused = &{1'b0, n_valid, s_first, s_last, n_last, n_group_end, n_chunk_first, n_chunk_end, n_level};

    generate
        if (PSUM_WORDS > 1) begin : g_memory
            lutra_ram_1r1w #(
                .WIDTH (WORD_W),
                .DEPTH (PSUM_WORDS)
            ) u_sums (
                .clk   (clk),
                .we    (hold),
                .waddr (keep_at),
                .wdata (w),
                .re    (read),
                .raddr (read_at),
                .rdata (old)
            );
            lutra_ram_1r1w #(
                .WIDTH (WORD_W + 3),
                .DEPTH (PSUM_WORDS)
            ) u_fifo (
                .clk   (clk),
                .we    (push),
                .waddr (push_at),
                .wdata ({done_level, w}),
                .re    (pop),
                .raddr (pop_at),
                .rdata ({out_level, out_acc})
            );
        end else begin : g_registers
            reg [WORD_W-1:0] sums;
            reg [WORD_W+2:0] word, shown;
            always @(posedge clk) begin
                if (hold) sums  <= w;
                if (push) word  <= {done_level, w};
                if (pop)  shown <= word;
            end
            assign old                  = sums;
            assign {out_level, out_acc} = shown;
            wire unused_at = &{1'b0, read_at, keep_at, push_at, pop_at};
        end
    endgenerate

endmodule

`default_nettype wire
