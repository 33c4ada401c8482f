// Memory of one field of the encoder words: ROWS rows of WIDTH bits, loaded in slices of SLICE bits.
//
// A few rows are flip-flops (a memory macro would be mostly overhead), more are memories, one per slice.
//
// Latency: data one cycle after en; it holds. A row must not be loaded while it is shown or read.
// Parameters: WIDTH, ROWS, SLICE as above; FIRST: number of this field's first slice in the load address.
`default_nettype none

module lutra_enc_mem #(
    parameter WIDTH   = 32,
    parameter ROWS    = 2,
    parameter SLICE   = 128,
    parameter FIRST   = 0,
    parameter SLICE_W = 4,
    parameter ADDR_W  = (ROWS > 1) ? $clog2(ROWS) : 1
) (
    input  wire               clk,
    input  wire               en,
    input  wire [ADDR_W-1:0]  addr,
    output wire [WIDTH-1:0]   data,
    input  wire               ld_en,
    input  wire [ADDR_W-1:0]  ld_addr,
    input  wire [SLICE_W-1:0] ld_slice,
    input  wire [SLICE-1:0]   ld_data
);
    localparam SLICES    = (WIDTH + SLICE - 1) / SLICE;
    localparam FLOP_ROWS = 8;

    genvar s, r;
    generate
        if (ROWS <= FLOP_ROWS) begin : g_flops
            wire [ROWS*WIDTH-1:0] rows;
            reg  [ADDR_W-1:0]     addr_q;

            for (r = 0; r < ROWS; r = r + 1) begin : g_row
                reg [WIDTH-1:0] row;
                for (s = 0; s < SLICES; s = s + 1) begin : g_slice
                    localparam W  = (s == SLICES - 1) ? WIDTH - s*SLICE : SLICE;
                    localparam ME = FIRST + s;
                    always @(posedge clk)
                        if (ld_en && ld_addr == r[ADDR_W-1:0] && ld_slice == ME[SLICE_W-1:0]) row[s*SLICE +: W] <= ld_data[W-1:0];
                end
                assign rows[r*WIDTH +: WIDTH] = row;
            end
            always @(posedge clk) if (en) addr_q <= addr;
            assign data = rows[addr_q*WIDTH +: WIDTH];
        end else begin : g_rams
            for (s = 0; s < SLICES; s = s + 1) begin : g_slice
                localparam W  = (s == SLICES - 1) ? WIDTH - s*SLICE : SLICE;
                localparam ME = FIRST + s;
                wire ld = ld_en && ld_slice == ME[SLICE_W-1:0];
                lutra_ram_1rw #(
                    .WIDTH(W),
                    .DEPTH(ROWS)
                ) u_ram (
                    .clk(clk),
                    .en(en || ld),
                    .we(ld),
                    .addr(ld ? ld_addr : addr),
                    .wdata(ld_data[W-1:0]),
                    .rdata(data[s*SLICE +: W])
                );
            end
        end
    endgenerate

    wire unused = &{1'b0, ld_data}; // a field may be narrower than a slice
endmodule
`default_nettype wire
