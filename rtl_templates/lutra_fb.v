// SPDX-License-Identifier: Apache-2.0
//
// Feature buffer: single-port banks behind five ports. The program keeps ports that are used at the same time in
// different banks; two of them in one bank in one cycle is a conflict, and then neither access is defined.
//
// The bank is the high part of a word address; bits beyond the buffer are ignored. A result may replace the residual
// where it lies, as the two come in different cycles.
//
// PAIRS: the lowest bit of the bank's number is the lowest bit of the address instead. Then neighbouring words lie in the
// two banks of a pair, and a residual can be read in the cycle in which a result goes to a word of the other parity.
//
// Latency: read data in the cycle after their enable; they hold until something else is read from that bank. `conflict`
// comes in the cycle after.
//
// Parameters:
//   WIDTH   bits per word
//   BANKS   a power of two, 2 or more
//   WORDS   per bank, a power of two, 2 or more; BANKS * WORDS at most 65536
//   PAIRS   0 or 1

`default_nettype none

module lutra_fb #(
    parameter WIDTH = 128,
    parameter BANKS = 4,
    parameter WORDS = 512,
    parameter PAIRS = 0
) (
    input  wire              clk,
    input  wire              rst,

    // core: activations, residuals, results
    input  wire              rd_en,
    input  wire [15:0]       rd_addr,
    output wire [WIDTH-1:0]  rd_data,
    input  wire              res_en,
    input  wire [15:0]       res_addr,
    output wire [WIDTH-1:0]  res_data,
    input  wire              wr_en,
    input  wire [15:0]       wr_addr,
    input  wire [WIDTH-1:0]  wr_data,

    // LOAD
    input  wire              ld_en,
    input  wire [15:0]       ld_addr,
    input  wire [WIDTH-1:0]  ld_data,

    // STORE
    input  wire              st_en,
    input  wire [15:0]       st_addr,
    output wire [WIDTH-1:0]  st_data,

    output reg               conflict
);

    localparam LG_WORDS = $clog2(WORDS);
    localparam LG_BANKS = $clog2(BANKS);

    // verilator lint_off UNUSED
    function [LG_BANKS-1:0] bank_of(input [15:0] addr);
        begin
            bank_of = addr[LG_WORDS +: LG_BANKS];
            if (PAIRS != 0) bank_of[0] = addr[0];
        end
    endfunction

    function [LG_WORDS-1:0] word_of(input [15:0] addr);
        word_of = (PAIRS != 0) ? addr[1 +: LG_WORDS] : addr[0 +: LG_WORDS];
    endfunction
    // verilator lint_on UNUSED

    wire [LG_BANKS-1:0] rd_bank  = bank_of(rd_addr);
    wire [LG_BANKS-1:0] res_bank = bank_of(res_addr);
    wire [LG_BANKS-1:0] wr_bank  = bank_of(wr_addr);
    wire [LG_BANKS-1:0] ld_bank  = bank_of(ld_addr);
    wire [LG_BANKS-1:0] st_bank  = bank_of(st_addr);

    // banks whose words the read ports show, one hot
    reg [BANKS-1:0] rd_shown, res_shown, st_shown;
    wire [BANKS-1:0] one = 1;

    always @(posedge clk) begin
        if (rd_en)  rd_shown  <= one << rd_bank;
        if (res_en) res_shown <= one << res_bank;
        if (st_en)  st_shown  <= one << st_bank;
    end

    wire [BANKS*WIDTH-1:0] shown;
    wire [BANKS-1:0]       clash;

    function [WIDTH-1:0] pick(input [BANKS*WIDTH-1:0] words, input [BANKS-1:0] which);
        integer b;
        begin
            pick = {WIDTH{1'b0}};
            for (b = 0; b < BANKS; b = b + 1) pick = pick | (words[b*WIDTH +: WIDTH] & {WIDTH{which[b]}});
        end
    endfunction
    assign rd_data  = pick(shown, rd_shown);
    assign res_data = pick(shown, res_shown);
    assign st_data  = pick(shown, st_shown);

    always @(posedge clk) conflict <= (|clash) && !rst;

    genvar i;
    generate
        for (i = 0; i < BANKS; i = i + 1) begin : bank
            localparam [31:0] NUMBER = i;
            wire rd  = rd_en  && (rd_bank  == NUMBER[LG_BANKS-1:0]);
            wire res = res_en && (res_bank == NUMBER[LG_BANKS-1:0]);
            wire wr  = wr_en  && (wr_bank  == NUMBER[LG_BANKS-1:0]);
            wire ld  = ld_en  && (ld_bank  == NUMBER[LG_BANKS-1:0]);
            wire st  = st_en  && (st_bank  == NUMBER[LG_BANKS-1:0]);

            // one hot, or it is a conflict
            wire [LG_WORDS-1:0] addr = ({LG_WORDS{rd}}  & word_of(rd_addr)) |
                                       ({LG_WORDS{res}} & word_of(res_addr)) |
                                       ({LG_WORDS{wr}}  & word_of(wr_addr)) |
                                       ({LG_WORDS{ld}}  & word_of(ld_addr)) |
                                       ({LG_WORDS{st}}  & word_of(st_addr));

            assign clash[i] = (rd && (res || wr || ld || st)) || (res && (wr || ld || st)) || (wr && (ld || st)) ||
                              (ld && st);

            lutra_ram_1rw #(
                .WIDTH (WIDTH),
                .DEPTH (WORDS)
            ) u_ram (
                .clk   (clk),
                .en    (rd || res || wr || ld || st),
                .we    (wr || ld),
                .addr  (addr),
                .wdata (ld ? ld_data : wr_data),
                .rdata (shown[i*WIDTH +: WIDTH])
            );
        end

        if (LG_WORDS + LG_BANKS < 16) begin : ignore
            localparam TOP = LG_WORDS + LG_BANKS;
            wire unused = &{1'b0, rd_addr[15:TOP], res_addr[15:TOP], wr_addr[15:TOP], ld_addr[15:TOP], st_addr[15:TOP]};
        end
    endgenerate

    initial begin
        if (BANKS < 2 || (1 << LG_BANKS) != BANKS || WORDS < 2 || (1 << LG_WORDS) != WORDS || BANKS * WORDS > 65536) begin
            $display("Error: illegal parameters (instance %m)");
            $finish;
        end
    end

endmodule

`default_nettype wire
