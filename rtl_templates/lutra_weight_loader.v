// SPDX-License-Identifier: Apache-2.0
//
// Moves weights from the weight buffer into the array, one row per cycle, always one chunk ahead of the issue logic where
// the array can hold two chunks (two slots: 2*A*B*D <= WRF_DEPTH), else between chunks.
//
// A chunk is A*B*D entries of LANES rows at consecutive addresses. What follows the current chunk is told by next_none
// (nothing new to load: the weights stay, or the operation ends), next_back (again from the first word of this set of
// output groups: a new tile) and next_set (the following words, which belong to the next set); none of them: simply the
// following words. They must be valid from the cycle after `fresh` (a chunk became the current one) until `chunk_end`.
//
// Latency: start (or fresh) in cycle t; rows are read from t+1 on and written one cycle later; `ready` (the current chunk
// may be issued) with the read of the last row, as an issued word needs two cycles to the array. Loading an entry takes
// max(LANES, 3) cycles, and the next chunk is not loaded before the current one may begin: that keeps successive chunks at
// least three cycles apart, as the partial sums need.
//
// Parameters:
//   LANES      rows of an entry
//   WRF_DEPTH  entries in the array; 2: A = B = D = 1, and the two sets alternate over all operations
//   WB_WORDS   words in each bank of the weight buffer

