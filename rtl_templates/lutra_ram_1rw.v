// SPDX-License-Identifier: Apache-2.0
//
// Single-port memory: one read or one write per cycle.
//
// This module and lutra_ram_1r1w are the only memories of the design. Simulation and FPGA flows infer them from the
// code below; the cell-library flow black-boxes them and charges a macro (docs/sram-model.md).
//
// Latency: rdata shows mem[addr] one cycle after en = 1, we = 0, and holds its value otherwise, also over writes.
// There is no reset and no initial content.
//
// Parameters:
//   WIDTH  bits per word, 1 or more
//   DEPTH  words, 1 or more; need not be a power of two. addr must stay below DEPTH while en = 1.

`default_nettype none

module lutra_ram_1rw #(
    parameter WIDTH = 8,
    parameter DEPTH = 16
) (
    input  wire                                          clk,
    input  wire                                          en,
    input  wire                                          we,
    input  wire [((DEPTH > 1) ? $clog2(DEPTH) : 1)-1:0]  addr,
    input  wire [WIDTH-1:0]                              wdata,
    output reg  [WIDTH-1:0]                              rdata
);

    reg [WIDTH-1:0] mem [0:DEPTH-1];

    always @(posedge clk) begin
        if (en) begin
            if (we) mem[addr] <= wdata;
            else    rdata <= mem[addr];
        end
    end

endmodule

`default_nettype wire
