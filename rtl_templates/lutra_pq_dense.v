// Operands of the dense multipliers of the pq core: the activations of a pass, recoded once for all lanes, and each lane's
// weights. Unsigned bytes become signed ones (u - 128), also where the position lies outside the input (0).
//
// Latency: window, mask and pass belong to P3 of lutra_exec_pq, entries to PL+1; the operands are valid at PL+2.
// They are 0 for anything but a dense step. Parameters: see lutra_exec_pq; X_DELAY = PL - 2.
`default_nettype none

module lutra_pq_dense #(
    parameter SPATIAL    = 0,
    parameter LANES      = 16,
    parameter WORD_BITS  = 8,
    parameter MULTS      = 1,
    parameter LUT_BITS   = 4,
    parameter CODEBOOKS  = 2,
    parameter ROW_BYTES  = 1,
    parameter BLOCK_W    = 1,
    parameter X_DELAY    = 1,
    parameter DOT_STAGES = 1,
    parameter CODE_W     = 12,
    parameter CORR_W     = 7,
    parameter BANKS      = (SPATIAL != 0) ? CODEBOOKS : 9 * CODEBOOKS
) (
    input  wire                            clk,
    input  wire [9*WORD_BITS-1:0]          taps,
    input  wire [8:0]                      mask,
    input  wire                            dense,       // this step is one
    input  wire                            is_unsigned,
    input  wire [BLOCK_W-1:0]              block,       // the pass
    input  wire [1:0]                      col,
    input  wire [1:0]                      row,
    input  wire [BANKS*LANES*LUT_BITS-1:0] entries,
    output wire [MULTS*CODE_W-1:0]         act_code,
    output wire [CORR_W-1:0]               act_corr,
    output wire [LANES*MULTS*8-1:0]        weights
);
    wire [9*WORD_BITS-1:0] flip;
    wire [MULTS*8-1:0]     x;
    wire [MULTS*8-1:0]     x_late;
    wire [BLOCK_W-1:0]     w_block; // the pass at PL+1
    wire [1:0]             w_col, w_row;

    genvar i, j;
    generate
        for (i = 0; i < 9; i = i + 1) begin : g_flip
            for (j = 0; j < WORD_BITS; j = j + 1) begin : g_bit
                assign flip[i*WORD_BITS + j] =
                    dense && ((taps[i*WORD_BITS + j] && mask[i]) ^ (is_unsigned && j % 8 == 7));
            end
        end
    endgenerate

    lutra_pq_delay #(
        .WIDTH(MULTS*8),
        .CYCLES(X_DELAY)
    ) u_x (
        .clk(clk),
        .clear(1'b0),
        .d(x),
        .q(x_late)
    );
    lutra_recode #(
        .LANES(MULTS),
        .DOT_STAGES(DOT_STAGES),
        .CODE_W(CODE_W),
        .CORR_W(CORR_W)
    ) u_recode (
        .clk(clk),
        .a(x_late),
        .code(act_code),
        .corr(act_corr)
    );
    lutra_pq_delay #(
        .WIDTH(BLOCK_W + 4),
        .CYCLES(X_DELAY)
    ) u_pass (
        .clk(clk),
        .clear(1'b0),
        .d({block, col, row}),
        .q({w_block, w_col, w_row})
    );
    lutra_pq_operand #(
        .SPATIAL(SPATIAL),
        .LANES(LANES),
        .WORD_BITS(WORD_BITS),
        .MULTS(MULTS),
        .LUT_BITS(LUT_BITS),
        .CODEBOOKS(CODEBOOKS),
        .ROW_BYTES(ROW_BYTES),
        .BLOCK_W(BLOCK_W)
    ) u_operand (
        .clk(clk),
        .taps(flip),
        .x_block(block),
        .x_col(col),
        .x_row(row),
        .x(x),
        .entries(entries),
        .w_block(w_block),
        .w_col(w_col),
        .w_row(w_row),
        .w(weights)
    );
endmodule
`default_nettype wire
