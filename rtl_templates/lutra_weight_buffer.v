// SPDX-License-Identifier: Apache-2.0
//
// Weight buffer of the ws and ews cores: two single-port banks, one loaded from memory while the array is fed from the
// other. Words 0 .. WB_WORDS-1 lie in bank 0, the next WB_WORDS in bank 1.
//
// Latency: rd_data in the cycle after rd_en, 0 in all others. A write to the bank that is read in the same cycle is a
// conflict; the write is done and the read data are wrong.
//
// Parameters:
//   WIDTH     bits per word
//   WB_WORDS  words per bank, at most 32768
//   LD_BITS   width of the load port, at least WIDTH

`default_nettype none

module lutra_weight_buffer #(
    parameter WIDTH    = 128,
    parameter WB_WORDS = 576,
    parameter LD_BITS  = WIDTH,
    parameter ADDR_W   = (WB_WORDS > 1) ? $clog2(WB_WORDS) : 1
) (
    input  wire               clk,
    input  wire               ld_valid,
    input  wire [15:0]        ld_addr,
    input  wire [LD_BITS-1:0] ld_data,
    input  wire               rd_en,
    input  wire               rd_bank,
    input  wire [ADDR_W-1:0]  rd_addr,
    output wire [WIDTH-1:0]   rd_data,
    output wire               conflict
);

    localparam [31:0] SIZE = WB_WORDS;

    wire              ld_bank = ld_addr >= SIZE[15:0];
    wire [15:0]       ld_in_1 = ld_addr - SIZE[15:0];
    wire [ADDR_W-1:0] ld_word = ld_bank ? ld_in_1[ADDR_W-1:0] : ld_addr[ADDR_W-1:0];
    wire [WIDTH-1:0]  data_0, data_1;
    wire              we_0 = ld_valid & ~ld_bank;
    wire              we_1 = ld_valid & ld_bank;
    reg               show_0, show_1;

    always @(posedge clk) begin
        show_0 <= rd_en & ~rd_bank;
        show_1 <= rd_en & rd_bank;
    end
    assign rd_data  = (data_0 & {WIDTH{show_0}}) | (data_1 & {WIDTH{show_1}});
    assign conflict = ld_valid & rd_en & (ld_bank == rd_bank);

    lutra_ram_1rw #(
        .WIDTH (WIDTH),
        .DEPTH (WB_WORDS)
    ) u_bank_0 (
        .clk   (clk),
        .en    (we_0 | (rd_en & ~rd_bank)),
        .we    (we_0),
        .addr  (we_0 ? ld_word : rd_addr),
        .wdata (ld_data[WIDTH-1:0]),
        .rdata (data_0)
    );

    lutra_ram_1rw #(
        .WIDTH (WIDTH),
        .DEPTH (WB_WORDS)
    ) u_bank_1 (
        .clk   (clk),
        .en    (we_1 | (rd_en & rd_bank)),
        .we    (we_1),
        .addr  (we_1 ? ld_word : rd_addr),
        .wdata (ld_data[WIDTH-1:0]),
        .rdata (data_1)
    );

    wire unused = &{1'b0, ld_addr, ld_in_1, ld_data};

endmodule

`default_nettype wire
