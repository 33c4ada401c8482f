// Clock gate: gclk is clk in the cycles after those in which `en` was 1. Built to drive about 32 latches; synthesis may map
// it onto a library cell (flows/techmap/).
//
// Latency: en is sampled at the end of a cycle and opens the following high phase.
`default_nettype none

module lutra_clkgate (
    input  wire clk,
    input  wire en,
    output wire gclk
);
    reg held;

    // verilator lint_off LATCH
    always @* if (!clk) held = en;  // transparent while clk is low: gclk cannot glitch
    // verilator lint_on LATCH
    assign gclk = clk & held;
endmodule
`default_nettype wire
