// SPDX-License-Identifier: Apache-2.0
//
// Burst generator of the DMA engines: cuts a two-dimensional transfer (rows of beats, a stride between rows) into
// AXI INCR bursts. Both engines have one.
//
// Bursts end at multiples of MAX_BURST beats. MAX_BURST * BUS_BITS / 8 is a power of two of at most 4096, so no burst
// crosses a 4 KiB boundary.
//
// Latency: the first request two cycles after go at the earliest (state, then the caller's address register); one
// burst per cycle within a row, one cycle more from row to row (one adder serves bursts and stride).
//
// Addresses, strides and lengths count beats of the bus. `set` takes address, stride and rows; `row_m1` (beats per row
// minus one) must be stable from go until idle.
//
// Parameters:
//   BEAT_ADDR  bits of a beat address: 32 - log2(BUS_BITS / 8)
//   MAX_BURST  beats, a power of two, 2 or more
//   ROW_BITS   bits of row_m1, more than log2(MAX_BURST)

`default_nettype none

module lutra_dma_addr #(
    parameter BEAT_ADDR = 28,
    parameter MAX_BURST = 16,
    parameter ROW_BITS  = 17
) (
    input  wire                          clk,
    input  wire                          rst,

    input  wire                          set,
    input  wire [BEAT_ADDR-1:0]          set_addr,
    input  wire [BEAT_ADDR-1:0]          set_stride,
    input  wire [15:0]                   set_rows,
    input  wire                          go,
    input  wire [ROW_BITS-1:0]           row_m1,

    output wire                          req,       // a burst is wanted ...
    input  wire                          ack,       // ... and taken
    output reg  [BEAT_ADDR-1:0]          req_addr,
    output wire [$clog2(MAX_BURST)-1:0]  req_len,   // beats minus one
    output wire                          req_last,  // the last burst of the transfer
    output wire                          idle
);

    localparam LB = $clog2(MAX_BURST);

    localparam [1:0] S_IDLE  = 2'd0,
                     S_BURST = 2'd1,
                     S_STEP  = 2'd2;  // to the next row

    reg [1:0]           state;
    reg [BEAT_ADDR-1:0] row_addr; // first beat of this row
    reg [BEAT_ADDR-1:0] stride;
    reg [15:0]          rows;     // not yet finished
    reg [ROW_BITS-1:0]  left;     // beats of this row not yet requested, minus one

    // The last beat before the boundary is room beats away.
    wire [LB-1:0] room = ~req_addr[LB-1:0];
    wire          fits = (left[ROW_BITS-1:LB] == {(ROW_BITS-LB){1'b0}}) && (left[LB-1:0] <= room);

    assign req      = (state == S_BURST);
    assign req_len  = fits ? left[LB-1:0] : room;
    assign req_last = fits && (rows == 16'd1);
    assign idle     = (state == S_IDLE);

    // The next burst of a row starts at the boundary; after the last one the address does not matter.
    wire [ROW_BITS-1:0]  len_wide  = {{(ROW_BITS-LB){1'b0}}, req_len};
    wire [BEAT_ADDR-1:0] from      = req ? {req_addr[BEAT_ADDR-1:LB], {LB{1'b0}}} : row_addr;
    wire [BEAT_ADDR-1:0] step_by   = req ? {{(BEAT_ADDR-LB-1){1'b0}}, 1'b1, {LB{1'b0}}} : stride;
    wire [BEAT_ADDR-1:0] next_addr = from + step_by;

    always @(posedge clk) begin
        if (set)                                  req_addr <= set_addr;
        else if (state == S_STEP || (req && ack)) req_addr <= next_addr;

        if (set)                    row_addr <= set_addr;
        else if (state == S_STEP)   row_addr <= next_addr;

        if (set) stride <= set_stride;

        if (set)                    rows <= set_rows;
        else if (state == S_STEP)   rows <= rows - 16'd1;

        if (go || state == S_STEP)  left <= row_m1;
        else if (req && ack)        left <= left + ~len_wide;
    end

    always @(posedge clk) begin
        case (state)
            S_IDLE:  if (go) state <= S_BURST;
            S_BURST: if (ack && fits) state <= (rows == 16'd1) ? S_IDLE : S_STEP;
            default: state <= S_BURST;
        endcase
        if (rst) state <= S_IDLE;
    end

    initial begin
        if (MAX_BURST < 2 || (1 << LB) != MAX_BURST || ROW_BITS <= LB || BEAT_ADDR <= ROW_BITS) begin
            $display("Error: illegal parameters (instance %m)");
            $finish;
        end
    end

endmodule

`default_nettype wire
