// Multipliers as arrays of full adders: Baugh-Wooley partial products, which need no sign extension, reduced by rows of $fa
// (3:2 carry-save adders) in a Wallace tree, and one final adder. Multiplications by a constant, and products of one or two
// bits, are left to Yosys.
(* techmap_celltype = "$mul" *)
module lutra_map_mul (A, B, Y);
    parameter A_SIGNED = 0;
    parameter B_SIGNED = 0;
    parameter A_WIDTH = 1;
    parameter B_WIDTH = 1;
    parameter Y_WIDTH = 1;

    (* force_downto *) input [A_WIDTH-1:0] A;
    (* force_downto *) input [B_WIDTH-1:0] B;
    (* force_downto *) output [Y_WIDTH-1:0] Y;

    parameter _TECHMAP_CONSTMSK_A_ = 0;
    parameter _TECHMAP_CONSTMSK_B_ = 0;

    wire _TECHMAP_FAIL_ = A_WIDTH < 3 || B_WIDTH < 3 || A_SIGNED != B_SIGNED || &_TECHMAP_CONSTMSK_A_ ||
                          &_TECHMAP_CONSTMSK_B_;

    // x is the wider operand: fewer rows.
    localparam XW = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
    localparam ZW = A_WIDTH > B_WIDTH ? B_WIDTH : A_WIDTH;
    wire [XW-1:0] x;
    wire [ZW-1:0] z;
    generate
        if (A_WIDTH >= B_WIDTH) begin : straight
            assign x = A;
            assign z = B;
        end else begin : swapped
            assign x = B;
            assign z = A;
        end
    endgenerate

    // One row per bit of z and one for the constants of Baugh and Wooley; P columns.
    localparam P = A_WIDTH + B_WIDTH < Y_WIDTH ? A_WIDTH + B_WIDTH : Y_WIDTH;
    localparam ROWS = ZW + 1;

    // Rows left after one more level of 3:2 reduction.
    function integer reduced;
        input integer rows;
        reduced = 2 * (rows / 3) + rows % 3;
    endfunction

    function integer rows_at;
        input integer level;
        integer i;
        begin
            rows_at = ROWS;
            for (i = 0; i < level; i = i + 1) rows_at = reduced(rows_at);
        end
    endfunction

    function integer levels;
        input integer rows;
        begin
            levels = 0;
            while (rows > 2) begin
                rows = reduced(rows);
                levels = levels + 1;
            end
        end
    endfunction

    localparam LEVELS = levels(ROWS);

    // Signed: the products of one sign bit and one other bit are inverted, and 1 is added at XW-1, at ZW-1 and
    // at the top bit.
    localparam [A_WIDTH+B_WIDTH:0] FIX =
        A_SIGNED ? (1 << (XW - 1)) + (1 << (ZW - 1)) + (1 << (A_WIDTH + B_WIDTH - 1)) : 0;

    wire [P*(LEVELS+1)*ROWS-1:0] row; // row r of level l at bit P*(l*ROWS+r)

    genvar i, j, l;
    generate
        for (i = 0; i < ZW; i = i + 1) begin : partial
            wire [A_WIDTH+B_WIDTH-1:0] bits;
            for (j = 0; j < A_WIDTH + B_WIDTH; j = j + 1) begin : column
                if (j < i || j >= i + XW)
                    assign bits[j] = 1'b0;
                else if (A_SIGNED && ((i == ZW - 1) != (j - i == XW - 1)))
                    assign bits[j] = ~(x[j-i] & z[i]);
                else
                    assign bits[j] = x[j-i] & z[i];
            end
            assign row[P*i +: P] = bits[P-1:0];
        end
        assign row[P*ZW +: P] = FIX[P-1:0];

        for (l = 0; l < LEVELS; l = l + 1) begin : level
            for (i = 0; i < rows_at(l) / 3; i = i + 1) begin : adder
                wire [P-1:0] carry;
                \$fa #(.WIDTH(P)) fa (
                    .A(row[P*(l*ROWS+3*i) +: P]), .B(row[P*(l*ROWS+3*i+1) +: P]), .C(row[P*(l*ROWS+3*i+2) +: P]),
                    .Y(row[P*((l+1)*ROWS+2*i) +: P]), .X(carry)
                );
                assign row[P*((l+1)*ROWS+2*i+1) +: P] = carry << 1;
            end
            for (i = 0; i < rows_at(l) % 3; i = i + 1) begin : pass
                assign row[P*((l+1)*ROWS+2*(rows_at(l)/3)+i) +: P] = row[P*(l*ROWS+3*(rows_at(l)/3)+i) +: P];
            end
        end
    endgenerate

    wire [P-1:0] sum = row[P*(LEVELS*ROWS) +: P] + row[P*(LEVELS*ROWS+1) +: P];
    generate
        if (P < Y_WIDTH)
            assign Y = {{(Y_WIDTH - P){A_SIGNED ? sum[P-1] : 1'b0}}, sum};
        else
            assign Y = sum;
    endgenerate
endmodule
