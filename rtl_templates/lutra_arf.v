// SPDX-License-Identifier: Apache-2.0
//
// Activation register file of the ews core: keeps the words of a pixel's window, so that the next pixel of the tile row
// reads only the columns that are new to it.
//
// It takes part when the taps of a chunk are whole kernel rows, the dilation is 1 and the words of a pixel fit. All this is
// seen on the first pixel of a row, which reads everything. Words of one kernel row form a ring: column c of the input
// stays where it is while the window moves over it, so a pixel begins `stride` columns later in the ring.
//
// Latency: `known` (the word need not be read) in the cycle of `fire`; word two cycles later, with fb_data.
//
// Parameters:
//   WIDTH  bits per word
//   DEPTH  words

`default_nettype none

module lutra_arf #(
    parameter WIDTH = 128,
    parameter DEPTH = 16
) (
    input  wire             clk,
    input  wire             rst,
    // operation
    input  wire [3:0]       stride,
    input  wire [3:0]       dilation,
    input  wire [7:0]       s_size,    // S
    // term that is issued
    input  wire             fire,
    input  wire             need,      // it needs another word than the term before
    input  wire             first,     // the first word of its tap
    input  wire             last,      // the last word of its tap
    input  wire [7:0]       taps_left, // of the kernel row, from its tap on
    input  wire             chunk_row, // the chunk starts at the beginning of a kernel row
    input  wire             pixel_end,
    input  wire             row_end,
    output wire             known,
    // two cycles later
    input  wire [WIDTH-1:0] fb_data,
    output wire [WIDTH-1:0] word
);

    localparam        KW   = $clog2(DEPTH + 1);
    localparam [31:0] SIZE = DEPTH;

    // ---- place of the word: position in its ring, where the ring begins -------------------------------------------------
    reg           new_row;   // the tile row's first pixel
    reg           slides;    // later pixels find words here
    reg           crowded;   // a word of this pixel had no place
    reg  [KW-1:0] at, ring, ring_1; // ring_1: words per ring, minus one
    reg  [KW-1:0] next_at;   // where the next pixel begins
    wire [KW:0]   index     = {1'b0, ring} + {1'b0, at};
    wire          no_place  = index >= SIZE[KW:0];
    wire          learning  = new_row & (ring == {KW{1'b0}}); // the ring's size is not known yet
    wire          ring_end  = last & (taps_left == 8'd1);
    wire [KW-1:0] at_up     = (learning ? ring_end : at == ring_1) ? {KW{1'b0}} : at + 1'b1;
    wire [KW-1:0] ring_up   = ring + (learning ? at : ring_1) + 1'b1;
    wire          take      = fire & need;
    wire          mark      = take & first & (ring == {KW{1'b0}}) & (taps_left + {4'd0, stride} == s_size);
    wire [KW-1:0] begin_at  = row_end ? {KW{1'b0}} : mark ? at : next_at;

    assign known = slides & ~new_row & (taps_left > {4'd0, stride});

    always @(posedge clk) begin
        if (rst)                    new_row <= 1'b1;
        else if (fire && pixel_end) new_row <= row_end;

        if (rst || (fire && pixel_end)) crowded <= 1'b0;
        else if (take)                  crowded <= crowded | no_place;
        if (fire && pixel_end && new_row)
            slides <= chunk_row & (taps_left == 8'd1) & (dilation == 4'd1) & ~crowded & ~(need & no_place);

        if (mark) next_at <= at;
        if (take && learning && ring_end) ring_1 <= at;
        if (rst || (fire && pixel_end)) begin
            at   <= rst ? {KW{1'b0}} : begin_at;
            ring <= {KW{1'b0}};
        end else if (take) begin
            at   <= at_up;
            if (ring_end) ring <= ring_up;
        end
    end

    // ---- words -----------------------------------------------------------------------------------------------------------
    reg                    take_1, take_2;
    reg                    from_1, from_2; // the word is here already
    reg  [KW-1:0]          index_1;
    reg  [DEPTH-1:0]       place;          // its place, one-hot
    wire [DEPTH*WIDTH-1:0] words;
    reg  [WIDTH-1:0]       kept;
    integer k;
    genvar i;

    always @(posedge clk) begin
        take_1 <= take;
        take_2 <= take_1;
        if (take) begin
            from_1  <= known;
            index_1 <= index[KW-1:0];
        end
        if (take_1) begin
            from_2 <= from_1;
            for (k = 0; k < DEPTH; k = k + 1) place[k] <= index_1 == k[KW-1:0];
        end
    end
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : g_word
            reg [WIDTH-1:0] w;
            always @(posedge clk) if (take_2 & ~from_2 & place[i]) w <= fb_data;
            assign words[i*WIDTH +: WIDTH] = w;
        end
    endgenerate
    always @* begin
        kept = {WIDTH{1'b0}};
        for (k = 0; k < DEPTH; k = k + 1) kept = kept | (words[k*WIDTH +: WIDTH] & {WIDTH{place[k]}});
    end
    assign word = from_2 ? kept : fb_data;

endmodule

`default_nettype wire
