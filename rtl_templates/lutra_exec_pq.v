// SPDX-License-Identifier: Apache-2.0
//
// u_exec of the pq accelerator: product quantisation by table lookup, docs/architecture.md section 6.
//
//   issue -> code memory -> window -> [encoders, spatial mode] -> LUT memory -> lanes -> post unit -> code writer
//                                                                   (adder tree,      |-> feature buffer
//                                                                    multipliers)
// POOL shares issue logic, accumulators and post unit; its words come from the feature buffer straight to the lanes.
//
// Pipeline (P0 = the cycle of issue): P1 code memory, P2 window shifts, P3 window shown, PL LUT memory addressed
// (channel mode P3, spatial mode P2 + the encoders' latency), PL+1 entries, PS = PL+1+SUM_LATENCY accumulate,
// PS+1 post unit.
//
// Parameters: as named in docs/configuration.md. PQ_DENSE is the number of multipliers per lane: 0, or 1, 3, 9 in channel
// mode, or a power of two up to the bytes of a lane's LUT row in spatial mode. ENC_WORDS: encoder words held. LD_BITS
// width of the load port, the widest of its targets.
`default_nettype none

module lutra_exec_pq #(
    parameter LANES         = 16,
    parameter ACC_BITS      = 20,
    parameter MULT_BITS     = 12,
    parameter POST_LANES    = 16,
    parameter PARAM_GROUPS  = 4,
    parameter FB_BANKS      = 4,
    parameter FB_WORDS      = 512,
    parameter PQ_MODE       = 0,
    parameter PQ_PROTOTYPES = 16,
    parameter PQ_LENGTH     = 8,
    parameter PQ_ENCODER    = 2,
    parameter PQ_ENC_BITS   = 8,
    parameter PQ_ENC_CYCLES = 1,
    parameter PQ_LUT_BITS   = 4,
    parameter PQ_MIRROR     = 0,
    parameter PQ_CODEBOOKS  = 2,
    parameter PQ_CHUNKS     = 4,
    parameter PQ_LUT_ROWS   = 4,
    parameter PQ_CODE_WORDS = 1088,
    parameter PQ_DENSE      = 1,
    parameter ENC_WORDS     = (PQ_MODE != 0) ? 2 * PQ_CHUNKS : 2,
    parameter LD_BITS       = 1024,
    parameter FB_ADDR_W     = $clog2(FB_BANKS * FB_WORDS)
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 op_valid,
    output wire                 op_ready,
    input  wire [511:0]         op_desc,
    output wire                 op_done,
    output wire                 fb_rd_en,
    output wire [FB_ADDR_W-1:0] fb_rd_addr,
    input  wire [LANES*8-1:0]   fb_rd_data,
    output wire                 fb_res_en,
    output wire [FB_ADDR_W-1:0] fb_res_addr,
    input  wire [LANES*8-1:0]   fb_res_data,
    output wire                 fb_wr_en,
    output wire [FB_ADDR_W-1:0] fb_wr_addr,
    output wire [LANES*8-1:0]   fb_wr_data,
    input  wire                 ld_valid,
    input  wire [2:0]           ld_target,
    input  wire [15:0]          ld_addr,
    input  wire [LD_BITS-1:0]   ld_data,
    output wire                 issue,
    output reg                  conflict
);
    `include "lutra_desc.vh"
    `include "lutra_pq_levels.vh"

    localparam SPATIAL    = (PQ_MODE != 0) ? 1 : 0;
    localparam T          = LANES;
    localparam N          = PQ_CODEBOOKS;
    localparam CODE_BITS  = $clog2(PQ_PROTOTYPES);
    localparam WORD_BITS  = SPATIAL ? 8*T : (N*CODE_BITS > 8) ? N*CODE_BITS : 8;
    localparam CODE_AW    = (PQ_CODE_WORDS > 1) ? $clog2(PQ_CODE_WORDS) : 1;
    // values in a code word; if several, a fetch counts values
    localparam VALUES     = SPATIAL ? 1 : word_values(WORD_BITS);
    localparam FETCH_AW   = CODE_AW + $clog2(VALUES);
    localparam SLOT_W     = (PQ_CHUNKS > 1) ? $clog2(PQ_CHUNKS) : 1;
    localparam BANKS      = SPATIAL ? N : 9*N;
    localparam SET_BITS   = CODE_BITS - ((PQ_MIRROR != 0) ? 1 : 0);
    localparam SET_W      = (SET_BITS > 0) ? SET_BITS : 1;
    localparam LUT_ROWS   = PQ_LUT_ROWS << SET_BITS;
    localparam LUT_AW     = $clog2(LUT_ROWS);
    localparam ROW_BITS   = T * PQ_LUT_BITS;
    // encoders
    localparam TREE       = (PQ_ENCODER == 2) ? 1 : 0;
    // mirrored trees quantise every element alone
    localparam ALONE      = (TREE && PQ_MIRROR != 0 && !SPATIAL && CODE_BITS >= PQ_LENGTH) ? 1 : 0;
    localparam STEP_BITS  = (PQ_ENC_CYCLES > 1) ? $clog2(PQ_ENC_CYCLES) : 0;
    localparam ENC_SPLIT  = (PQ_ENCODER == 1 && PQ_ENC_BITS * PQ_LENGTH > 20) ? 1 : 0;
    localparam ENC_LATENCY = TREE ? 2 + CODE_BITS : 3 + ENC_SPLIT + (CODE_BITS - STEP_BITS + 1) / 2 + ((PQ_ENC_CYCLES > 1) ? 1 : 0);
    localparam ENC_ROWS   = ENC_WORDS * PQ_ENC_CYCLES * (SPATIAL ? 1 : T / (PQ_LENGTH * N));
    localparam ENC_AW     = (ENC_ROWS > 1) ? $clog2(ENC_ROWS) : 1;
    localparam ENC_W      = (ENC_WORDS > 1) ? $clog2(ENC_WORDS) : 1;
    localparam SLICE      = 8*T;
    localparam SLICES     = enc_slices(CODE_BITS);
    localparam SLICE_BITS = (SLICES > 1) ? $clog2(SLICES) : 0;
    localparam SLICE_W    = (SLICES > 1) ? $clog2(SLICES) : 1;
    // dense
    localparam MULTS      = (PQ_DENSE > 0) ? PQ_DENSE : 1;
    localparam ROW_BYTES  = row_bytes(N*PQ_LUT_BITS / 8); // spatial: weights of a lane in a LUT row
    localparam BLOCKS     = (SPATIAL && PQ_DENSE > 0) ? T / MULTS : 1;
    localparam ROW_BLOCKS = (SPATIAL && PQ_DENSE > 0) ? ROW_BYTES / MULTS : 1;
    localparam PASSES     = (SPATIAL && PQ_ENC_CYCLES > BLOCKS) ? PQ_ENC_CYCLES : BLOCKS;
    localparam BLOCK_W    = (PASSES > 1) ? $clog2(PASSES) : 1;
    localparam DOT_STAGES = 1;
    localparam CODE_W     = 12;
    localparam CORR_W     = 8 + $clog2(MULTS) - 1;
    // pipeline
    localparam PL         = SPATIAL ? 2 + ENC_LATENCY : 3;
    localparam SUM_LAT    = ((BANKS + 2) / 3 <= 6) ? 2 : 3;
    localparam DOT_LAT    = (PQ_DENSE > 0) ? DOT_STAGES + 2 : 0;
    localparam LATENCY    = (SUM_LAT > DOT_LAT) ? SUM_LAT : DOT_LAT;
    localparam PS         = PL + 1 + LATENCY;
    localparam POST_N     = T / POST_LANES;
    localparam POST_LATENCY = POST_N + 6 + ((POST_N > 1 && 6 % POST_N == 0) ? 1 : 0);
    localparam ACC_BYTES  = (ACC_BITS + 7) / 8;

    // slices of a row of the encoder memory: see lutra_enc_tree and lutra_enc_dist
    function integer enc_slices(input integer levels);
        integer l;
        begin
            if (TREE != 0) begin
                enc_slices = ALONE ? 0 : (N*levels*((PQ_LENGTH > 1) ? $clog2(PQ_LENGTH) : 1) + SLICE - 1) / SLICE;
                for (l = 0; l < levels; l = l + 1)
                    enc_slices = enc_slices +
                                 ((N << (ALONE ? element_level(l, levels, PQ_LENGTH) : l))*(PQ_ENC_BITS + 1) + SLICE - 1) / SLICE;
            end else
                enc_slices = (N*(PQ_PROTOTYPES/PQ_ENC_CYCLES)*PQ_LENGTH*PQ_ENC_BITS + SLICE - 1) / SLICE;
        end
    endfunction

    // largest power of two of bytes that fits `bits` and divides T
    function integer word_values(input integer bits);
        begin
            word_values = 1;
            while (16*word_values <= bits && T % (2*word_values) == 0) word_values = 2*word_values;
        end
    endfunction

    // largest power of two that is at most `bytes` and at most T
    function integer row_bytes(input integer bytes);
        begin
            row_bytes = 1;
            while (2*row_bytes <= bytes && 2*row_bytes <= T) row_bytes = 2*row_bytes;
        end
    endfunction

    // ---- load port ---------------------------------------------------------------------------------------------------
    wire ld_weight = ld_valid && ld_target == `LUTRA_TARGET_WEIGHT;
    wire ld_param  = ld_valid && ld_target == `LUTRA_TARGET_PARAM;
    wire ld_enc    = ld_valid && ld_target == `LUTRA_TARGET_ENC;
    wire ld_code   = ld_valid && ld_target == `LUTRA_TARGET_CODE;

    wire [SLICE_W-1:0] ld_enc_slice;
    generate
        if (SLICES > 1) begin : g_slices
            assign ld_enc_slice = ld_addr[SLICE_W-1:0];
        end else begin : g_slice
            assign ld_enc_slice = 1'b0;
        end
    endgenerate

    // ---- issue ---------------------------------------------------------------------------------------------------------
    wire [511:0]          desc;
    wire                  accept = op_valid && op_ready;
    wire                  handed;
    wire [2:0]            fetch_en;
    wire [3*FETCH_AW-1:0] fetch_addr;
    wire                  fetch_shift;
    wire [1:0]            fetch_top;
    wire [SLOT_W-1:0]     fetch_slot;
    wire                  step, step_enc, step_read, step_first, step_end, step_op_first, step_op_last, step_pool;
    wire                  step_load, step_store;
    wire [1:0]            step_byte, step_col, step_row;
    wire [8:0]            step_mask;
    wire [BLOCK_W-1:0]    step_block;
    wire                  lut_half;
    wire [LUT_AW-1:0]     lut_row;
    wire [15:0]           enc_chunk;
    wire [FB_ADDR_W-1:0]  fb_addr;

    lutra_pq_issue #(
        .SPATIAL(SPATIAL),
        .CODE_ADDR_W(FETCH_AW),
        .FB_ADDR_W(FB_ADDR_W),
        .SLOT_W(SLOT_W),
        .LUT_ROWS(LUT_ROWS),
        .LUT_ADDR_W(LUT_AW),
        .SET_ROWS(1 << SET_BITS),
        .ENC_PASSES(TREE ? 1 : PQ_ENC_CYCLES),
        .BLOCKS(BLOCKS),
        .ROW_BLOCKS(ROW_BLOCKS),
        .TAP_COLS((SPATIAL || PQ_DENSE == 1) ? 1 : 0),
        .TAP_ROWS((SPATIAL || PQ_DENSE < 9) ? 1 : 0),
        .BLOCK_W(BLOCK_W),
        .POST_CYCLES(POST_N),
        .POST_LATENCY(POST_LATENCY),
        .ACC_BYTES(ACC_BYTES)
    ) u_issue (
        .clk(clk), .rst(rst), .op_valid(op_valid), .op_ready(op_ready), .op_desc(op_desc), .op_done(op_done),
        .handed(handed), .desc(desc), .issue(issue), .fetch_en(fetch_en), .fetch_addr(fetch_addr),
        .fetch_shift(fetch_shift), .fetch_top(fetch_top), .fetch_slot(fetch_slot), .step(step), .step_enc(step_enc),
        .step_read(step_read), .step_first(step_first), .step_end(step_end), .step_op_first(step_op_first),
        .step_op_last(step_op_last), .step_pool(step_pool), .step_load(step_load), .step_store(step_store),
        .step_byte(step_byte), .step_mask(step_mask), .step_block(step_block), .step_col(step_col),
        .step_row(step_row), .lut_half(lut_half), .lut_row(lut_row), .enc_chunk(enc_chunk), .fb_addr(fb_addr)
    );

    // flags of the operation, in step with the outputs of u_issue
    reg       p1_dense, p1_unsigned, p1_max, p1_map;
    reg [SET_W-1:0] p1_coded; // bits of the LUT row that are of the code
    reg [8:0] p1_kernel; // window positions with weights: of the first three rows and columns of the kernel
    integer   p;
    always @(posedge clk) begin
        for (p = 0; p < 9; p = p + 1)
            p1_kernel[p] <= (p < 3 || (desc[`LUTRA_D_DILATION] == 4'd1 && desc[`LUTRA_D_R] > ((p < 6) ? 8'd1 : 8'd2))) &&
                            (p % 3 == 2 || desc[`LUTRA_D_S] > ((p % 3 == 1) ? 8'd1 : 8'd2));
        p1_dense    <= desc[`LUTRA_D_DENSE] && !(desc[`LUTRA_D_OPCODE] == `LUTRA_OP_POOL);
        p1_coded    <= desc[356 +: SET_W];
        p1_unsigned <= desc[`LUTRA_D_IN_UNSIGNED];
        p1_max      <= desc[`LUTRA_D_POOL_MAX] && desc[`LUTRA_D_OPCODE] == `LUTRA_OP_POOL;
        p1_map      <= desc[`LUTRA_D_CODE_IN_MAP];
    end

    // ---- P1: code memory -------------------------------------------------------------------------------------------------
    wire [3*WORD_BITS-1:0] fetched;
    wire                   code_wr_en, code_wr_map, code_conflict;
    wire [1:0]             code_wr_bank;
    wire [CODE_AW-1:0]     code_wr_addr;
    wire [WORD_BITS-1:0]   code_wr_data;

    lutra_code_mem #(
        .WORD_BITS(WORD_BITS),
        .CODE_WORDS(PQ_CODE_WORDS),
        .VALUES(VALUES),
        .LD_BITS(LD_BITS)
    ) u_code (
        .clk(clk), .rst(rst), .rd_en(fetch_en), .rd_map(p1_map), .rd_value(p1_dense), .rd_addr(fetch_addr),
        .rd_data(fetched), .wr_en(code_wr_en), .wr_map(code_wr_map), .wr_bank(code_wr_bank), .wr_addr(code_wr_addr),
        .wr_data(code_wr_data), .ld_en(ld_code), .ld_addr(ld_addr), .ld_data(ld_data), .conflict(code_conflict)
    );

    // ---- P2, P3: window ------------------------------------------------------------------------------------------------
    reg               p2_shift, p2_enc;
    reg [1:0]         p2_top;
    reg [SLOT_W-1:0]  p2_slot;
    wire [9*WORD_BITS-1:0] taps;

    always @(posedge clk) begin
        p2_shift <= fetch_shift;
        p2_top   <= fetch_top;
        p2_slot  <= fetch_slot;
        p2_enc   <= step_enc;
    end

    lutra_pq_window #(
        .WORD_BITS(WORD_BITS),
        .CHUNKS(PQ_CHUNKS)
    ) u_window (
        .clk(clk),
        .shift(p2_shift),
        .slot(p2_slot),
        .top(p2_top),
        .banks(fetched),
        .taps(taps)
    );

    wire [8:0]         p3_mask;
    wire               p3_dense, p3_unsigned;
    wire [BLOCK_W-1:0] p3_block;
    wire [1:0]         p3_col, p3_row;
    lutra_pq_delay #(
        .WIDTH(15 + BLOCK_W),
        .CYCLES(2)
    ) u_p3 (
        .clk(clk),
        .clear(1'b0),
        .d({step_mask, p1_dense && step, p1_unsigned, step_block, step_col, step_row}),
        .q({p3_mask, p3_dense, p3_unsigned, p3_block, p3_col, p3_row})
    );

    // ---- PL: LUT memory ------------------------------------------------------------------------------------------------
    wire               pl_read, pl_dense, pl_half;
    wire [LUT_AW-1:0]  pl_row;
    wire [SET_W-1:0]   pl_coded;
    wire [8:0]         pl_mask;
    lutra_pq_delay #(
        .WIDTH(12 + LUT_AW + SET_W),
        .CYCLES(PL - 1)
    ) u_pl (
        .clk(clk),
        .clear(1'b0),
        .d({step_read, p1_dense, lut_half, lut_row, p1_coded, p1_dense ? p1_kernel : step_mask}),
        .q({pl_read, pl_dense, pl_half, pl_row, pl_coded, pl_mask})
    );

    wire [BANKS*CODE_BITS-1:0] codes;   // looked up
    wire [BANKS-1:0]           covered; // of taps inside input and kernel; DENSE: of taps that have weights
    reg  [15:0]                p2_chunk;
    reg  [BLOCK_W-1:0]         p2_pass;
    always @(posedge clk) begin
        p2_chunk <= enc_chunk;
        p2_pass  <= step_block;
    end

    lutra_pq_codes #(
        .SPATIAL(SPATIAL),
        .LANES(T),
        .WORD_BITS(WORD_BITS),
        .CODEBOOKS(N),
        .PROTOTYPES(PQ_PROTOTYPES),
        .ENCODER(PQ_ENCODER),
        .ENC_BITS(PQ_ENC_BITS),
        .ENC_CYCLES(PQ_ENC_CYCLES),
        .ENC_ROWS(ENC_ROWS),
        .ENC_AW(ENC_AW),
        .SLICE(SLICE),
        .SLICE_W(SLICE_W),
        .BLOCK_W(BLOCK_W)
    ) u_codes (
        .clk(clk),
        .taps(taps),
        .mask(p3_mask),
        .is_unsigned(p3_unsigned),
        .enc_valid(p2_enc),
        .enc_word(p2_chunk),
        .pass(p2_pass),
        .pl_mask(pl_mask),
        .codes(codes),
        .covered(covered),
        .ld_en(ld_enc),
        .ld_row(ld_addr[SLICE_BITS +: ENC_AW]),
        .ld_slice(ld_enc_slice),
        .ld_data(ld_data[SLICE-1:0])
    );

    wire [BANKS*LUT_AW-1:0]   lut_addr;
    wire [BANKS*ROW_BITS-1:0] entries;
    wire                      lut_conflict;
    wire [BANKS-1:0]          mirrored; // the second half of a table: the first one's negative, backwards
    wire [BANKS-1:0]          negated;  // the same for the entries
    lutra_pq_lut_addr #(
        .BANKS(BANKS),
        .CODE_BITS(CODE_BITS),
        .LENGTH(PQ_LENGTH),
        .ALONE(ALONE),
        .MIRROR(PQ_MIRROR),
        .ADDR_W(LUT_AW)
    ) u_lut_addr (
        .codes(codes),
        .dense(pl_dense),
        .row(pl_row),
        .coded(pl_coded),
        .addr(lut_addr),
        .mirrored(mirrored)
    );

    lutra_pq_lut #(
        .BANKS(BANKS),
        .GROUP(N),
        .ROWS(LUT_ROWS),
        .ROW_BITS(ROW_BITS),
        .MIRROR(PQ_MIRROR)
    ) u_lut (
        .clk(clk), .rst(rst), .read(pl_read), .en(covered), .half(pl_half), .addr(lut_addr), .negate(mirrored),
        .data(entries), .negated(negated), .ld_en(ld_weight), .ld_addr(ld_addr), .ld_data(ld_data[N*ROW_BITS-1:0]),
        .conflict(lut_conflict)
    );

    // ---- dense operands --------------------------------------------------------------------------------------------------
    wire [MULTS*CODE_W-1:0] act_code;
    wire [CORR_W-1:0]       act_corr;
    wire [T*MULTS*8-1:0]    weights;
    generate
        if (PQ_DENSE > 0) begin : g_dense
            lutra_pq_dense #(
                .SPATIAL(SPATIAL),
                .LANES(T),
                .WORD_BITS(WORD_BITS),
                .MULTS(MULTS),
                .LUT_BITS(PQ_LUT_BITS),
                .CODEBOOKS(N),
                .ROW_BYTES(ROW_BYTES),
                .BLOCK_W(BLOCK_W),
                .X_DELAY(PL - 2),
                .DOT_STAGES(DOT_STAGES),
                .CODE_W(CODE_W),
                .CORR_W(CORR_W)
            ) u_dense (
                .clk(clk),
                .taps(taps),
                .mask(p3_mask),
                .dense(p3_dense),
                .is_unsigned(p3_unsigned),
                .block(p3_block),
                .col(p3_col),
                .row(p3_row),
                .entries(entries),
                .act_code(act_code),
                .act_corr(act_corr),
                .weights(weights)
            );
        end else begin : g_no_dense
            assign act_code = {(MULTS*CODE_W){1'b0}};
            assign act_corr = {CORR_W{1'b0}};
            assign weights  = {(T*MULTS*8){1'b0}};
            wire unused = &{1'b0, p3_mask, p3_dense, p3_unsigned, p3_block, p3_col, p3_row};
        end
    endgenerate

    // ---- PS-2: feature-buffer words of POOL and ACC_IN; PS: accumulate ---------------------------------------------------
    wire pr_step, pr_pool, pr_load, pr_inside;
    lutra_pq_delay #(
        .WIDTH(4),
        .CYCLES(PS - 3)
    ) u_read_flags (
        .clk(clk),
        .clear(rst),
        .d({step, step_pool, step_load, step_mask[2]}),
        .q({pr_step, pr_pool, pr_load, pr_inside})
    );
    lutra_pq_delay #(
        .WIDTH(FB_ADDR_W),
        .CYCLES(PS - 3)
    ) u_read_addr (
        .clk(clk),
        .clear(1'b0),
        .d(fb_addr),
        .q(fb_rd_addr)
    );
    assign fb_rd_en = (pr_step && pr_pool && pr_inside) || pr_load;

    wire       ps_step, ps_end, ps_store;                     // events
    wire       ps_first, ps_max, ps_unsigned, ps_op_first, ps_op_last, ps_lookup;
    wire [1:0] ps_byte;
    lutra_pq_delay #(
        .WIDTH(3),
        .CYCLES(PS - 1)
    ) u_ps_events (
        .clk(clk),
        .clear(rst),
        .d({step || step_load, step_end, step_store}),
        .q({ps_step, ps_end, ps_store})
    );
    lutra_pq_delay #(
        .WIDTH(8),
        .CYCLES(PS - 1)
    ) u_ps (
        .clk(clk),
        .clear(1'b0),
        .d({step_first, p1_max, p1_unsigned, step_op_first, step_op_last, step_byte,
            step && !step_pool && !p1_dense}),
        .q({ps_first, ps_max, ps_unsigned, ps_op_first, ps_op_last, ps_byte, ps_lookup})
    );
    reg byte_read, ps_read, byte_load, ps_load; // a feature-buffer byte arrives; is added
    always @(posedge clk) begin
        byte_read <= fb_rd_en;
        byte_load <= pr_load;
        ps_read   <= byte_read;
        ps_load   <= byte_load;
    end

    wire [T*ACC_BITS-1:0] acc, held;
    lutra_pq_lanes #(
        .LANES(T),
        .BANKS(BANKS),
        .LUT_BITS(PQ_LUT_BITS),
        .MIRROR(PQ_MIRROR),
        .DENSE(PQ_DENSE),
        .ACC_BITS(ACC_BITS),
        .SUM_LATENCY(SUM_LAT),
        .LATENCY(LATENCY),
        .DOT_STAGES(DOT_STAGES),
        .HOLD((POST_N > 1) ? 1 : 0),
        .CODE_W(CODE_W),
        .CORR_W(CORR_W)
    ) u_lanes (
        .clk(clk), .entries(entries), .negated(negated), .act_code(act_code), .act_corr(act_corr), .weights(weights),
        .lookup(ps_lookup), .step(ps_step), .first(ps_first), .load(ps_load), .maximum(ps_max), .byte_read(byte_read),
        .byte_on(ps_read), .is_unsigned(ps_unsigned), .data(fb_rd_data), .keep(ps_end), .acc(acc), .held(held)
    );

    // ---- PS+1: results -----------------------------------------------------------------------------------------------
    wire                 post_valid, op_write_code, op_code_raw, op_code_map, op_out_unsigned, store_done, post_clash;
    wire [CODE_AW+2:0]   post_tag;
    wire [8*T-1:0]       post_data;
    wire [ENC_W-1:0]     op_enc_word;

    lutra_pq_result #(
        .LANES(T),
        .ACC_BITS(ACC_BITS),
        .MULT_BITS(MULT_BITS),
        .POST_LANES(POST_LANES),
        .PARAM_GROUPS(PARAM_GROUPS),
        .FB_ADDR_W(FB_ADDR_W),
        .CODE_AW(CODE_AW),
        .ENC_W(ENC_W),
        .LD_BITS(LD_BITS)
    ) u_result (
        .clk(clk), .rst(rst), .accept(accept), .handed(handed), .desc(desc), .ps_end(ps_end), .ps_store(ps_store),
        .ps_op_first(ps_op_first), .ps_op_last(ps_op_last), .ps_byte(ps_byte), .acc(acc), .held(held),
        .ld_param(ld_param), .ld_addr(ld_addr), .ld_data(ld_data), .fb_res_en(fb_res_en), .fb_res_addr(fb_res_addr),
        .fb_res_data(fb_res_data), .fb_wr_en(fb_wr_en), .fb_wr_addr(fb_wr_addr), .fb_wr_data(fb_wr_data),
        .post_valid(post_valid), .post_tag(post_tag), .post_data(post_data), .op_write_code(op_write_code),
        .op_code_raw(op_code_raw), .op_code_map(op_code_map), .op_out_unsigned(op_out_unsigned),
        .op_enc_word(op_enc_word), .store_done(store_done), .clash(post_clash)
    );

    // ---- code writer -------------------------------------------------------------------------------------------------
    wire writer_done, writer_clash;
    lutra_code_writer #(
        .SPATIAL(SPATIAL),
        .LANES(T),
        .UNITS(N),
        .LENGTH(PQ_LENGTH),
        .PROTOTYPES(PQ_PROTOTYPES),
        .ENCODER(PQ_ENCODER),
        .ENC_BITS(PQ_ENC_BITS),
        .ALONE(ALONE),
        .CYCLES(PQ_ENC_CYCLES),
        .WORD_BITS(WORD_BITS),
        .VALUES(VALUES),
        .ADDR_W(CODE_AW),
        .ENC_WORDS(ENC_WORDS),
        .ENC_W(ENC_W),
        .SLICE(SLICE),
        .SLICE_W(SLICE_W),
        .ROW_W(ENC_AW)
    ) u_writer (
        .clk(clk), .rst(rst), .in_valid(post_valid), .in_last(post_tag[CODE_AW+2]), .in_write(op_write_code),
        .in_raw(op_code_raw), .in_unsigned(op_out_unsigned), .in_map(op_code_map), .in_bank(post_tag[CODE_AW +: 2]),
        .in_addr(post_tag[CODE_AW-1:0]), .in_enc_word(op_enc_word), .in_data(post_data), .wr_en(code_wr_en),
        .wr_map(code_wr_map), .wr_bank(code_wr_bank), .wr_addr(code_wr_addr), .wr_data(code_wr_data),
        .done(writer_done), .clash(writer_clash), .ld_en(ld_enc), .ld_row(ld_addr[SLICE_BITS +: ENC_AW]),
        .ld_slice(ld_enc_slice), .ld_data(ld_data[SLICE-1:0])
    );

    always @(posedge clk)
        conflict <= !rst && (code_conflict || lut_conflict || writer_clash || post_clash);
    assign op_done = writer_done || store_done;
endmodule
`default_nettype wire
