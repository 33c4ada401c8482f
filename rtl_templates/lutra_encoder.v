// The encoders of a configuration: decision trees or nearest prototypes. See lutra_enc_tree and lutra_enc_dist.
//
// Latency: of the kind chosen; ENCODER 0 l1, 1 l2, 2 tree. Parameters: as there.
`default_nettype none

module lutra_encoder #(
    parameter UNITS      = 2,
    parameter LENGTH     = 8,
    parameter PROTOTYPES = 16,
    parameter ENCODER    = 2,
    parameter CYCLES     = 1,
    parameter ENC_BITS   = 8,
    parameter ALONE      = 0,
    parameter ROWS       = 2,
    parameter ROW_W      = 1,
    parameter SLICE      = 128,
    parameter SLICE_W    = 4,
    parameter CODE_BITS  = $clog2(PROTOTYPES)
) (
    input  wire                       clk,
    input  wire                       in_valid,
    input  wire [ROW_W-1:0]           row,
    input  wire                       x_unsigned,
    input  wire [UNITS*LENGTH*8-1:0]  x,
    output wire [UNITS*CODE_BITS-1:0] code,
    input  wire                       ld_en,
    input  wire [ROW_W-1:0]           ld_row,
    input  wire [SLICE_W-1:0]         ld_slice,
    input  wire [SLICE-1:0]           ld_data
);
    // squares of long or wide vectors wait in a register before they are added
    localparam SPLIT = (ENCODER == 1 && ENC_BITS * LENGTH > 20) ? 1 : 0;

    generate
        if (ENCODER == 2) begin : g_tree
            lutra_enc_tree #(
                .UNITS(UNITS),
                .LENGTH(LENGTH),
                .PROTOTYPES(PROTOTYPES),
                .ENC_BITS(ENC_BITS),
                .ALONE(ALONE),
                .ROWS(ROWS),
                .SLICE(SLICE),
                .SLICE_W(SLICE_W)
            ) u_tree (
                .clk(clk),
                .in_valid(in_valid),
                .row(row),
                .x_unsigned(x_unsigned),
                .x(x),
                .code(code),
                .ld_en(ld_en),
                .ld_row(ld_row),
                .ld_slice(ld_slice),
                .ld_data(ld_data)
            );
        end else begin : g_distance
            lutra_enc_dist #(
                .UNITS(UNITS),
                .LENGTH(LENGTH),
                .PROTOTYPES(PROTOTYPES),
                .CYCLES(CYCLES),
                .SQUARE(ENCODER),
                .SPLIT(SPLIT),
                .ENC_BITS(ENC_BITS),
                .ROWS(ROWS),
                .SLICE(SLICE),
                .SLICE_W(SLICE_W)
            ) u_distance (
                .clk(clk),
                .in_valid(in_valid),
                .row(row),
                .x_unsigned(x_unsigned),
                .x(x),
                .code(code),
                .ld_en(ld_en),
                .ld_row(ld_row),
                .ld_slice(ld_slice),
                .ld_data(ld_data)
            );
        end
    endgenerate
endmodule
`default_nettype wire
