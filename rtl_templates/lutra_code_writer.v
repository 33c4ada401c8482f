// Code writer of the pq core: takes a requantised word of LANES bytes, encodes it (or passes the values on) and writes the
// code words of the pixel, one after the other, to the code memory.
//
// In channel mode the word is LANES / LENGTH subvectors, UNITS of which are encoded at a time, CYCLES cycles each; raw, it
// is LANES / VALUES words of VALUES values. In spatial mode (no encoder here) it is one raw word.
//
// A pixel taken in cycle t (in_valid) issues its items in cycles t, t+1, ..; item i is written in cycle t+i+LATENCY,
// LATENCY = that of the encoder (spatial mode: 1). The next pixel may come when all items are issued; sooner is a `clash`.
// `done` follows the write of the pixel marked in_last (or the cycle in which it would be) by one cycle.
//
// Parameters: as named in docs/configuration.md; WORD_BITS of a code word, VALUES in it (lutra_code_mem), ADDR_W its
// address, ROW_W, SLICE, SLICE_W of the encoder memory.
`default_nettype none

module lutra_code_writer #(
    parameter SPATIAL    = 0,
    parameter LANES      = 16,
    parameter UNITS      = 2,
    parameter LENGTH     = 8,
    parameter PROTOTYPES = 16,
    parameter ENCODER    = 2,
    parameter ENC_BITS   = 8,
    parameter ALONE      = 0,
    parameter CYCLES     = 1,
    parameter WORD_BITS  = 8,
    parameter VALUES     = 1,
    parameter ADDR_W     = 9,
    parameter ENC_WORDS  = 2,
    parameter ENC_W      = 1,
    parameter SLICE      = 128,
    parameter SLICE_W    = 4,
    parameter ROW_W      = 1
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    input  wire                   in_last,
    input  wire                   in_write,
    input  wire                   in_raw,
    input  wire                   in_unsigned,
    input  wire                   in_map,
    input  wire [1:0]             in_bank,
    input  wire [ADDR_W-1:0]      in_addr,
    input  wire [ENC_W-1:0]       in_enc_word,
    input  wire [LANES*8-1:0]     in_data,
    output wire                   wr_en,
    output wire                   wr_map,
    output wire [1:0]             wr_bank,
    output wire [ADDR_W-1:0]      wr_addr,
    output wire [WORD_BITS-1:0]   wr_data,
    output reg                    done,
    output wire                   clash,
    input  wire                   ld_en,
    input  wire [ROW_W-1:0]       ld_row,
    input  wire [SLICE_W-1:0]     ld_slice,
    input  wire [SLICE-1:0]       ld_data
);
    localparam CODE_BITS = $clog2(PROTOTYPES);
    localparam WORDS     = SPATIAL ? 1 : LANES / (LENGTH * UNITS); // code words of a pixel
    localparam CODED     = WORDS * CYCLES;
    localparam RAW       = SPATIAL ? 1 : LANES / VALUES;
    localparam MOST      = (CODED > RAW) ? CODED : RAW;
    localparam COUNT_W   = (MOST > 1) ? $clog2(MOST) : 1;
    localparam STEP_BITS = (CYCLES > 1) ? $clog2(CYCLES) : 0;
    localparam ENC_SPLIT = (ENCODER == 1 && ENC_BITS * LENGTH > 20) ? 1 : 0;
    localparam ENC_LATENCY = (ENCODER == 2) ? 2 + CODE_BITS
                                            : 3 + ENC_SPLIT + (CODE_BITS - STEP_BITS + 1) / 2 + ((CYCLES > 1) ? 1 : 0);
    localparam LATENCY   = SPATIAL ? 1 : ENC_LATENCY;

    // ---- items -------------------------------------------------------------------------------------------------------
    reg  [COUNT_W-1:0] left;   // items after this one
    reg  [COUNT_W-1:0] item;
    reg                raw_q, unsigned_q, map_q, last_q;
    reg  [1:0]         bank_q;
    reg  [ADDR_W-1:0]  addr_q;
    reg  [LANES*8-1:0] data_q;

    wire               more  = left != {COUNT_W{1'b0}};
    wire               act   = in_valid || more;
    localparam STEPS_LAST = CYCLES - 1;
    localparam [COUNT_W-1:0] STEP_MASK = STEPS_LAST[COUNT_W-1:0];
    localparam RAW_LAST   = RAW - 1;
    localparam CODED_LAST = CODED - 1;
    wire [COUNT_W-1:0] count = !in_write ? {COUNT_W{1'b0}} : in_raw ? RAW_LAST[COUNT_W-1:0] : CODED_LAST[COUNT_W-1:0];
    wire               raw   = more ? raw_q : in_raw;
    wire               map   = more ? map_q : in_map;
    wire [1:0]         bank  = more ? bank_q : in_bank;
    wire [ADDR_W-1:0]  addr  = more ? addr_q : in_addr;
    wire [COUNT_W-1:0] now   = more ? item : {COUNT_W{1'b0}};
    // the last of the cycles that an encoder takes for a word
    wire               word_end = raw || (CYCLES == 1) || ((now & STEP_MASK) == STEP_MASK);
    wire               closing    = more ? left == 1 : count == {COUNT_W{1'b0}};
    wire               write    = more || in_write; // this item's word is to be written

    assign clash = in_valid && more;

    always @(posedge clk) begin
        if (rst) left <= {COUNT_W{1'b0}};
        else if (in_valid) left <= count;
        else if (more) left <= left - 1'b1;
        if (act) begin
            item   <= now + 1'b1;
            addr_q <= addr + {{(ADDR_W-1){1'b0}}, word_end};
        end
        if (in_valid) begin
            raw_q      <= in_raw;
            unsigned_q <= in_unsigned;
            map_q      <= in_map;
            last_q     <= in_last;
            bank_q     <= in_bank;
            data_q     <= in_data;
        end
    end

    // ---- what belongs to a write, as long as the encoder takes ---------------------------------------------------------
    wire [ADDR_W+3:0] info;
    wire              info_last;
    wire [1:0]        event_q;

    lutra_pq_delay #(
        .WIDTH(ADDR_W + 4),
        .CYCLES(LATENCY)
    ) u_info (
        .clk(clk),
        .clear(1'b0),
        .d({raw, map, bank, addr}),
        .q(info)
    );
    lutra_pq_delay #(
        .WIDTH(2),
        .CYCLES(LATENCY)
    ) u_event (
        .clk(clk),
        .clear(rst),
        .d({act && closing && (more ? last_q : in_last), act && write && word_end}),
        .q(event_q)
    );
    assign {info_last, wr_en} = event_q;
    assign wr_map  = info[ADDR_W+2];
    assign wr_bank = info[ADDR_W +: 2];
    assign wr_addr = info[0 +: ADDR_W];
    always @(posedge clk) done <= !rst && info_last;

    // ---- data --------------------------------------------------------------------------------------------------------
    generate
        if (SPATIAL) begin : g_values
            assign wr_data = data_q;
            wire unused = &{1'b0, unsigned_q, in_enc_word, ld_en, ld_row, ld_slice, ld_data, info[ADDR_W+3]};
        end else begin : g_codes
            // the item of the cycle before, whose data are looked at now
            reg  [COUNT_W-1:0] item_q;
            reg  [ENC_W-1:0]   enc_word_q;
            always @(posedge clk) begin
                item_q <= now;
                if (in_valid) enc_word_q <= in_enc_word;
            end

            wire [8*VALUES-1:0] value = data_q[item_q*8*VALUES +: 8*VALUES];
            wire [8*VALUES-1:0] value_late;
            lutra_pq_delay #(
                .WIDTH(8*VALUES),
                .CYCLES(LATENCY - 1)
            ) u_value (
                .clk(clk),
                .clear(1'b0),
                .d(value),
                .q(value_late)
            );

            localparam WORD_IN_W = UNITS * LENGTH * 8;
            wire [WORD_IN_W-1:0]         x;
            wire [UNITS*CODE_BITS-1:0]   code;
            wire [ROW_W-1:0]             row;
            wire [ENC_W-1:0]             enc_word = more ? enc_word_q : in_enc_word;
            if (WORDS == 1) begin : g_one
                assign x = data_q;
            end else begin : g_some
                localparam WORD_W = $clog2(WORDS);
                wire [WORD_W-1:0] word = item_q[STEP_BITS +: WORD_W];
                assign x = data_q[word*WORD_IN_W +: WORD_IN_W];
            end
            if (CODED == 1) begin : g_row
                assign row = enc_word;
            end else begin : g_rows
                assign row = {enc_word, now[$clog2(CODED)-1:0]};
            end

            lutra_encoder #(
                .UNITS(UNITS),
                .LENGTH(LENGTH),
                .PROTOTYPES(PROTOTYPES),
                .ENCODER(ENCODER),
                .CYCLES(CYCLES),
                .ENC_BITS(ENC_BITS),
                .ALONE(ALONE),
                .ROWS(ENC_WORDS * CODED),
                .ROW_W(ROW_W),
                .SLICE(SLICE),
                .SLICE_W(SLICE_W)
            ) u_encoder (
                .clk(clk),
                .in_valid(act && write && !raw),
                .row(row),
                .x_unsigned(unsigned_q),
                .x(x),
                .code(code),
                .ld_en(ld_en),
                .ld_row(ld_row),
                .ld_slice(ld_slice),
                .ld_data(ld_data)
            );

            // both zero-extended to the longer one
            wire [WORD_BITS+UNITS*CODE_BITS-1:0] code_word = {{WORD_BITS{1'b0}}, code};
            wire [WORD_BITS+8*VALUES-1:0]        raw_word  = {{WORD_BITS{1'b0}}, value_late};
            assign wr_data = info[ADDR_W+3] ? raw_word[WORD_BITS-1:0] : code_word[WORD_BITS-1:0];
            wire unused = &{1'b0, code_word, raw_word};
        end
    endgenerate
endmodule
`default_nettype wire
