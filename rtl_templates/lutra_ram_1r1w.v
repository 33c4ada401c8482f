// SPDX-License-Identifier: Apache-2.0
//
// Two-port memory: one read and one write per cycle, same clock.
//
// This module and lutra_ram_1rw are the only memories of the design. Simulation and FPGA flows infer them from the
// code below; the cell-library flow black-boxes them and charges a macro (docs/sram-model.md).
//
// Latency: rdata shows mem[raddr] one cycle after re = 1 and holds its value otherwise. A read of the address that is
// written in the same cycle returns the old word in simulation; macros differ here, so a design must not rely on it.
// There is no reset and no initial content.
//
// Parameters:
//   WIDTH  bits per word, 1 or more
//   DEPTH  words, 1 or more; need not be a power of two. Addresses must stay below DEPTH while their enable is 1.

`default_nettype none

module lutra_ram_1r1w #(
    parameter WIDTH = 8,
    parameter DEPTH = 16
) (
    input  wire                                          clk,
    input  wire                                          we,
    input  wire [((DEPTH > 1) ? $clog2(DEPTH) : 1)-1:0]  waddr,
    input  wire [WIDTH-1:0]                              wdata,
    input  wire                                          re,
    input  wire [((DEPTH > 1) ? $clog2(DEPTH) : 1)-1:0]  raddr,
    output reg  [WIDTH-1:0]                              rdata
);

    reg [WIDTH-1:0] mem [0:DEPTH-1];

    always @(posedge clk) begin
        if (we) mem[waddr] <= wdata;
        if (re) rdata <= mem[raddr];
    end

endmodule

`default_nettype wire
