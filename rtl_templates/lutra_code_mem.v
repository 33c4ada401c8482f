// Code memory of the pq core: two maps of three row banks; row y of a map lies in bank y mod 3.
//
// A fetch reads one word of up to three banks of one map; the code writer writes one word of one bank; a LOAD writes one
// word of all three banks. Every bank is a single-port memory: two accesses to one bank in one cycle raise `conflict`.
//
// Latency: rd_data one cycle after rd_en, bank b at [b*WORD_BITS +: WORD_BITS]; it holds until the next read of that map.
// Parameters: WORD_BITS bits of a code word, CODE_WORDS words in each bank.
`default_nettype none

module lutra_code_mem #(
    parameter WORD_BITS  = 8,
    parameter CODE_WORDS = 512,
    parameter ADDR_W     = (CODE_WORDS > 1) ? $clog2(CODE_WORDS) : 1
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire [2:0]             rd_en,
    input  wire                   rd_map,
    input  wire [3*ADDR_W-1:0]    rd_addr,
    output wire [3*WORD_BITS-1:0] rd_data,
    input  wire                   wr_en,
    input  wire                   wr_map,
    input  wire [1:0]             wr_bank,
    input  wire [ADDR_W-1:0]      wr_addr,
    input  wire [WORD_BITS-1:0]   wr_data,
    input  wire                   ld_en,
    input  wire                   ld_map,
    input  wire [ADDR_W-1:0]      ld_addr,
    input  wire [3*WORD_BITS-1:0] ld_data,
    output reg                    conflict
);
    wire [2*3*WORD_BITS-1:0] q;
    wire [5:0]               clash;
    reg                      map_q;

    genvar m, b;
    generate
        for (m = 0; m < 2; m = m + 1) begin : g_map
            for (b = 0; b < 3; b = b + 1) begin : g_bank
                wire rd = rd_en[b] && rd_map == m;
                wire wr = wr_en && wr_map == m && wr_bank == b;
                wire ld = ld_en && ld_map == m;

                assign clash[m*3 + b] = (rd && wr) || (rd && ld) || (wr && ld);

                lutra_ram_1rw #(
                    .WIDTH(WORD_BITS),
                    .DEPTH(CODE_WORDS)
                ) u_ram (
                    .clk(clk),
                    .en(rd || wr || ld),
                    .we(wr || ld),
                    .addr(ld ? ld_addr : wr ? wr_addr : rd_addr[b*ADDR_W +: ADDR_W]),
                    .wdata(ld ? ld_data[b*WORD_BITS +: WORD_BITS] : wr_data),
                    .rdata(q[(m*3 + b)*WORD_BITS +: WORD_BITS])
                );
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rd_en != 3'b000) map_q <= rd_map;
        conflict <= !rst && clash != 6'd0;
    end

    assign rd_data = map_q ? q[3*WORD_BITS +: 3*WORD_BITS] : q[0 +: 3*WORD_BITS];
endmodule
`default_nettype wire
