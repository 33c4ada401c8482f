// LUT memory of the pq core: BANKS banks, each two halves of ROWS rows of ROW_BITS bits (one entry for every lane).
//
// Every bank is looked up in the same cycle, each at its own row of one half, while LOAD fills the other half. A half is a
// single-port memory; up to 32 rows, both share one with two ports. A LOAD word holds the rows of GROUP neighbouring banks
// (one window tap, or all banks); ld_addr = {group, half, row}.
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
    parameter ADDR_W   = (ROWS > 1) ? $clog2(ROWS) : 1
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
    // verilator lint_off UNUSED
    input  wire [15:0]               ld_addr, // highest bits not used by small memories
    // verilator lint_on UNUSED
    input  wire [GROUP*ROW_BITS-1:0] ld_data,
    output reg                       conflict
);
    // memories of fewer than 32 words cost as much as those of 32 (docs/sram-model.md), and choosing between two of 32 costs
    // more than the second port
    localparam SHARED = (ROWS <= 32) ? 1 : 0;

    localparam GROUPS  = BANKS / GROUP;
    localparam GROUP_W = (GROUPS > 1) ? $clog2(GROUPS) : 1;
    wire [ADDR_W-1:0]  ld_row  = ld_addr[ADDR_W-1:0];
    wire               ld_half = ld_addr[ADDR_W];
    wire [GROUP_W-1:0] ld_group;
    generate
        if (GROUPS > 1) begin : g_groups
            assign ld_group = ld_addr[ADDR_W+1 +: GROUP_W];
        end else begin : g_all
            assign ld_group = 1'b0;
        end
    endgenerate

    always @(posedge clk) begin
        conflict <= !rst && read && en != {BANKS{1'b0}} && ld_en && half == ld_half;
    end

    genvar i, h;
    generate
        for (i = 0; i < BANKS; i = i + 1) begin : g_bank
            localparam MY_GROUP = i / GROUP;
            wire       ld = ld_en && ld_group == MY_GROUP[GROUP_W-1:0];
            wire       rd = read && en[i];
            reg  [1:0] on; // what the row that was read passes as: itself, its complement; neither: 0
            wire       turn = (MIRROR != 0) && negate[i];
            always @(posedge clk) if (read) on <= {rd && turn, rd && !turn};
            assign negated[i] = on[1];

            wire [ROW_BITS-1:0] row;
            assign data[i*ROW_BITS +: ROW_BITS] = (row & {ROW_BITS{on[0]}}) | (~row & {ROW_BITS{on[1]}});

            if (SHARED) begin : g_shared
                lutra_ram_1r1w #(
                    .WIDTH(ROW_BITS),
                    .DEPTH((1 << ADDR_W) + ROWS)
                ) u_ram (
                    .clk(clk),
                    .we(ld),
                    .waddr({ld_half, ld_row}),
                    .wdata(ld_data[(i % GROUP)*ROW_BITS +: ROW_BITS]),
                    .re(rd),
                    .raddr({half, addr[i*ADDR_W +: ADDR_W]}),
                    .rdata(row)
                );
            end else begin : g_halves
                wire [2*ROW_BITS-1:0] q;
                reg                   from; // which half was read
                always @(posedge clk) if (read) from <= half;
                for (h = 0; h < 2; h = h + 1) begin : g_half
                    wire load = ld && ld_half == h;
                    lutra_ram_1rw #(
                        .WIDTH(ROW_BITS),
                        .DEPTH(ROWS)
                    ) u_ram (
                        .clk(clk),
                        .en(load || (rd && half == h)),
                        .we(load),
                        .addr(load ? ld_row : addr[i*ADDR_W +: ADDR_W]),
                        .wdata(ld_data[(i % GROUP)*ROW_BITS +: ROW_BITS]),
                        .rdata(q[h*ROW_BITS +: ROW_BITS])
                    );
                end
                assign row = from ? q[ROW_BITS +: ROW_BITS] : q[0 +: ROW_BITS];
            end
        end
    endgenerate
endmodule
`default_nettype wire
