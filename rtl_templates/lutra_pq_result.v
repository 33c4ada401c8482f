// Results of the pq core: from the accumulators through the post unit to the feature buffer and the code writer, or, in an
// ACC_OUT operation, the accumulators themselves to the feature buffer.
//
// Latency: ps_* belong to PS of lutra_exec_pq, acc and held to PS+1, where a pixel enters the post unit.
// Parameters: see lutra_exec_pq; TAG_W = CODE_AW + 3.
`default_nettype none

module lutra_pq_result #(
    parameter LANES        = 16,
    parameter ACC_BITS     = 20,
    parameter MULT_BITS    = 12,
    parameter POST_LANES   = 16,
    parameter PARAM_GROUPS = 4,
    parameter FB_ADDR_W    = 11,
    parameter CODE_AW      = 9,
    parameter ENC_W        = 1,
    parameter LD_BITS      = 1024,
    parameter TAG_W        = CODE_AW + 3
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      accept,
    output wire                      handed,
    input  wire [511:0]              desc,
    input  wire                      ps_end,
    input  wire                      ps_store,
    input  wire                      ps_op_first,
    input  wire                      ps_op_last,
    input  wire [1:0]                ps_byte,
    input  wire [LANES*ACC_BITS-1:0] acc,
    input  wire [LANES*ACC_BITS-1:0] held,
    input  wire                      ld_param,
    input  wire [15:0]               ld_addr,
    input  wire [LD_BITS-1:0]        ld_data,
    output wire                      fb_res_en,
    output wire [FB_ADDR_W-1:0]      fb_res_addr,
    input  wire [LANES*8-1:0]        fb_res_data,
    output wire                      fb_wr_en,
    output wire [FB_ADDR_W-1:0]      fb_wr_addr,
    output wire [LANES*8-1:0]        fb_wr_data,
    // to the code writer: word, {last of the operation, bank, address}, how
    output wire                      post_valid,
    output wire [TAG_W-1:0]          post_tag,
    output wire [LANES*8-1:0]        post_data,
    output wire                      op_write_code,
    output wire                      op_code_raw,
    output wire                      op_code_map,
    output wire                      op_out_unsigned,
    output wire [ENC_W-1:0]          op_enc_word,
    output reg                       store_done, // the last ACC_OUT word has been written
    output wire                      clash       // the post unit was not ready: the schedule is wrong
);
    localparam T         = LANES;
    localparam GROUP_W   = $clog2(2 * PARAM_GROUPS);
    localparam ACC_BYTES = (ACC_BITS + 7) / 8;

    reg        px_valid, px_last, px_store, px_store_last;
    reg  [1:0] px_byte;
    reg        store_first; // the next ACC_OUT word is its operation's first
    always @(posedge clk) begin
        px_valid      <= ps_end && !rst;
        px_last       <= ps_op_last;
        px_store      <= ps_store && !rst;
        px_store_last <= ps_store && ps_op_last && !rst;
        px_byte       <= ps_byte;
        if (rst)           store_first <= 1'b1;
        else if (ps_store) store_first <= ps_op_last;
    end

    wire [5:0]           op_shift;
    wire [9:0]           op_lo, op_hi;
    wire [15:0]          op_res_mult;
    wire                 op_res_unsigned, op_res_en, op_write_fb;
    wire [GROUP_W-1:0]   op_group;
    wire [FB_ADDR_W-1:0] out_fb_addr, out_res_addr;
    wire [1:0]           out_code_bank;
    wire [CODE_AW-1:0]   out_code_addr;

    lutra_pq_out #(
        .CODE_ADDR_W(CODE_AW),
        .FB_ADDR_W(FB_ADDR_W),
        .GROUP_W(GROUP_W),
        .ENC_W(ENC_W)
    ) u_out (
        .clk(clk),
        .rst(rst),
        .accept(accept),
        .handed(handed),
        .skip(ps_store && ps_op_last),
        .desc(desc),
        .pixel(ps_end),
        .op_first(ps_op_first),
        .store(ps_store),
        .store_first(ps_store && store_first),
        .shift(op_shift),
        .lo(op_lo),
        .hi(op_hi),
        .res_mult(op_res_mult),
        .res_unsigned(op_res_unsigned),
        .res_en(op_res_en),
        .out_unsigned(op_out_unsigned),
        .write_fb(op_write_fb),
        .write_code(op_write_code),
        .code_raw(op_code_raw),
        .code_map(op_code_map),
        .group(op_group),
        .enc_word(op_enc_word),
        .fb_addr(out_fb_addr),
        .res_addr(out_res_addr),
        .code_bank(out_code_bank),
        .code_addr(out_code_addr)
    );

    wire                 post_ready, post_wr_en;
    wire [FB_ADDR_W-1:0] post_wr_addr;
    // verilator lint_off UNUSED
    wire                 post_acc_done, post_busy; // the schedule knows
    // verilator lint_on UNUSED

    lutra_post #(
        .LANES(T),
        .POST_LANES(POST_LANES),
        .ACC_BITS(ACC_BITS),
        .MULT_BITS(MULT_BITS),
        .PARAM_GROUPS(PARAM_GROUPS),
        .FB_ADDR_W(FB_ADDR_W),
        .TAG_W(TAG_W),
        .LD_BITS(LD_BITS)
    ) u_post (
        .clk(clk),
        .rst(rst),
        .ld_valid(ld_param),
        .ld_addr(ld_addr),
        .ld_data(ld_data),
        .shift(op_shift),
        .lo(op_lo),
        .hi(op_hi),
        .res_mult(op_res_mult),
        .res_unsigned(op_res_unsigned),
        .in_valid(px_valid),
        .in_ready(post_ready),
        .in_acc_done(post_acc_done),
        .in_acc(held),
        .in_group(op_group),
        .in_wr_en(op_write_fb),
        .in_wr_addr(out_fb_addr),
        .in_res_op(op_res_en),
        .in_res_en(op_res_en),
        .in_res_addr(out_res_addr),
        .in_tag({px_last, out_code_bank, out_code_addr}),
        .fb_res_en(fb_res_en),
        .fb_res_addr(fb_res_addr),
        .fb_res_data(fb_res_data),
        .fb_wr_en(post_wr_en),
        .fb_wr_addr(post_wr_addr),
        .fb_wr_data(post_data),
        .out_valid(post_valid),
        .out_tag(post_tag),
        .busy(post_busy)
    );

    // ACC_OUT: byte px_byte counted from the top of the sign-extended accumulator
    wire [8*T-1:0] acc_byte;
    genvar i;
    generate
        for (i = 0; i < T; i = i + 1) begin : g_acc_byte
            wire [8*ACC_BYTES-1:0] wide = {{(8*ACC_BYTES-ACC_BITS+1){acc[i*ACC_BITS + ACC_BITS-1]}},
                                           acc[i*ACC_BITS +: ACC_BITS-1]};
            wire [8*ACC_BYTES-1:0] up   = wide << {px_byte, 3'b000};
            assign acc_byte[i*8 +: 8] = up[8*ACC_BYTES-1 -: 8];
            wire unused = &{1'b0, up};
        end
    endgenerate
    assign fb_wr_en   = px_store || post_wr_en;
    assign fb_wr_addr = px_store ? out_fb_addr : post_wr_addr;
    assign fb_wr_data = px_store ? acc_byte : post_data;

    assign clash      = px_valid && !post_ready;
    always @(posedge clk) store_done <= px_store_last && !rst;
endmodule
`default_nettype wire
