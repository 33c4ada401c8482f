// SPDX-License-Identifier: Apache-2.0
//
// Gearbox of LOAD: bus beats in, words of the selected target out, one word per cycle, padding dropped.
//
// In memory a word is padded to a power of two of bytes. Words of up to one beat leave from the low end of the beat
// register, which shifts; wider words collect their beats in slots. Words are never refused by whoever takes them.
//
// Latency: a word is shown in the cycle after the beat that completes it was taken. The next beat is taken in the
// cycle in which the last word of a beat is shown, so the bus never waits for a word as wide as a beat or wider.
//
// `row_end` (the word shown is the last of its row) drops the rest of the beat: rows start on beats. `target` may
// change while nothing is inside.
//
// Parameters:
//   BUS_BITS                 beat, 32 or more
//   FB_BITS .. CODE_BITS     bits of a word of targets 0..4 without padding; 0: this target does not exist
//   PARAM_LOW, PARAM_HIGH    bits in use of the two 32-bit halves of a parameter: the others are not stored
//   WORD_BITS                bits of word_data: at least the widest word's

`default_nettype none

module lutra_gearbox_in #(
    parameter BUS_BITS    = 128,
    parameter FB_BITS     = 128,
    parameter WEIGHT_BITS = 128,
    parameter PARAM_BITS  = 128,
    parameter ENC_BITS    = 0,
    parameter CODE_BITS   = 0,
    parameter PARAM_LOW   = 32,
    parameter PARAM_HIGH  = 16,
    parameter WORD_BITS   = 128
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire [2:0]            target,

    input  wire                  beat_valid,
    output wire                  beat_ready,
    input  wire [BUS_BITS-1:0]   beat_data,

    output wire                  word_valid,
    output wire [WORD_BITS-1:0]  word_data,
    input  wire                  row_end,
    output wire                  beat_end     // nothing of the beat is left after this word
);

    // log2 of the bytes of a word in memory
    function integer lg_bytes(input integer bits);
        lg_bytes = $clog2((bits + 7) / 8);
    endfunction

    function integer max2(input integer a, input integer b);
        max2 = (a > b) ? a : b;
    endfunction

    // widths of absent targets count as one beat, which costs nothing
    localparam LG_BUS    = lg_bytes(BUS_BITS);
    localparam LG_FB     = (FB_BITS > 0)     ? lg_bytes(FB_BITS)     : LG_BUS;
    localparam LG_WEIGHT = (WEIGHT_BITS > 0) ? lg_bytes(WEIGHT_BITS) : LG_BUS;
    localparam LG_PARAM  = (PARAM_BITS > 0)  ? lg_bytes(PARAM_BITS)  : LG_BUS;
    localparam LG_ENC    = (ENC_BITS > 0)    ? lg_bytes(ENC_BITS)    : LG_BUS;
    localparam LG_CODE   = (CODE_BITS > 0)   ? lg_bytes(CODE_BITS)   : LG_BUS;
    localparam LG_MAX    = max2(LG_BUS, max2(max2(LG_FB, LG_WEIGHT), max2(LG_PARAM, max2(LG_ENC, LG_CODE))));

    // ratios as powers of two: words per beat, beats per word
    localparam LG_SUB = max2(1, max2(max2(max2(LG_BUS - LG_FB, LG_BUS - LG_WEIGHT),
                                          max2(LG_BUS - LG_PARAM, max2(LG_BUS - LG_ENC, LG_BUS - LG_CODE))),
                                     LG_MAX - LG_BUS));
    localparam SLOTS  = 1 << (LG_MAX - LG_BUS);

    // number of the last step of a ratio
    function [LG_SUB-1:0] last_step(input integer lg);
        last_step = {LG_SUB{1'b1}} >> (LG_SUB - ((lg > LG_BUS) ? lg - LG_BUS : LG_BUS - lg));
    endfunction

    reg                wide;  // more than one beat per word
    reg [LG_SUB-1:0]   last;
    reg [BUS_BITS-1:0] low;
    reg [BUS_BITS-1:0] shifted;

    // what follows in the beat register; with one word per beat it does not matter, and the beat itself costs nothing
    function [BUS_BITS-1:0] next_word(input integer lg, input [BUS_BITS-1:0] now, input [BUS_BITS-1:0] beat);
        next_word = (lg == LG_BUS) ? beat : now >> (8 << lg);
    endfunction

    always @* begin
        wide    = LG_CODE > LG_BUS;
        last    = last_step(LG_CODE);
        shifted = next_word(LG_CODE, low, beat_data);
        case (target)
            3'd0: begin
                wide    = LG_FB > LG_BUS;
                last    = last_step(LG_FB);
                shifted = next_word(LG_FB, low, beat_data);
            end
            3'd1: begin
                wide    = LG_WEIGHT > LG_BUS;
                last    = last_step(LG_WEIGHT);
                shifted = next_word(LG_WEIGHT, low, beat_data);
            end
            3'd2: begin
                wide    = LG_PARAM > LG_BUS;
                last    = last_step(LG_PARAM);
                shifted = next_word(LG_PARAM, low, beat_data);
            end
            3'd3: begin
                wide    = LG_ENC > LG_BUS;
                last    = last_step(LG_ENC);
                shifted = next_word(LG_ENC, low, beat_data);
            end
            default: ;
        endcase
    end

    // sub: wide: beats taken; else number of the word shown
    reg              full;
    reg [LG_SUB-1:0] sub;
    wire             take     = beat_valid && beat_ready;
    wire             sub_last = (sub == last);

    assign word_valid = full;
    assign beat_end   = wide || row_end || sub_last;
    assign beat_ready = !full || beat_end;

    always @(posedge clk) begin
        if (take)          full <= !wide || sub_last;
        else if (beat_end) full <= 1'b0;

        if (wide) begin
            if (take) sub <= sub_last ? {LG_SUB{1'b0}} : sub + 1'b1;
        end else begin
            if (full) sub <= beat_end ? {LG_SUB{1'b0}} : sub + 1'b1;
        end

        if (rst) begin
            full <= 1'b0;
            sub  <= {LG_SUB{1'b0}};
        end
    end

    // Words of up to a beat: load or shift, nothing is ever held. Wide words: slot 0 keeps the first beat.
    always @(posedge clk) begin
        if (!wide)                             low <= take ? beat_data : shifted;
        else if (take && sub == {LG_SUB{1'b0}}) low <= beat_data;
    end

    wire [SLOTS*BUS_BITS-1:0] slots;
    assign slots[BUS_BITS-1:0] = low;

    genvar i;
    generate
        for (i = 1; i < SLOTS; i = i + 1) begin : slot
            localparam [31:0] NUMBER = i;
            reg [BUS_BITS-1:0] data;
            always @(posedge clk)
                if (take && sub == NUMBER[LG_SUB-1:0]) data <= beat_data;
            assign slots[i*BUS_BITS +: BUS_BITS] = data;
        end
    endgenerate

    // Bits that no target uses read as 0, which removes their registers.
    function [WORD_BITS-1:0] used_bits(input integer unused);
        integer b;
        begin
            used_bits = {WORD_BITS{1'b0}};
            for (b = 0; b < WORD_BITS; b = b + 1)
                used_bits[b] = b < FB_BITS || b < WEIGHT_BITS || b < ENC_BITS || b < CODE_BITS || (unused != 0) ||
                               (b < PARAM_BITS && ((b % 64) < PARAM_LOW || ((b % 64) >= 32 && (b % 64) < 32 + PARAM_HIGH)));
        end
    endfunction
    localparam [WORD_BITS-1:0] USED = used_bits(0);

    generate
        if (WORD_BITS == SLOTS * BUS_BITS) begin : exact
            assign word_data = slots & USED;
        end else if (WORD_BITS < SLOTS * BUS_BITS) begin : cut
            assign word_data = slots[WORD_BITS-1:0] & USED;
            wire unused = &{1'b0, slots[SLOTS*BUS_BITS-1:WORD_BITS]};
        end else begin : pad
            assign word_data = {{(WORD_BITS-SLOTS*BUS_BITS){1'b0}}, slots} & USED;
        end
    endgenerate

endmodule

`default_nettype wire
