// Code memory of the pq core: two maps of three row banks; row y of a map lies in bank y mod 3.
//
// A fetch reads one word of up to three banks of one map; the code writer writes one word of one bank; a LOAD writes one
// unit, the words of all three banks at one address. Every bank is a single-port memory: two accesses to one bank in one
// cycle raise `conflict`.
//
// A word holds VALUES bytes where a map has values instead of codes: then addresses count bytes (rd_value), and the byte
// meant comes in the low bits of rd_data.
//
// LOAD: ld_addr = map * CODE_WORDS + word; a unit is the banks' words, each padded to whole bytes. With VALUES > 1 it is
// four bytes for each value: those of the three banks and one that counts for nothing.
//
// Latency: rd_data one cycle after rd_en, bank b at [b*WORD_BITS +: WORD_BITS]; it holds until the next read of that map.
// Parameters: WORD_BITS bits of a code word, CODE_WORDS words in each bank, VALUES 1 or a power of two, at most WORD_BITS
// / 8; LD_BITS of the load port, whose lowest hold the unit.
`default_nettype none

module lutra_code_mem #(
    parameter WORD_BITS  = 8,
    parameter CODE_WORDS = 512,
    parameter VALUES     = 1,
    parameter LD_BITS    = 64,
    parameter ADDR_W     = (CODE_WORDS > 1) ? $clog2(CODE_WORDS) : 1,
    parameter FETCH_W    = ADDR_W + $clog2(VALUES)
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire [2:0]             rd_en,
    input  wire                   rd_map,
    // verilator lint_off UNUSED
    input  wire                   rd_value, // not used if VALUES is 1
    // verilator lint_on UNUSED
    input  wire [3*FETCH_W-1:0]   rd_addr,
    output wire [3*WORD_BITS-1:0] rd_data,
    input  wire                   wr_en,
    input  wire                   wr_map,
    input  wire [1:0]             wr_bank,
    input  wire [ADDR_W-1:0]      wr_addr,
    input  wire [WORD_BITS-1:0]   wr_data,
    input  wire                   ld_en,
    input  wire [15:0]            ld_addr,
    // verilator lint_off UNUSED
    input  wire [LD_BITS-1:0]     ld_data,
    // verilator lint_on UNUSED
    output reg                    conflict
);
    localparam VALUE_BITS = $clog2(VALUES);

    wire [2*3*WORD_BITS-1:0] q;
    wire [5:0]               clash;
    reg                      map_q;
    wire [3*ADDR_W-1:0]      rd_word;
    wire [3*WORD_BITS-1:0]   words;

    localparam [16:0] MAP_WORDS  = CODE_WORDS[16:0];
    localparam        WORD_BYTES = (WORD_BITS + 7) / 8;
    wire [16:0]            ld_over = {1'b0, ld_addr} - MAP_WORDS;
    wire                   ld_map  = !ld_over[16];
    // verilator lint_off UNUSED
    wire [15:0]            ld_at   = ld_map ? ld_over[15:0] : ld_addr; // below CODE_WORDS
    // verilator lint_on UNUSED
    wire [3*WORD_BITS-1:0] ld_words;

    genvar m, b, v;
    generate
        for (b = 0; b < 3; b = b + 1) begin : g_unit
            if (VALUES > 1) begin : g_values
                for (v = 0; v < VALUES; v = v + 1) begin : g_value
                    assign ld_words[b*WORD_BITS + 8*v +: 8] = ld_data[32*v + 8*b +: 8];
                end
                if (WORD_BITS > 8*VALUES) begin : g_rest
                    assign ld_words[b*WORD_BITS + 8*VALUES +: WORD_BITS - 8*VALUES] = {(WORD_BITS - 8*VALUES){1'b0}};
                end
            end else begin : g_word
                assign ld_words[b*WORD_BITS +: WORD_BITS] = ld_data[b*WORD_BYTES*8 +: WORD_BITS];
            end
        end

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
                    .addr(ld ? ld_at[ADDR_W-1:0] : wr ? wr_addr : rd_word[b*ADDR_W +: ADDR_W]),
                    .wdata(ld ? ld_words[b*WORD_BITS +: WORD_BITS] : wr_data),
                    .rdata(q[(m*3 + b)*WORD_BITS +: WORD_BITS])
                );
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rd_en != 3'b000) map_q <= rd_map;
        conflict <= !rst && clash != 6'd0;
    end

    assign words = map_q ? q[3*WORD_BITS +: 3*WORD_BITS] : q[0 +: 3*WORD_BITS];

    generate
        if (VALUES == 1) begin : g_words
            assign rd_word = rd_addr;
            assign rd_data = words;
        end else begin : g_values
            for (b = 0; b < 3; b = b + 1) begin : g_bank
                wire [FETCH_W-1:0]    at   = rd_addr[b*FETCH_W +: FETCH_W];
                wire [WORD_BITS-1:0]  word = words[b*WORD_BITS +: WORD_BITS];
                reg  [VALUE_BITS-1:0] byte_q; // 0 for codes, which stay as they are
                always @(posedge clk) if (rd_en[b]) byte_q <= at[VALUE_BITS-1:0] & {VALUE_BITS{rd_value}};
                assign rd_word[b*ADDR_W +: ADDR_W] = rd_value ? at[VALUE_BITS +: ADDR_W] : at[ADDR_W-1:0];
                wire [8*VALUES-1:0]   values = word[8*VALUES-1:0];
                assign rd_data[b*WORD_BITS +: WORD_BITS] = {word[WORD_BITS-1:8], values[byte_q*8 +: 8]};
            end
        end
    endgenerate
endmodule
`default_nettype wire
