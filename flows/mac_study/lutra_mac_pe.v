// Cell of lutra_mac_mesh: p_out = p_in + a * w, weights double-buffered.
//
// Latency: 1 to a_out and swap_out, 2 from a_in to p_out, 1 from p_in. A shadow weight becomes the working one together
// with the activation that swap_in comes with.
// Parameters: SUM_W bits of a partial sum.
`default_nettype none

module lutra_mac_pe #(
    parameter SUM_W = 20
) (
    input  wire                    clk,
    input  wire                    load,
    input  wire [7:0]              load_data,
    input  wire                    swap_in,
    input  wire signed [7:0]       a_in,
    input  wire signed [SUM_W-1:0] p_in,
    output reg                     swap_out,
    output reg  signed [7:0]       a_out,
    output reg  signed [SUM_W-1:0] p_out
);
    wire signed [7:0] w;

    lutra_weight_pair #(
        .LANES(1)
    ) u_weights (
        .clk(clk),
        .load_row(load),
        .load_data(load_data),
        .swap(swap_in),
        .w(w)
    );

    always @(posedge clk) begin
        swap_out <= swap_in;
        a_out    <= a_in;
        p_out    <= p_in + a_out * w;
    end
endmodule
`default_nettype wire
