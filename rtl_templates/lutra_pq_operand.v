// Picks the operands of a dense pass of the pq core: MULTS activations for all lanes, MULTS weights for each lane.
//
// Channel mode: window position t has one value (the low byte of its word) and, for each lane, the low byte of the
// entries of its LUT banks, first codebook lowest. 9 multipliers take all positions, 3 those of window row `row`,
// 1 that of row `row` and the column of age `col` (0 the newest).
// Spatial mode: window position row*3 + 2-col has a value for every channel; a pass takes channels block*MULTS .. of it.
// The lane's entries of all banks, first bank lowest, are the weights of ROW_BYTES channels.
//
// Latency: x none, w 1. Parameters: see lutra_exec_pq.
`default_nettype none

module lutra_pq_operand #(
    parameter SPATIAL   = 0,
    parameter LANES     = 16,
    parameter WORD_BITS = 8,
    parameter MULTS     = 1,
    parameter LUT_BITS  = 4,
    parameter CODEBOOKS = 2,
    parameter ROW_BYTES = 1,
    parameter BLOCK_W   = 1,
    parameter BANKS     = SPATIAL ? CODEBOOKS : 9 * CODEBOOKS
) (
    input  wire                            clk,
    input  wire [9*WORD_BITS-1:0]          taps,
    input  wire [BLOCK_W-1:0]              x_block,
    input  wire [1:0]                      x_col,
    input  wire [1:0]                      x_row,
    output wire [MULTS*8-1:0]              x,
    input  wire [BANKS*LANES*LUT_BITS-1:0] entries,
    input  wire [BLOCK_W-1:0]              w_block,
    input  wire [1:0]                      w_col,
    input  wire [1:0]                      w_row,
    output reg  [LANES*MULTS*8-1:0]        w
);
    localparam ROW_BITS = LANES * LUT_BITS;

    genvar i, k, b;
    generate
        if (SPATIAL) begin : g_spatial
            wire [3:0]           position = {x_row, 2'b00} - {2'b00, x_row} + 4'd2 - {2'b00, x_col};
            wire [WORD_BITS-1:0] word = taps[position*WORD_BITS +: WORD_BITS];
            assign x = word[x_block*MULTS*8 +: MULTS*8];

            for (k = 0; k < LANES; k = k + 1) begin : g_lane
                wire [CODEBOOKS*LUT_BITS-1:0] own;
                wire [ROW_BYTES*8-1:0]        bytes = own[ROW_BYTES*8-1:0];
                for (b = 0; b < CODEBOOKS; b = b + 1) begin : g_bank
                    assign own[b*LUT_BITS +: LUT_BITS] = entries[b*ROW_BITS + k*LUT_BITS +: LUT_BITS];
                end
                if (ROW_BYTES == MULTS) begin : g_all
                    always @(posedge clk) w[k*MULTS*8 +: MULTS*8] <= bytes;
                end else begin : g_some
                    wire [$clog2(ROW_BYTES/MULTS)-1:0] at = w_block[$clog2(ROW_BYTES/MULTS)-1:0];
                    always @(posedge clk) w[k*MULTS*8 +: MULTS*8] <= bytes[at*MULTS*8 +: MULTS*8];
                end
                wire unused = &{1'b0, own};
            end
            wire unused = &{1'b0, w_block, w_col, w_row};
        end else begin : g_channel
            wire [9*8-1:0] value; // by position
            for (i = 0; i < 9; i = i + 1) begin : g_value
                assign value[i*8 +: 8] = taps[i*WORD_BITS +: 8];
            end
            lutra_pq_pick #(
                .MULTS(MULTS)
            ) u_x (
                .bytes(value),
                .col(x_col),
                .row(x_row),
                .picked(x)
            );

            for (k = 0; k < LANES; k = k + 1) begin : g_lane
                wire [9*8-1:0]     weight;
                wire [MULTS*8-1:0] picked;
                for (i = 0; i < 9; i = i + 1) begin : g_weight
                    wire [CODEBOOKS*LUT_BITS-1:0] own;
                    for (b = 0; b < CODEBOOKS; b = b + 1) begin : g_bank
                        assign own[b*LUT_BITS +: LUT_BITS] = entries[(i*CODEBOOKS + b)*ROW_BITS + k*LUT_BITS +: LUT_BITS];
                    end
                    assign weight[i*8 +: 8] = own[7:0];
                    wire unused = &{1'b0, own};
                end
                lutra_pq_pick #(
                    .MULTS(MULTS)
                ) u_w (
                    .bytes(weight),
                    .col(w_col),
                    .row(w_row),
                    .picked(picked)
                );
                always @(posedge clk) w[k*MULTS*8 +: MULTS*8] <= picked;
            end
            wire unused = &{1'b0, x_block, w_block, taps};
        end
    endgenerate
endmodule
`default_nettype wire
