// Output side of the pq core: constants of the operation whose results enter the post unit, and the addresses of each
// result (feature buffer, residual, code map), pixel by pixel.
//
// The issue logic may already work on the next operation; this module takes its constants over when the operation's
// first pixel arrives (`handed` goes high then).
//
// Latency: everything about a pixel is valid in the cycle after `pixel`.
// Parameters: CODE_ADDR_W, FB_ADDR_W address widths, GROUP_W parameter-group width, ENC_W encoder-word width.
`default_nettype none

module lutra_pq_out #(
    parameter CODE_ADDR_W = 9,
    parameter FB_ADDR_W   = 11,
    parameter GROUP_W     = 3,
    parameter ENC_W       = 1
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   accept,      // a new operation is at issue from the next cycle on
    output reg                    handed,
    input  wire                   skip,        // the operation ends without results (ACC_OUT)
    // verilator lint_off UNUSED
    input  wire [511:0]           desc,        // of the operation at issue
    // verilator lint_on UNUSED
    input  wire                   pixel,
    input  wire                   op_first,    // the operation's first pixel
    input  wire                   store,       // an ACC_OUT byte word is written in the next cycle
    input  wire                   store_first, // ... the operation's first
    // constants
    output reg  [5:0]             shift,
    output reg  [9:0]             lo,
    output reg  [9:0]             hi,
    output reg  [15:0]            res_mult,
    output reg                    res_unsigned,
    output reg                    res_en,
    output reg                    out_unsigned,
    output reg                    write_fb,
    output reg                    write_code,
    output reg                    code_raw,
    output reg                    code_map,
    output reg  [GROUP_W-1:0]     group,
    output reg  [ENC_W-1:0]       enc_word,
    // addresses
    output reg  [FB_ADDR_W-1:0]   fb_addr,
    output reg  [FB_ADDR_W-1:0]   res_addr,
    output reg  [1:0]             code_bank,
    output reg  [CODE_ADDR_W-1:0] code_addr
);
    `include "lutra_desc.vh"

    reg  [11:0]            q, out_w;
    reg  [3:0]             res_step;
    reg  [FB_ADDR_W-1:0]   res_pitch, res_row;
    reg  [CODE_ADDR_W-1:0] code_pitch, code_step, code_row;

    wire                   row_end   = q == out_w - 12'd1;
    wire [FB_ADDR_W-1:0]   res_below = res_row + res_pitch;
    wire                   wrap      = code_bank == 2'd2;
    wire [CODE_ADDR_W-1:0] code_next = code_row + (wrap ? code_pitch : {CODE_ADDR_W{1'b0}});
    wire                   take      = pixel && op_first;

    always @(posedge clk) begin
        if (rst) handed <= 1'b1;
        else     handed <= !accept && (handed || take || skip);

        if (take) begin
            shift        <= desc[`LUTRA_D_SHIFT];
            lo           <= desc[`LUTRA_D_LO];
            hi           <= desc[`LUTRA_D_HI];
            res_mult     <= desc[`LUTRA_D_RES_MULT];
            res_unsigned <= desc[`LUTRA_D_RES_UNSIGNED];
            res_en       <= desc[`LUTRA_D_RES_EN];
            out_unsigned <= desc[`LUTRA_D_OUT_UNSIGNED];
            write_fb     <= desc[`LUTRA_D_WRITE_FB];
            write_code   <= desc[`LUTRA_D_WRITE_CODE];
            code_raw     <= desc[`LUTRA_D_CODE_RAW];
            code_map     <= desc[`LUTRA_D_CODE_OUT_MAP];
            group        <= desc[272 +: GROUP_W];
            enc_word     <= desc[480 +: ENC_W];
            out_w        <= desc[`LUTRA_D_OUT_W];
            res_step     <= desc[`LUTRA_D_RES_STEP];
            res_pitch    <= desc[336 +: FB_ADDR_W];
            code_pitch   <= desc[112 +: CODE_ADDR_W];
            code_step    <= desc[465 +: CODE_ADDR_W];
        end

        if (take || store_first) fb_addr <= desc[96 +: FB_ADDR_W];
        else if (pixel || store) fb_addr <= fb_addr + 1'b1;

        if (take) begin
            q         <= 12'd0;
            res_addr  <= desc[320 +: FB_ADDR_W];
            res_row   <= desc[320 +: FB_ADDR_W];
            code_bank <= desc[355:354];
            code_addr <= desc[448 +: CODE_ADDR_W];
            code_row  <= desc[448 +: CODE_ADDR_W];
        end else if (pixel && row_end) begin
            q         <= 12'd0;
            res_addr  <= res_below;
            res_row   <= res_below;
            code_bank <= wrap ? 2'd0 : code_bank + 2'd1;
            code_addr <= code_next;
            code_row  <= code_next;
        end else if (pixel) begin
            q         <= q + 12'd1;
            res_addr  <= res_addr + {{(FB_ADDR_W-4){1'b0}}, res_step};
            code_addr <= code_addr + code_step;
        end
    end
endmodule
`default_nettype wire
