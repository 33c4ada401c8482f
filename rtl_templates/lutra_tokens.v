// SPDX-License-Identifier: Apache-2.0
//
// Tokens: six 4-bit counters, one per ordered pair of engines. An engine that waits takes a token, an engine that
// signals gives one (docs/architecture.md, section 4).
//
// Latency: a token given in a cycle can be taken in the next. Giving and taking in one cycle leaves the count.
// A token that no counter can hold is dropped and reported.
//
// Bits of give, take and have: 0 load->exec, 1 load->store, 2 exec->load, 3 exec->store, 4 store->load, 5 store->exec.

`default_nettype none

module lutra_tokens (
    input  wire       clk,
    input  wire       rst,
    input  wire [5:0] give,
    input  wire [5:0] take,   // only where have is 1
    output wire [5:0] have,
    output wire       overflow
);

    wire [5:0] lost;
    assign overflow = |lost;

    genvar i;
    generate
        for (i = 0; i < 6; i = i + 1) begin : pair
            reg [3:0] count;
            assign have[i] = |count;
            assign lost[i] = give[i] && !take[i] && (&count);

            always @(posedge clk) begin
                if (give[i] && !take[i] && !(&count)) count <= count + 4'd1;
                else if (take[i] && !give[i])         count <= count - 4'd1;
                if (rst) count <= 4'd0;
            end
        end
    endgenerate

endmodule

`default_nettype wire
