// Nearest-prototype encoders of the pq core, l1 or l2: UNITS subvectors of LENGTH bytes become UNITS codes
// (docs/arithmetic.md). PROTOTYPES / CYCLES prototypes are compared per cycle; equal distances go to the lowest number.
//
// Bytes are compared in offset binary (the top bit of a signed byte inverted), and prototypes are stored so.
//
// Memory: CYCLES rows of UNITS x (PROTOTYPES / CYCLES) x LENGTH values of ENC_BITS bits for one vector; row's lowest
// log2 CYCLES bits count the cycles of a vector.
//
// Latency: with `row` of the vector's last cycle in cycle t, codes in cycle t + 3 + SPLIT + ceil(log4(PROTOTYPES / CYCLES)),
// and one more if CYCLES > 1. x belongs to the row of the cycle before, because the memory is read first.
// Parameters: as named in docs/configuration.md; SQUARE: 0 l1, 1 l2; SPLIT: see lutra_enc_metric; ROWS encoder rows; SLICE bits of the load port.
`default_nettype none

module lutra_enc_dist #(
    parameter UNITS      = 2,
    parameter LENGTH     = 8,
    parameter PROTOTYPES = 16,
    parameter CYCLES     = 1,
    parameter SQUARE     = 0,
    parameter SPLIT      = 0,
    parameter ENC_BITS   = 8,
    parameter ROWS       = 2,
    parameter SLICE      = 128,
    parameter ROW_W      = (ROWS > 1) ? $clog2(ROWS) : 1,
    parameter SLICE_W    = 4,
    parameter CODE_BITS  = $clog2(PROTOTYPES)
) (
    input  wire                       clk,
    input  wire                       in_valid,
    input  wire [ROW_W-1:0]           row,
    input  wire                       x_unsigned, // with x
    input  wire [UNITS*LENGTH*8-1:0]  x,
    output wire [UNITS*CODE_BITS-1:0] code,
    input  wire                       ld_en,
    input  wire [ROW_W-1:0]           ld_row,
    input  wire [SLICE_W-1:0]         ld_slice,
    input  wire [SLICE-1:0]           ld_data
);
    localparam PER_CYCLE = PROTOTYPES / CYCLES;
    localparam LEVELS    = (PER_CYCLE > 1) ? $clog2(PER_CYCLE) : 0;
    localparam STAGES    = (LEVELS + 1) / 2;
    localparam STEP_BITS = (CYCLES > 1) ? $clog2(CYCLES) : 0;
    localparam VEC_W     = LENGTH * ENC_BITS;
    localparam LARGEST   = (1 << ENC_BITS) - 1;
    localparam DIST_W    = $clog2(LENGTH * LARGEST * ((SQUARE != 0) ? LARGEST : 1) + 1);

    // candidates left before stage l of the search, and all before those
    function integer entries(input integer l);
        entries = (PER_CYCLE >> (2*l) > 0) ? PER_CYCLE >> (2*l) : 1;
    endfunction
    function integer first(input integer l);
        integer i;
        begin
            first = 0;
            for (i = 0; i < l; i = i + 1) first = first + entries(i);
        end
    endfunction

    // a < b, from bit to bit: half the size of the carry look-ahead that synthesis would build
    function below(input [DIST_W-1:0] a, input [DIST_W-1:0] b);
        integer i;
        begin
            below = 1'b0;
            for (i = 0; i < DIST_W; i = i + 1) below = (!a[i] && b[i]) || ((!a[i] || b[i]) && below);
        end
    endfunction

    wire [UNITS*PER_CYCLE*VEC_W-1:0] prototypes;
    lutra_enc_mem #(
        .WIDTH(UNITS*PER_CYCLE*VEC_W),
        .ROWS(ROWS),
        .SLICE(SLICE),
        .FIRST(0),
        .SLICE_W(SLICE_W)
    ) u_prototypes (
        .clk(clk),
        .en(in_valid),
        .addr(row),
        .data(prototypes),
        .ld_en(ld_en),
        .ld_addr(ld_row),
        .ld_slice(ld_slice),
        .ld_data(ld_data)
    );

    genvar u, k, i;
    generate
        for (u = 0; u < UNITS; u = u + 1) begin : g_unit
            wire [VEC_W-1:0] v;
            for (i = 0; i < LENGTH; i = i + 1) begin : g_value
                wire [7:0] b = x[(u*LENGTH + i)*8 +: 8];
                wire [7:0] o = {b[7] ^ !x_unsigned, b[6:0]};
                assign v[i*ENC_BITS +: ENC_BITS] = o[7:8-ENC_BITS];
                wire unused = &{1'b0, o};
            end

            // distances, then a tree of minima of four (of two, where no more are left): entry k of stage l lies at
            // first(l) + k, and all pairs of a node are compared at once
            wire [first(STAGES+1)*DIST_W-1:0]        distance;
            wire [first(STAGES+1)*(CODE_BITS+1)-1:0] index; // one spare bit

            for (k = 0; k < PER_CYCLE; k = k + 1) begin : g_prototype
                lutra_enc_metric #(
                    .LENGTH(LENGTH),
                    .BITS(ENC_BITS),
                    .SQUARE(SQUARE),
                    .DIST_W(DIST_W),
                    .SPLIT(SPLIT)
                ) u_metric (
                    .clk(clk),
                    .a(v),
                    .b(prototypes[(u*PER_CYCLE + k)*VEC_W +: VEC_W]),
                    .distance(distance[k*DIST_W +: DIST_W])
                );
                assign index[k*(CODE_BITS+1) +: CODE_BITS+1] = k;
            end

            genvar l, w, o;
            for (l = 0; l < STAGES; l = l + 1) begin : g_stage
                localparam WAYS = entries(l) / entries(l + 1);
                for (k = 0; k < entries(l + 1); k = k + 1) begin : g_least
                    localparam FROM = first(l) + WAYS*k;
                    wire [WAYS-1:0] least; // one-hot
                    for (w = 0; w < WAYS; w = w + 1) begin : g_way
                        wire [WAYS-1:0] beats; // bit o: not above entry o, or below it if that comes first
                        for (o = 0; o < WAYS; o = o + 1) begin : g_other
                            if (o == w) begin : g_self
                                assign beats[o] = 1'b1;
                            end else if (o > w) begin : g_later
                                assign beats[o] = !below(distance[(FROM + o)*DIST_W +: DIST_W],
                                                         distance[(FROM + w)*DIST_W +: DIST_W]);
                            end else begin : g_earlier
                                assign beats[o] = !g_way[o].beats[w];
                            end
                        end
                        assign least[w] = &beats;
                    end

                    reg  [DIST_W-1:0]  d, d_next;
                    reg  [CODE_BITS:0] n, n_next;
                    integer e;
                    always @* begin
                        d_next = {DIST_W{1'b0}};
                        n_next = {(CODE_BITS+1){1'b0}};
                        for (e = 0; e < WAYS; e = e + 1) begin
                            d_next = d_next | (distance[(FROM + e)*DIST_W +: DIST_W] & {DIST_W{least[e]}});
                            n_next = n_next | (index[(FROM + e)*(CODE_BITS+1) +: CODE_BITS+1] & {(CODE_BITS+1){least[e]}});
                        end
                    end
                    always @(posedge clk) begin
                        d <= d_next;
                        n <= n_next;
                    end
                    assign distance[(first(l+1) + k)*DIST_W +: DIST_W] = d;
                    assign index[(first(l+1) + k)*(CODE_BITS+1) +: CODE_BITS+1] = n;
                end
            end

            wire [DIST_W-1:0]  found   = distance[first(STAGES)*DIST_W +: DIST_W];
            wire [CODE_BITS:0] found_n = index[first(STAGES)*(CODE_BITS+1) +: CODE_BITS+1];

            if (CYCLES == 1) begin : g_at_once
                assign code[u*CODE_BITS +: CODE_BITS] = found_n[CODE_BITS-1:0];
                wire unused = &{1'b0, found, found_n};
            end else begin : g_running
                // number of the cycle within its vector, in step with `found`
                localparam DELAY = 3 + SPLIT + STAGES;
                wire [(DELAY+1)*STEP_BITS-1:0] steps;
                assign steps[0 +: STEP_BITS] = row[STEP_BITS-1:0];
                for (i = 1; i <= DELAY; i = i + 1) begin : g_step
                    reg [STEP_BITS-1:0] step_q;
                    always @(posedge clk) step_q <= steps[(i-1)*STEP_BITS +: STEP_BITS];
                    assign steps[i*STEP_BITS +: STEP_BITS] = step_q;
                end
                wire [STEP_BITS-1:0] step = steps[DELAY*STEP_BITS +: STEP_BITS];
                reg  [DIST_W-1:0]    best;
                reg  [CODE_BITS-1:0] best_n;
                wire [CODE_BITS:0]   number;
                if (LEVELS == 0) begin : g_single
                    assign number = {1'b0, step};
                    wire unused = &{1'b0, found_n};
                end else begin : g_several
                    assign number = {1'b0, step, found_n[LEVELS-1:0]};
                    wire unused = &{1'b0, found_n};
                end
                always @(posedge clk) begin
                    if (step == {STEP_BITS{1'b0}} || found < best) begin
                        best   <= found;
                        best_n <= number[CODE_BITS-1:0];
                    end
                end
                assign code[u*CODE_BITS +: CODE_BITS] = best_n;
                wire unused_number = &{1'b0, number};
            end
        end
    endgenerate
endmodule
`default_nettype wire
