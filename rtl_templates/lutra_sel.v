// Complement of one bit of digit x weight for a digit in {-1, 0, 1, 2}: w1 is the weight's bit of this place, w2 the one below.
// Synthesis maps it onto the library's best cells (flows/techmap/): abc does not look at gates of six inputs.
`default_nettype none

module lutra_sel (
    input  wire m1,  // digit is -1
    input  wire p1,  // digit is 1
    input  wire p2,  // digit is 2
    input  wire w1,
    input  wire w2,
    output wire n
);
    assign n = ~((m1 & ~w1) | (p1 & w1) | (p2 & w2));
endmodule
`default_nettype wire
