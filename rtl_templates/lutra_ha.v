// Half adder. Synthesis maps it onto the library's half adder cell (flows/techmap/).
`default_nettype none

module lutra_ha (
    input  wire a,
    input  wire b,
    output wire s,
    output wire co
);
    assign s  = a ^ b;
    assign co = a & b;
endmodule
`default_nettype wire
