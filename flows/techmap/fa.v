// Yosys' $fa (a row of full adders) bit by bit onto lutra_fa; a bit with a constant input is logic, which abc makes smaller.
(* techmap_celltype = "$fa" *)
module lutra_map_fa (A, B, C, X, Y);
    parameter WIDTH = 1;

    (* force_downto *) input [WIDTH-1:0] A, B, C;
    (* force_downto *) output [WIDTH-1:0] X, Y;

    parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_A_ = 0;
    parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_B_ = 0;
    parameter [WIDTH-1:0] _TECHMAP_CONSTMSK_C_ = 0;

    genvar i;
    generate
        for (i = 0; i < WIDTH; i = i + 1) begin : bit
            if (_TECHMAP_CONSTMSK_A_[i] || _TECHMAP_CONSTMSK_B_[i] || _TECHMAP_CONSTMSK_C_[i]) begin
                assign Y[i] = A[i] ^ B[i] ^ C[i];
                assign X[i] = (A[i] & B[i]) | (C[i] & (A[i] | B[i]));
            end else begin
                lutra_fa fa (.a(A[i]), .b(B[i]), .c(C[i]), .s(Y[i]), .co(X[i]));
            end
        end
    endgenerate
endmodule
