// Picks the bytes of a dense pass out of nine window positions (row-major): all, one window row, or one position.
//
// Combinational. col counts from the newest column, position 2 of its row. Parameter: MULTS 9, 3 or 1 bytes.
`default_nettype none

module lutra_pq_pick #(
    parameter MULTS = 1
) (
    input  wire [71:0]        bytes,
    // verilator lint_off UNUSED
    input  wire [1:0]         col, // used if MULTS is 1
    input  wire [1:0]         row, // used if MULTS is 1 or 3
    // verilator lint_on UNUSED
    output wire [MULTS*8-1:0] picked
);
    generate
        if (MULTS == 9) begin : g_all
            assign picked = bytes;
        end else begin : g_row
            wire [23:0] line = row[1] ? bytes[71:48] : row[0] ? bytes[47:24] : bytes[23:0];
            if (MULTS == 3) begin : g_three
                assign picked = line;
            end else begin : g_one
                assign picked = col[1] ? line[7:0] : col[0] ? line[15:8] : line[23:16];
            end
        end
    endgenerate
endmodule
`default_nettype wire
