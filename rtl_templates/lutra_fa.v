// Full adder. Synthesis maps it onto the library's full adder cell (flows/techmap/).
`default_nettype none

module lutra_fa (
    input  wire a,
    input  wire b,
    input  wire c,
    output wire s,
    output wire co
);
    assign s  = a ^ b ^ c;
    assign co = (a & b) | (a & c) | (b & c);
endmodule
`default_nettype wire
