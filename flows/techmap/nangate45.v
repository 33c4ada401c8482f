// Lutra's own cells on the Nangate45 library.
module lutra_fa (input a, input b, input c, output s, output co);
    FA_X1 u (.A(a), .B(b), .CI(c), .S(s), .CO(co));
endmodule

module lutra_ha (input a, input b, output s, output co);
    HA_X1 u (.A(a), .B(b), .S(s), .CO(co));
endmodule

module \$_DLATCH_P_ (input E, input D, output Q);
    DLH_X1 u (.G(E), .D(D), .Q(Q));
endmodule

module \$_DLATCH_N_ (input E, input D, output Q);
    DLL_X1 u (.GN(E), .D(D), .Q(Q));
endmodule

module lutra_sel (input m1, input p1, input p2, input w1, input w2, output n);
    wire nw1 = ~w1;
    AOI222_X1 u (.A1(m1), .A2(nw1), .B1(p1), .B2(w1), .C1(p2), .C2(w2), .ZN(n));
endmodule

module lutra_clkgate (input clk, input en, output gclk);
    CLKGATE_X1 u (.CK(clk), .E(en), .GCK(gclk));
endmodule
