// Codes that address the LUT memory of the pq core, made from the window.
//
// Channel mode: the codes in the words of the nine window positions, at once; `covered` tells which positions count.
// Spatial mode: each channel's 3 x 3 window, 0 outside the input, goes through that channel's encoder.
//
// Latency: taps and mask belong to P3 of lutra_exec_pq; codes to PL: P3 (channel) or P2 + the encoders' latency
// (spatial). enc_valid, enc_word and pass belong to P2, pl_mask to PL. Parameters: see lutra_exec_pq.
`default_nettype none

module lutra_pq_codes #(
    parameter SPATIAL    = 0,
    parameter LANES      = 16,
    parameter WORD_BITS  = 8,
    parameter CODEBOOKS  = 2,
    parameter PROTOTYPES = 16,
    parameter ENCODER    = 2,
    parameter ENC_BITS   = 8,
    parameter ENC_CYCLES = 1,
    parameter ENC_ROWS   = 2,
    parameter ENC_AW     = 1,
    parameter SLICE      = 128,
    parameter SLICE_W    = 4,
    parameter BLOCK_W    = 1,
    parameter CODE_BITS  = $clog2(PROTOTYPES),
    parameter BANKS      = (SPATIAL != 0) ? CODEBOOKS : 9 * CODEBOOKS
) (
    input  wire                       clk,
    input  wire [9*WORD_BITS-1:0]     taps,
    input  wire [8:0]                 mask,
    input  wire                       is_unsigned,
    input  wire                       enc_valid,
    input  wire [15:0]                enc_word,
    input  wire [BLOCK_W-1:0]         pass,
    input  wire [8:0]                 pl_mask,
    output wire [BANKS*CODE_BITS-1:0] codes,
    output wire [BANKS-1:0]           covered,
    input  wire                       ld_en,
    input  wire [ENC_AW-1:0]          ld_row,
    input  wire [SLICE_W-1:0]         ld_slice,
    input  wire [SLICE-1:0]           ld_data
);
    localparam STEP_BITS = (ENC_CYCLES > 1) ? $clog2(ENC_CYCLES) : 0;

    genvar i, j;
    generate
        if (SPATIAL != 0) begin : g_spatial
            wire [LANES*9*8-1:0] x;
            wire [ENC_AW-1:0]    row;

            for (i = 0; i < LANES; i = i + 1) begin : g_channel
                for (j = 0; j < 9; j = j + 1) begin : g_tap
                    assign x[(i*9 + j)*8 +: 8] = taps[(j*LANES + i)*8 +: 8] & {8{mask[j]}};
                end
            end
            if (STEP_BITS > 0) begin : g_passes
                assign row = {enc_word[ENC_AW-STEP_BITS-1:0], pass[STEP_BITS-1:0]};
            end else begin : g_pass
                assign row = enc_word[ENC_AW-1:0];
            end

            lutra_encoder #(
                .UNITS(LANES),
                .LENGTH(9),
                .PROTOTYPES(PROTOTYPES),
                .ENCODER(ENCODER),
                .CYCLES(ENC_CYCLES),
                .ENC_BITS(ENC_BITS),
                .ROWS(ENC_ROWS),
                .ROW_W(ENC_AW),
                .SLICE(SLICE),
                .SLICE_W(SLICE_W)
            ) u_encoder (
                .clk(clk),
                .in_valid(enc_valid),
                .row(row),
                .x_unsigned(is_unsigned),
                .x(x),
                .code(codes),
                .ld_en(ld_en),
                .ld_row(ld_row),
                .ld_slice(ld_slice),
                .ld_data(ld_data)
            );
            assign covered = {BANKS{1'b1}};
            wire unused = &{1'b0, enc_word, pass, pl_mask};
        end else begin : g_channel
            for (i = 0; i < 9; i = i + 1) begin : g_tap
                for (j = 0; j < CODEBOOKS; j = j + 1) begin : g_codebook
                    assign codes[(i*CODEBOOKS + j)*CODE_BITS +: CODE_BITS] = taps[i*WORD_BITS + j*CODE_BITS +: CODE_BITS];
                    assign covered[i*CODEBOOKS + j] = pl_mask[i];
                end
            end
            wire unused = &{1'b0, clk, taps, mask, is_unsigned, enc_valid, enc_word, pass, ld_en, ld_row, ld_slice, ld_data};
        end
    endgenerate
endmodule
`default_nettype wire
