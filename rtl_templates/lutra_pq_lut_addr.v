// LUT addresses of the pq core: one row of the LUT memory for each of BANKS codes.
//
// A row is made of the counter `row` and, in the bits of `coded`, the code: its place within the set of rows that a
// lookup step chooses from. With MIRROR = 1 only half a table is stored, that of codes with a 0 on top: any other code
// reads the row of its complement, whose entries are the negative of its own; `mirrored` says so. Dense steps are never
// mirrored.
//
// Combinational. Parameters: BANKS codes of CODE_BITS; LENGTH of a subvector; ALONE = 1: the codes are of trees that
// compare every element alone; MIRROR as above; ADDR_W bits of a row's address.
`default_nettype none

module lutra_pq_lut_addr #(
    parameter BANKS     = 18,
    parameter CODE_BITS = 4,
    parameter LENGTH    = 8,
    parameter ALONE     = 0,
    parameter MIRROR    = 0,
    parameter ADDR_W    = 6,
    parameter SET_BITS  = CODE_BITS - ((MIRROR != 0) ? 1 : 0), // of a row within its set
    parameter SET_W     = (SET_BITS > 0) ? SET_BITS : 1
) (
    input  wire [BANKS*CODE_BITS-1:0] codes,
    input  wire                       dense,
    input  wire [ADDR_W-1:0]          row,
    input  wire [SET_W-1:0]           coded,
    output wire [BANKS*ADDR_W-1:0]    addr,
    output wire [BANKS-1:0]           mirrored
);
    `include "lutra_pq_levels.vh"

    // bit of a code (its mirrored half folded onto the other) that bit i of the row within a set is: the elements' first
    // decisions come lowest, so that the bits which layers with fewer prototypes lack are the highest
    function integer code_bit(input integer i);
        code_bit = ALONE ? CODE_BITS - 1 - first_level((i + 1) % LENGTH, CODE_BITS, LENGTH) - (i + 1) / LENGTH : i;
    endfunction

    genvar i, j;
    generate
        for (i = 0; i < BANKS; i = i + 1) begin : g_bank
            wire [CODE_BITS-1:0] code = codes[i*CODE_BITS +: CODE_BITS];
            wire [CODE_BITS-1:0] at   = code ^ {CODE_BITS{mirrored[i]}}; // within the set
            assign mirrored[i] = MIRROR != 0 && !dense && code[CODE_BITS-1];
            for (j = 0; j < ADDR_W; j = j + 1) begin : g_bit
                if (j < SET_BITS) begin : g_coded
                    localparam FROM = code_bit(j);
                    assign addr[i*ADDR_W + j] = coded[j] ? at[FROM] : row[j];
                end else begin : g_row
                    assign addr[i*ADDR_W + j] = row[j];
                end
            end
            wire unused = &{1'b0, at, coded};
        end
    endgenerate
endmodule
`default_nettype wire
