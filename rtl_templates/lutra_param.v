// SPDX-License-Identifier: Apache-2.0
//
// Parameter memory of the post unit: a bias and a multiplier for every output channel of 2 * PARAM_GROUPS groups.
//
// One word holds POST_LANES channels; a group is GROUP_WORDS consecutive words. LOAD brings a word as POST_LANES times
// {16 unused, mult[15:0], bias[31:0]}, low lane first; only ACC_BITS and MULT_BITS of them are kept.
//
// Latency: bias and mult appear one cycle after rd_en and hold. A word that is read must not be written in that cycle.
//
// Parameters:
//   POST_LANES    channels per word
//   ACC_BITS      bias width, at most 32
//   MULT_BITS     multiplier width, at most 16
//   PARAM_GROUPS  groups in each of the two halves
//   GROUP_WORDS   words per group = lanes / POST_LANES
//   LD_BITS       width of the load port, at least 64 * POST_LANES
//   ADDR_W        address width of the read port; follows from the others

`default_nettype none

module lutra_param #(
    parameter POST_LANES   = 2,
    parameter ACC_BITS     = 24,
    parameter MULT_BITS    = 16,
    parameter PARAM_GROUPS = 4,
    parameter GROUP_WORDS  = 8,
    parameter LD_BITS      = 64 * POST_LANES,
    parameter ADDR_W       = (2 * PARAM_GROUPS * GROUP_WORDS > 1) ? $clog2(2 * PARAM_GROUPS * GROUP_WORDS) : 1
) (
    input  wire                            clk,
    input  wire                            ld_valid,
    input  wire [15:0]                     ld_addr,
    input  wire [LD_BITS-1:0]              ld_data,
    input  wire                            rd_en,
    input  wire [ADDR_W-1:0]               rd_addr,
    output wire [POST_LANES*ACC_BITS-1:0]  bias,
    output wire [POST_LANES*MULT_BITS-1:0] mult
);

    localparam LANE_W = ACC_BITS + MULT_BITS;

    wire [POST_LANES*LANE_W-1:0] wdata;
    wire [POST_LANES*LANE_W-1:0] rdata;

    genvar i;
    generate
        for (i = 0; i < POST_LANES; i = i + 1) begin : g_lane
            assign wdata[i*LANE_W +: LANE_W] = {ld_data[64*i+32 +: MULT_BITS], ld_data[64*i +: ACC_BITS]};
            assign bias[i*ACC_BITS +: ACC_BITS] = rdata[i*LANE_W +: ACC_BITS];
            assign mult[i*MULT_BITS +: MULT_BITS] = rdata[i*LANE_W + ACC_BITS +: MULT_BITS];
        end
    endgenerate

    lutra_ram_1r1w #(
        .WIDTH (POST_LANES * LANE_W),
        .DEPTH (2 * PARAM_GROUPS * GROUP_WORDS)
    ) u_ram (
        .clk   (clk),
        .we    (ld_valid),
        .waddr (ld_addr[ADDR_W-1:0]),
        .wdata (wdata),
        .re    (rd_en),
        .raddr (rd_addr),
        .rdata (rdata)
    );

    // Addresses are smaller than the contract's 16 bits, lanes narrower than their 64.
    wire unused = &{1'b0, ld_addr, ld_data};

endmodule

`default_nettype wire
