// Weight-stationary int8 array: LANES input channels x LANES output channels, one activation word per cycle.
//
// Column c gives sum over r of a[r] * w[entry][r][c], signed and exact. The array is a row of dot-product columns, not a
// mesh of multiply-accumulate cells: one merged carry-save tree per column is the smallest known organisation, and the
// activations are recoded once for all columns.
//
// Latency: LATENCY = DOT_STAGES + 3 cycles from in_valid to out_valid; one word per cycle, no stalls.
//
// Weights: one row (all columns of one input channel) is loaded per cycle. A set may be used by words that come at least one
// cycle after its last row, and must not be loaded while words use it.
//   WRF_DEPTH = 2: a working set and a shadow set, exchanged when the first word of a newly loaded set arrives (or when
//   loading of yet another set begins). The entry numbers must differ from set to set; all LANES rows are loaded; a set
//   that was replaced by its successor is gone.
//   WRF_DEPTH > 2: a register file per multiplier; every entry stays until it is loaded again.
//
// There is no reset: hold in_valid and wl_valid low for LATENCY cycles, and load a set before using it.
//
// Parameters: LANES 1..64, WRF_DEPTH >= 2, DOT_STAGES 0..3, SUM_W (at least 16 + clog2(LANES) bits, or sums wrap).
`default_nettype none

module lutra_mac_array #(
    parameter LANES      = 16,
    parameter WRF_DEPTH  = 2,
    parameter DOT_STAGES = 1,
    parameter SUM_W      = 16 + $clog2(LANES),
    parameter RW         = (LANES > 1) ? $clog2(LANES) : 1,
    parameter EW         = (WRF_DEPTH > 1) ? $clog2(WRF_DEPTH) : 1
) (
    input  wire                   clk,

    input  wire                   wl_valid,
    input  wire [RW-1:0]          wl_row,
    input  wire [EW-1:0]          wl_entry,
    input  wire [LANES*8-1:0]     wl_data,      // output channel c at [8*c +: 8]

    input  wire                   in_valid,
    input  wire                   in_unsigned,  // bytes are unsigned and read as u - 128
    input  wire [EW-1:0]          in_entry,
    input  wire [LANES*8-1:0]     in_data,      // input channel r at [8*r +: 8]

    output wire                   out_valid,
    output wire [LANES*SUM_W-1:0] out_sum       // output channel c at [SUM_W*c +: SUM_W]
);
    localparam LATENCY = DOT_STAGES + 3;
    localparam DIGITS  = 4; // radix-4 digits of a byte
    localparam CODE_W  = 3 * DIGITS;
    localparam CORR_W  = 2 * DIGITS + $clog2(LANES) - 1;
    localparam DOT_W   = 16 + $clog2(LANES);

    // Valid pipeline.
    reg [LATENCY-1:0] valid;
    always @(posedge clk) valid <= {valid[LATENCY-2:0], in_valid};
    assign out_valid = valid[LATENCY-1];

    // Activations: registered, then recoded.
    reg  [LANES*8-1:0]      act;
    wire [LANES*CODE_W-1:0] code;
    wire [CORR_W-1:0]       corr;
    integer i;

    always @(posedge clk)
        for (i = 0; i < LANES; i = i + 1)
            act[i*8 +: 8] <= {in_data[i*8+7] ^ in_unsigned, in_data[i*8 +: 7]};

    lutra_recode #(
        .LANES(LANES),
        .DOT_STAGES(DOT_STAGES),
        .CODE_W(CODE_W),
        .CORR_W(CORR_W)
    ) u_recode (
        .clk(clk),
        .a(act),
        .code(code),
        .corr(corr)
    );

    // Weight rows.
    wire [LANES-1:0]     load_row;
    wire [WRF_DEPTH-1:0] load_entry;
    wire [LANES*8-1:0]   load_data;

    lutra_weight_load #(
        .LANES(LANES),
        .WRF_DEPTH(WRF_DEPTH),
        .RW(RW),
        .EW(EW)
    ) u_load (
        .clk(clk),
        .wl_valid(wl_valid),
        .wl_row(wl_row),
        .wl_entry(wl_entry),
        .wl_data(wl_data),
        .load_row(load_row),
        .load_entry(load_entry),
        .load_data(load_data)
    );

    // Which weights the word in `act` needs when it reaches the dot products, one cycle later.
    reg [WRF_DEPTH-1:0] pick;
    generate
        if (WRF_DEPTH == 2) begin : g_pair
            reg          pending;  // the shadow set was loaded and not yet taken (copying it again would only cost power)
            reg [EW-1:0] held;     // its entry number
            wire         swap = pending & ((in_valid & (in_entry == held)) | (wl_valid & (wl_entry != held)));

            always @(posedge clk) begin
                pick    <= {1'b0, swap};
                pending <= wl_valid | (pending & ~swap);
                if (wl_valid) held <= wl_entry;
            end
        end else begin : g_file
            integer e;
            always @(posedge clk)
                for (e = 0; e < WRF_DEPTH; e = e + 1) pick[e] <= in_entry == e[EW-1:0];
        end
    endgenerate

    genvar c;
    generate
        for (c = 0; c < LANES; c = c + 1) begin : g_column
            wire [DOT_W-1:0] sum;

            lutra_mac_column #(
                .LANES(LANES),
                .WRF_DEPTH(WRF_DEPTH),
                .DOT_STAGES(DOT_STAGES),
                .CODE_W(CODE_W),
                .CORR_W(CORR_W),
                .SUM_W(DOT_W)
            ) u_column (
                .clk(clk),
                .load_row(load_row),
                .load_entry(load_entry),
                .load_data(load_data[c*8 +: 8]),
                .pick(pick),
                .code(code),
                .corr(corr),
                .sum(sum)
            );

            if (SUM_W > DOT_W) begin : g_extend
                assign out_sum[c*SUM_W +: SUM_W] = {{(SUM_W - DOT_W){sum[DOT_W-1]}}, sum};
            end else begin : g_cut
                assign out_sum[c*SUM_W +: SUM_W] = sum[SUM_W-1:0];
                wire unused = &{1'b0, sum};
            end
        end
    endgenerate
endmodule
`default_nettype wire
