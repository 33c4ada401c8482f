// Stand-in for lutra_dma_addr in the proofs of the engines around it: any bursts that keep what lutra_dma_addr.props.v
// proves of the real one.
`default_nettype none

module lutra_dma_addr #(
    parameter BEAT_ADDR = 28,
    parameter MAX_BURST = 16,
    parameter ROW_BITS  = 17
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire                          set,
    input  wire [BEAT_ADDR-1:0]          set_addr,
    input  wire [BEAT_ADDR-1:0]          set_stride,
    input  wire [15:0]                   set_rows,
    input  wire                          go,
    input  wire [ROW_BITS-1:0]           row_m1,
    output wire                          req,
    input  wire                          ack,
    output wire [BEAT_ADDR-1:0]          req_addr,
    output wire [$clog2(MAX_BURST)-1:0]  req_len,
    output wire                          req_last,
    output wire                          idle
);

    localparam LB = $clog2(MAX_BURST);

    reg  active;
    wire any_req, any_last;
    wire [BEAT_ADDR-1:0] any_addr;
    wire [LB-1:0]        any_len;

    // free in every cycle
    assign any_req  = $anyseq;
    assign any_last = $anyseq;
    assign any_addr = $anyseq;
    assign any_len  = $anyseq;

    assign req      = active && any_req;
    assign req_addr = any_addr;
    assign req_len  = any_len;
    assign req_last = any_last;
    assign idle     = !active;

    always @* assume ({1'b0, any_addr[LB-1:0]} + {1'b0, any_len} < MAX_BURST);

    always @(posedge clk) begin
        if (go)                          active <= 1'b1;
        else if (req && ack && req_last) active <= 1'b0;
        if (rst) active <= 1'b0;
    end

endmodule

`default_nettype wire
