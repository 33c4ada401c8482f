// Window of the pq core: three columns of three rows for each of CHUNKS code words per pixel.
//
// A column arrives as it was read, bank by bank; `top` names the bank of its first row. A shift moves the columns of
// chunk `slot` by one and shows the window of that chunk until the next shift.
//
// Latency: taps one cycle after shift. taps: word of window row r, column c at [(r*3 + c)*WORD_BITS +: WORD_BITS],
// column 2 the newest. Parameters: WORD_BITS bits of a code word, CHUNKS slots.
`default_nettype none

module lutra_pq_window #(
    parameter WORD_BITS = 8,
    parameter CHUNKS    = 4,
    parameter SLOT_W    = (CHUNKS > 1) ? $clog2(CHUNKS) : 1
) (
    input  wire                   clk,
    input  wire                   shift,
    input  wire [SLOT_W-1:0]      slot,
    input  wire [1:0]             top,
    input  wire [3*WORD_BITS-1:0] banks,
    output reg  [9*WORD_BITS-1:0] taps
);
    localparam COL_W = 3 * WORD_BITS;

    wire [WORD_BITS-1:0] b0 = banks[0 +: WORD_BITS];
    wire [WORD_BITS-1:0] b1 = banks[WORD_BITS +: WORD_BITS];
    wire [WORD_BITS-1:0] b2 = banks[2*WORD_BITS +: WORD_BITS];
    // row r of the column in bits r*WORD_BITS
    wire [COL_W-1:0] column = (top == 2'd0) ? {b2, b1, b0} : (top == 2'd1) ? {b0, b2, b1} : {b1, b0, b2};

    // the two older columns of each slot, the newer one lowest
    wire [CHUNKS*2*COL_W-1:0] older;
    wire [2*COL_W-1:0]        past = older[slot*2*COL_W +: 2*COL_W];

    genvar s;
    generate
        for (s = 0; s < CHUNKS; s = s + 1) begin : g_slot
            reg [2*COL_W-1:0] columns;
            always @(posedge clk) if (shift && slot == s) columns <= {past[COL_W-1:0], column};
            assign older[s*2*COL_W +: 2*COL_W] = columns;
        end
    endgenerate

    integer r;
    always @(posedge clk) begin
        if (shift) begin
            for (r = 0; r < 3; r = r + 1) begin
                taps[(r*3 + 2)*WORD_BITS +: WORD_BITS] <= column[r*WORD_BITS +: WORD_BITS];
                taps[(r*3 + 1)*WORD_BITS +: WORD_BITS] <= past[r*WORD_BITS +: WORD_BITS];
                taps[(r*3 + 0)*WORD_BITS +: WORD_BITS] <= past[COL_W + r*WORD_BITS +: WORD_BITS];
            end
        end
    end
endmodule
`default_nettype wire
