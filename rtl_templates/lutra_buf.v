// Buffer of a signal that many columns use. Synthesis maps it onto a strong buffer cell (flows/techmap/): a hierarchical
// flow sees no fan-out across modules and would leave it out.
`default_nettype none

module lutra_buf (
    input  wire a,
    output wire y
);
    assign y = a;
endmodule
`default_nettype wire
