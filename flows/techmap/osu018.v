// Lutra's own cells on the osu018 library.
module lutra_fa (input a, input b, input c, output s, output co);
    FAX1 u (.A(a), .B(b), .C(c), .YS(s), .YC(co));
endmodule

module lutra_ha (input a, input b, output s, output co);
    HAX1 u (.A(a), .B(b), .YS(s), .YC(co));
endmodule

module \$_DLATCH_P_ (input E, input D, output Q);
    LATCH u (.CLK(E), .D(D), .Q(Q));
endmodule

module \$_DLATCH_N_ (input E, input D, output Q);
    wire g;
    INVX1 n (.A(E), .Y(g));
    LATCH u (.CLK(g), .D(D), .Q(Q));
endmodule

module lutra_sel (input m1, input p1, input p2, input w1, input w2, output n);
    wire nm1 = ~m1, np1 = ~p1, one;
    MUX2X1 u (.A(np1), .B(nm1), .S(w1), .Y(one));
    AOI21X1 v (.A(p2), .B(w2), .C(one), .Y(n));
endmodule

module lutra_clkgate (input clk, input en, output gclk);
    wire low, held, n;
    INVX1 u_low (.A(clk), .Y(low));
    LATCH u_held (.CLK(low), .D(en), .Q(held));
    NAND2X1 u_gate (.A(clk), .B(held), .Y(n));
    INVX8 u_out (.A(n), .Y(gclk));
endmodule