`default_nettype none

module lutra_weight_loader #(
    parameter LANES     = 16,
    parameter WRF_DEPTH = 2,
    parameter WB_WORDS  = 576,
    parameter RW        = (LANES > 1) ? $clog2(LANES) : 1,
    parameter EW        = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1,
    parameter ADDR_W    = (WB_WORDS > 1) ? $clog2(WB_WORDS) : 1
) (
    input  wire              clk,
    input  wire              rst,
    // operation
    input  wire              start,     // begin with the first chunk
    input  wire              identity,  // which is the identity matrix; used with start
    input  wire [15:0]       base,      // its address; used with start
    input  wire [3:0]        a_size,    // A, B, D; stable from the cycle after start
    input  wire [3:0]        b_size,
    input  wire [EW:0]       d_size,
    // issue logic
    input  wire              fresh,
    input  wire              hold,      // the current chunk may not begin yet
    input  wire              chunk_end, // the current chunk's last word is issued in this cycle
    input  wire              consume,   // ... and its weights are not needed again
    input  wire              next_none,
    input  wire              next_back,
    input  wire              next_set,
    output wire              ready,
    output wire [EW-1:0]     first,     // first entry of the current chunk
    output wire [EW-1:0]     first_next, // the same for the next cycle
    // weight buffer
    output wire              rd_en,
    output wire              rd_bank,
    output wire [ADDR_W-1:0] rd_addr,
    // array
    output reg               wl_valid,
    output reg               wl_identity, // nothing was read: the row has a 1 in column wl_row
    output reg  [RW-1:0]     wl_row,
    output reg  [EW-1:0]     wl_entry
);

    localparam        CYCLES = (LANES > 3) ? LANES : 3; // per entry
    localparam        CW     = $clog2(CYCLES);
    localparam [31:0] LAST   = CYCLES - 1;
    localparam [31:0] ROWS   = LANES;
    localparam [31:0] HALF   = WRF_DEPTH / 2;           // first entry of the second slot
    localparam [31:0] WB_TOP = WB_WORDS - 1;
    localparam [31:0] SIZE   = WB_WORDS;

    reg           busy;
    reg  [CW-1:0] row;
    wire          row_last  = row == LAST[CW-1:0];
    wire          entry_last;
    wire          load_last = busy & row_last & entry_last;

    // ---- which chunk next ------------------------------------------------------------------------------------------------
    wire two;       // two slots
    reg  unplanned; // what follows the current chunk was not looked at yet
    wire plan    = two ? unplanned & (~busy | load_last) & ~hold : chunk_end;
    wire go      = plan & ~next_none;

    always @(posedge clk) begin
        if (rst)        unplanned <= 1'b0;
        else if (start) unplanned <= 1'b0;
        else            unplanned <= fresh | (unplanned & ~plan);
    end

    always @(posedge clk) begin
        if (rst)              busy <= 1'b0;
        else if (start | go)  busy <= 1'b1;
        else if (load_last)   busy <= 1'b0;
        row <= (start | go | row_last | ~busy) ? {CW{1'b0}} : row + 1'b1;
    end

    // ---- chunks loaded and not used up --------------------------------------------------------------------------------------
    reg [1:0] full;

    always @(posedge clk) begin
        if (rst | start) full <= 2'd0;
        else             full <= full + {1'b0, load_last} - {1'b0, consume};
    end
    assign ready = (full != 2'd0) | load_last;

    // ---- addresses -------------------------------------------------------------------------------------------------------
    // {bank, word}: of the next row, and of the first row of the set of output groups
    reg  [ADDR_W:0] at, set;
    wire            base_bank = base >= SIZE[15:0];
    wire [15:0]     base_in_1 = base - SIZE[15:0];
    wire [ADDR_W:0] base_at   = {base_bank, base_bank ? base_in_1[ADDR_W-1:0] : base[ADDR_W-1:0]};
    wire            wrap      = at[ADDR_W-1:0] == WB_TOP[ADDR_W-1:0];
    wire [ADDR_W:0] following = {at[ADDR_W] ^ wrap, wrap ? {ADDR_W{1'b0}} : at[ADDR_W-1:0] + 1'b1};
    wire [ADDR_W:0] at_next   = rd_en ? following : at;

    always @(posedge clk) begin
        at <= start ? base_at : (go & next_back) ? set : at_next;
        if (start)              set <= base_at;
        else if (go & next_set) set <= at_next;
    end
    assign {rd_bank, rd_addr} = at;

    // ---- entries, slots ----------------------------------------------------------------------------------------------------
    wire [EW-1:0] entry;
    reg           load_slot, use_slot;
    wire          load_slot_next = load_slot ^ (load_last & two);
    wire          use_slot_next  = use_slot ^ (consume & two);

    generate
        if (WRF_DEPTH > 2) begin : g_entries
            reg  [EW-1:0] e;
            reg  [3:0]    a, b;
            reg  [EW:0]   d;
            reg           started, initial_load, two_q;
            wire          step   = busy & row_last;
            wire          a_last = a == 4'd1;
            wire          b_last = b == 4'd1;

            always @(posedge clk) begin
                if (start)     e <= {EW{1'b0}};
                else if (go)   e <= load_slot_next ? HALF[EW-1:0] : {EW{1'b0}};
                else if (step) e <= e + 1'b1;
                started <= start;
                if (started | go) begin
                    a <= a_size;
                    b <= b_size;
                    d <= d_size;
                end else if (step) begin
                    a <= a_last ? a_size : a - 1'b1;
                    if (a_last) b <= b_last ? b_size : b - 1'b1;
                    if (a_last & b_last) d <= d - 1'b1;
                end
                // the first load shows whether a chunk fits twice
                if (start)          initial_load <= 1'b1;
                else if (load_last) initial_load <= 1'b0;
                two_q <= two;
                load_slot <= start ? 1'b0 : load_slot_next;
                use_slot  <= start ? 1'b0 : use_slot_next;
            end
            assign entry_last = a_last & b_last & (d == {{EW{1'b0}}, 1'b1});
            assign two        = initial_load ? e < HALF[EW-1:0] : two_q;
            assign entry      = e;
        end else begin : g_pair
            always @(posedge clk) begin
                load_slot <= ~rst & load_slot_next;
                use_slot  <= ~rst & use_slot_next;
            end
            assign entry_last = 1'b1;
            assign two        = 1'b1;
            assign entry      = load_slot;
            wire unused_pair  = &{1'b0, a_size, b_size, d_size, start};
        end
    endgenerate

    assign first      = use_slot ? HALF[EW-1:0] : {EW{1'b0}};
    assign first_next = use_slot_next ? HALF[EW-1:0] : {EW{1'b0}};

    // ---- to the array ------------------------------------------------------------------------------------------------------
    reg  of_identity;
    wire write;

    generate
        if (CYCLES > LANES) begin : g_short
            assign write = busy & (row < ROWS[CW-1:0]);
        end else begin : g_full
            assign write = busy;
        end
    endgenerate
    assign rd_en = write & ~of_identity;

    always @(posedge clk) begin
        if (start) of_identity <= identity;
        wl_valid    <= write & ~rst;
        wl_identity <= of_identity;
        wl_row      <= row[RW-1:0];
        wl_entry    <= entry;
    end

    wire unused = &{1'b0, base, base_in_1};

endmodule

`default_nettype wire
