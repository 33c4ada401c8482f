// SPDX-License-Identifier: Apache-2.0
//
// Gearbox of STORE: feature-buffer words in, bus beats out. Also sends the slices of a profile record.
//
// In memory a word is padded with zeros to a power of two of bytes. Narrow words are collected in the beat register; the
// last beat of a row may hold fewer words, and byte strobes leave the rest of it alone. Wide words are cut into slices
// of the word that the feature buffer holds at its output.
//
// The caller makes one step per word (narrow) or per beat (others) while step_ready is high. Two stages: the buffer
// read (fb_en with the step), then the beat register.
//
// Latency: the beat register changes two cycles after its step; one step per cycle if the bus takes it.
//
// Parameters:
//   BUS_BITS  32..512
//   FB_BITS   bits of a word without padding

`default_nettype none

module lutra_gearbox_out #(
    parameter BUS_BITS = 128,
    parameter FB_BITS  = 128
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire                   step,
    output wire                   step_ready,
    input  wire                   profile,        // of this step and until its beat is out
    input  wire                   row_end,        // the word is the last of its row
    input  wire                   burst_last,     // the beat is the last of its burst
    output wire                   step_word_end,  // the step finishes a word
    output wire                   step_beat_end,  // the step finishes a beat

    output wire                   fb_en,
    input  wire [FB_BITS-1:0]     fb_data,
    output wire [2:0]             prof_index,
    input  wire [BUS_BITS-1:0]    prof_data,

    output wire [BUS_BITS-1:0]    beat_data,
    output wire [BUS_BITS/8-1:0]  beat_strb,
    output reg                    beat_last,
    output reg                    beat_valid,
    input  wire                   beat_ready
);

    localparam LG_BUS  = $clog2(BUS_BITS / 8);
    localparam LG_WORD = $clog2((FB_BITS + 7) / 8);
    localparam WORDS   = (LG_WORD < LG_BUS) ? 1 << (LG_BUS - LG_WORD) : 1;  // per beat
    localparam BEATS   = (LG_WORD > LG_BUS) ? 1 << (LG_WORD - LG_BUS) : 1;  // per word
    localparam PROF    = (BUS_BITS < 256) ? 256 / BUS_BITS : 1;             // beats per profile record

    // number of the last step of a beat, word or record
    localparam [31:0] LAST_STEP = ((WORDS > BEATS) ? WORDS : BEATS) - 1;
    localparam [31:0] LAST_PROF = PROF - 1;
    localparam LG_PROF  = $clog2(PROF);
    localparam LG_RATIO = (LG_WORD < LG_BUS) ? LG_BUS - LG_WORD : LG_WORD - LG_BUS;
    localparam SUB      = (LG_PROF > LG_RATIO) ? ((LG_PROF > 0) ? LG_PROF : 1) : ((LG_RATIO > 0) ? LG_RATIO : 1);

    // ------------------------------------------------------- step: buffer read
    reg [SUB-1:0] sub;
    wire          sub_last = (sub == (profile ? LAST_PROF[SUB-1:0] : LAST_STEP[SUB-1:0]));

    assign step_word_end = (BEATS == 1) || sub_last;
    assign step_beat_end = (WORDS == 1) || profile || sub_last || row_end;
    assign fb_en         = step && !profile && ((BEATS == 1) || sub == {SUB{1'b0}});

    // -------------------------------------------------------------- the beat
    reg            held;  // a step's word is at the buffer's output
    reg            held_beat_end, held_last;
    reg  [SUB-1:0] held_sub;
    wire           beat_free = !beat_valid || beat_ready;

    assign step_ready = !held || beat_free;

    always @(posedge clk) begin
        if (step) begin
            sub           <= (sub_last || ((WORDS > 1) && !profile && row_end)) ? {SUB{1'b0}} : sub + 1'b1;
            held_sub      <= sub;
            held_beat_end <= step_beat_end;
            held_last     <= burst_last;
        end
        if (beat_free) beat_last <= held_last;

        if (step)           held <= 1'b1;
        else if (beat_free) held <= 1'b0;

        if (beat_free) beat_valid <= held && held_beat_end;

        if (rst) begin
            sub        <= {SUB{1'b0}};
            held       <= 1'b0;
            beat_valid <= 1'b0;
        end
    end

    // profile slices have their own numbering, of the same width
    generate
        if (SUB >= 3) begin : index_cut
            assign prof_index = held_sub[2:0];
        end else begin : index_pad
            assign prof_index = {{(3-SUB){1'b0}}, held_sub};
        end
    endgenerate

    wire [(8<<LG_WORD)-1:0] padded;
    generate
        if ((8 << LG_WORD) == FB_BITS) begin : exact
            assign padded = fb_data;
        end else begin : pad
            assign padded = {{((8<<LG_WORD)-FB_BITS){1'b0}}, fb_data};
        end
    endgenerate

    reg [BUS_BITS-1:0] data;
    assign beat_data = data;

    genvar i;
    generate
        if (WORDS > 1) begin : narrow
            // strobes: one bit per word; the first word of a beat clears the others
            reg [WORDS-1:0] filled;
            for (i = 0; i < WORDS; i = i + 1) begin : place
                localparam [31:0] NUMBER = i;
                localparam        LOW    = i * (8 << LG_WORD);
                localparam        HIGH   = LOW + (8 << LG_WORD) - 1;
                wire here = (held_sub[LG_RATIO-1:0] == NUMBER[LG_RATIO-1:0]);
                always @(posedge clk) begin
                    if (beat_free && (profile || here)) data[HIGH:LOW] <= profile ? prof_data[HIGH:LOW] : padded;
                    if (beat_free && held) filled[i] <= profile || here || (filled[i] && held_sub != {SUB{1'b0}});
                end
                assign beat_strb[i*(1<<LG_WORD) +: (1<<LG_WORD)] = {(1<<LG_WORD){filled[i]}};
            end
        end else begin : wide
            wire [BUS_BITS-1:0] slice;
            if (BEATS > 1) begin : cut
                wire [LG_WORD-LG_BUS-1:0] number = held_sub[LG_WORD-LG_BUS-1:0];
                assign slice = padded[number*BUS_BITS +: BUS_BITS];
            end else begin : whole
                assign slice = padded;
            end
            always @(posedge clk)
                if (beat_free) data <= profile ? prof_data : slice;
            assign beat_strb = {(BUS_BITS/8){1'b1}};
        end
    endgenerate

endmodule

`default_nettype wire
