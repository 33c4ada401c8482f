// LUT memory of the pq core: BANKS banks, each two halves of ROWS rows of ROW_BITS bits (one entry for every lane).
//
// Every bank is looked up in the same cycle, each at its own row of one half, while LOAD fills the other half: a half is a
// single-port memory. A LOAD word holds the rows of GROUP neighbouring banks (one window tap, or all banks).
// Using one half for both in one cycle raises `conflict`.
//
// With MIRROR = 1 the row of a bank with `negate` comes as its one's complement; `negated` says so.
//
// Latency: data one cycle after read, bank i at [i*ROW_BITS +: ROW_BITS], 0 where the bank was not enabled; until the next
// read.
// Parameters: BANKS, GROUP (divides BANKS), ROWS, ROW_BITS, MIRROR as above.
`default_nettype none

module lutra_pq_lut #(
    parameter BANKS    = 18,
    parameter GROUP    = 2,
    parameter ROWS     = 64,
    parameter ROW_BITS = 64,
    parameter MIRROR   = 0,
    parameter ADDR_W   = (ROWS > 1) ? $clog2(ROWS) : 1,
    parameter GROUP_W  = (BANKS / GROUP > 1) ? $clog2(BANKS / GROUP) : 1
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      read,
    input  wire [BANKS-1:0]          en,
    input  wire                      half,
    input  wire [BANKS*ADDR_W-1:0]   addr,
    // verilator lint_off UNUSED
    input  wire [BANKS-1:0]          negate, // not used if MIRROR is 0
    // verilator lint_on UNUSED
    output wire [BANKS*ROW_BITS-1:0] data,
    output wire [BANKS-1:0]          negated,
    input  wire                      ld_en,
    input  wire                      ld_half,
    input  wire [GROUP_W-1:0]        ld_group,
    input  wire [ADDR_W-1:0]         ld_addr,
    input  wire [GROUP*ROW_BITS-1:0] ld_data,
    output reg                       conflict
);
    always @(posedge clk) begin
        conflict <= !rst && read && en != {BANKS{1'b0}} && ld_en && half == ld_half;
    end

    genvar i, h;
    generate
        for (i = 0; i < BANKS; i = i + 1) begin : g_bank
            localparam MY_GROUP = i / GROUP;
            wire [2*ROW_BITS-1:0]    q;
            reg  [1:0]               on; // which half was read, if any

            for (h = 0; h < 2; h = h + 1) begin : g_half
                wire ld = ld_en && ld_half == h && ld_group == MY_GROUP[GROUP_W-1:0];
                wire rd = read && en[i] && half == h;

                lutra_ram_1rw #(
                    .WIDTH(ROW_BITS),
                    .DEPTH(ROWS)
                ) u_ram (
                    .clk(clk),
                    .en(ld || rd),
                    .we(ld),
                    .addr(ld ? ld_addr : addr[i*ADDR_W +: ADDR_W]),
                    .wdata(ld_data[(i % GROUP)*ROW_BITS +: ROW_BITS]),
                    .rdata(q[h*ROW_BITS +: ROW_BITS])
                );
                always @(posedge clk) if (read) on[h] <= rd;
            end
            wire [ROW_BITS-1:0] row =
                (q[0 +: ROW_BITS] & {ROW_BITS{on[0]}}) | (q[ROW_BITS +: ROW_BITS] & {ROW_BITS{on[1]}});
            if (MIRROR != 0) begin : g_mirror
                reg not_row;
                always @(posedge clk) if (read) not_row <= en[i] && negate[i];
                assign data[i*ROW_BITS +: ROW_BITS] = row ^ {ROW_BITS{not_row}};
                assign negated[i] = not_row;
            end else begin : g_plain
                assign data[i*ROW_BITS +: ROW_BITS] = row;
                assign negated[i] = 1'b0;
            end
        end
    endgenerate
endmodule
`default_nettype wire
