// lutra_exec_pq with its code-memory writes made visible, for tests/rtl/exec_pq.sh. Parameters: see lutra_exec_pq.
`default_nettype none

module exec_pq_top #(
    parameter LANES         = 4,
    parameter ACC_BITS      = 20,
    parameter MULT_BITS     = 12,
    parameter POST_LANES    = 4,
    parameter PARAM_GROUPS  = 2,
    parameter PQ_MODE       = 0,
    parameter PQ_PROTOTYPES = 16,
    parameter PQ_LENGTH     = 2,
    parameter PQ_ENCODER    = 2,
    parameter PQ_ENC_BITS   = 8,
    parameter PQ_ENC_CYCLES = 1,
    parameter PQ_LUT_BITS   = 4,
    parameter PQ_MIRROR     = 0,
    parameter PQ_CODEBOOKS  = 2,
    parameter PQ_CHUNKS     = 2,
    parameter PQ_LUT_ROWS   = 2,
    parameter PQ_CODE_WORDS = 100,
    parameter PQ_DENSE      = 1,
    parameter LD_BITS       = 4096
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               op_valid,
    output wire               op_ready,
    input  wire [511:0]       op_desc,
    output wire               op_done,
    output wire               fb_rd_en,
    output wire [9:0]         fb_rd_addr,
    input  wire [LANES*8-1:0] fb_rd_data,
    output wire               fb_res_en,
    output wire [9:0]         fb_res_addr,
    input  wire [LANES*8-1:0] fb_res_data,
    output wire               fb_wr_en,
    output wire [9:0]         fb_wr_addr,
    output wire [LANES*8-1:0] fb_wr_data,
    input  wire               ld_valid,
    input  wire [2:0]         ld_target,
    input  wire [15:0]        ld_addr,
    input  wire [LD_BITS-1:0] ld_data,
    output wire               issue,
    output wire               conflict,
    output wire               code_wr_en,
    output wire               code_wr_map,
    output wire [1:0]         code_wr_bank,
    output wire [15:0]        code_wr_addr,
    output wire [LANES*8+63:0] code_wr_data
);
    localparam CODE_BITS = PQ_CODEBOOKS * $clog2(PQ_PROTOTYPES);
    localparam WORD_BITS = PQ_MODE ? 8*LANES : (CODE_BITS > 8) ? CODE_BITS : 8;
    localparam CODE_AW   = $clog2(PQ_CODE_WORDS);

    lutra_exec_pq #(
        .LANES(LANES),
        .ACC_BITS(ACC_BITS),
        .MULT_BITS(MULT_BITS),
        .POST_LANES(POST_LANES),
        .PARAM_GROUPS(PARAM_GROUPS),
        .FB_BANKS(4),
        .FB_WORDS(256),
        .PQ_MODE(PQ_MODE),
        .PQ_PROTOTYPES(PQ_PROTOTYPES),
        .PQ_LENGTH(PQ_LENGTH),
        .PQ_ENCODER(PQ_ENCODER),
        .PQ_ENC_BITS(PQ_ENC_BITS),
        .PQ_ENC_CYCLES(PQ_ENC_CYCLES),
        .PQ_LUT_BITS(PQ_LUT_BITS),
        .PQ_MIRROR(PQ_MIRROR),
        .PQ_CODEBOOKS(PQ_CODEBOOKS),
        .PQ_CHUNKS(PQ_CHUNKS),
        .PQ_LUT_ROWS(PQ_LUT_ROWS),
        .PQ_CODE_WORDS(PQ_CODE_WORDS),
        .PQ_DENSE(PQ_DENSE),
        .LD_BITS(LD_BITS)
    ) dut (
        .clk(clk),
        .rst(rst),
        .op_valid(op_valid),
        .op_ready(op_ready),
        .op_desc(op_desc),
        .op_done(op_done),
        .fb_rd_en(fb_rd_en),
        .fb_rd_addr(fb_rd_addr),
        .fb_rd_data(fb_rd_data),
        .fb_res_en(fb_res_en),
        .fb_res_addr(fb_res_addr),
        .fb_res_data(fb_res_data),
        .fb_wr_en(fb_wr_en),
        .fb_wr_addr(fb_wr_addr),
        .fb_wr_data(fb_wr_data),
        .ld_valid(ld_valid),
        .ld_target(ld_target),
        .ld_addr(ld_addr),
        .ld_data(ld_data),
        .issue(issue),
        .conflict(conflict)
    );

    assign code_wr_en   = dut.code_wr_en;
    assign code_wr_map  = dut.code_wr_map;
    assign code_wr_bank = dut.code_wr_bank;
    assign code_wr_addr = {{(16-CODE_AW){1'b0}}, dut.code_wr_addr};
    assign code_wr_data = {{(LANES*8+64-WORD_BITS){1'b0}}, dut.code_wr_data};
endmodule
`default_nettype wire
