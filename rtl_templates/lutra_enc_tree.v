// Decision-tree encoders of the pq core: UNITS subvectors of LENGTH bytes become UNITS codes (docs/arithmetic.md).
//
// One register stage picks the compared dimension of every level, then one stage per level compares it with the threshold
// of the node reached so far. Bytes are compared in offset binary (the top bit of a signed byte inverted), and so are the
// thresholds in memory; a threshold has one bit more than a value, so that it can be above them all.
//
// Encoder word in memory, field by field: dimensions (unit-major, level by level, clog2(LENGTH) bits each), then for
// each level l the 2^l thresholds (unit-major, left to right). Each field starts a new slice of the load port.
//
// With ALONE = 1 every element of a subvector has a tree of its own, and the code is made of theirs, the first element's
// highest. The levels are shared out evenly, the first elements taking one more; level l of those of an element compares
// with one of 2^l thresholds. No dimensions are stored.
//
// Latency: codes 2 + log2(PROTOTYPES) cycles after `in_valid`; one vector per cycle. `row` and `x` are used in the cycle
// of in_valid and the next one respectively: x one cycle after row, because the memory is read first.
// Parameters: as named in docs/configuration.md; ALONE as above; ROWS encoder rows; SLICE bits of the load port.
`default_nettype none

module lutra_enc_tree #(
    parameter UNITS      = 2,
    parameter LENGTH     = 8,
    parameter PROTOTYPES = 16,
    parameter ENC_BITS   = 8,
    parameter ALONE      = 0,
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
    localparam DIM_BITS = (LENGTH > 1) ? $clog2(LENGTH) : 1;
    localparam THR_BITS = ENC_BITS + 1;

    `include "lutra_pq_levels.vh"

    // level l within its tree, or within the levels of its element
    function integer depth_of(input integer l);
        depth_of = ALONE ? element_level(l, CODE_BITS, LENGTH) : l;
    endfunction

    // slices before the thresholds of level l
    function integer first_slice(input integer level);
        integer l;
        begin
            first_slice = ALONE ? 0 : (UNITS*CODE_BITS*DIM_BITS + SLICE - 1) / SLICE;
            for (l = 0; l < level; l = l + 1)
                first_slice = first_slice + ((UNITS << depth_of(l))*THR_BITS + SLICE - 1) / SLICE;
        end
    endfunction

    // row and valid, delayed by 0 .. CODE_BITS
    wire [(CODE_BITS+1)*(ROW_W+1)-1:0] rows;
    assign rows[0 +: ROW_W+1] = {in_valid, row};
    genvar i, l, u;
    generate
        for (i = 1; i <= CODE_BITS; i = i + 1) begin : g_row
            reg [ROW_W:0] row_q;
            always @(posedge clk) row_q <= rows[(i-1)*(ROW_W+1) +: ROW_W+1];
            assign rows[i*(ROW_W+1) +: ROW_W+1] = row_q;
        end
    endgenerate

    wire [UNITS*CODE_BITS*DIM_BITS-1:0] dims;
    generate
        if (ALONE) begin : g_alone
            for (u = 0; u < UNITS; u = u + 1) begin : g_unit
                for (l = 0; l < CODE_BITS; l = l + 1) begin : g_level
                    localparam [31:0] ELEMENT = element_of(l, CODE_BITS, LENGTH);
                    assign dims[(u*CODE_BITS + l)*DIM_BITS +: DIM_BITS] = ELEMENT[DIM_BITS-1:0];
                end
            end
        end else begin : g_dims
            lutra_enc_mem #(
                .WIDTH(UNITS*CODE_BITS*DIM_BITS),
                .ROWS(ROWS),
                .SLICE(SLICE),
                .FIRST(0),
                .SLICE_W(SLICE_W)
            ) u_dims (
                .clk(clk),
                .en(in_valid),
                .addr(row),
                .data(dims),
                .ld_en(ld_en),
                .ld_addr(ld_row),
                .ld_slice(ld_slice),
                .ld_data(ld_data)
            );
        end
    endgenerate

    // Value compared at level l, and the path taken before it; stage l lies in bits l*.
    // verilator lint_off UNUSED
    wire [CODE_BITS*UNITS*CODE_BITS*ENC_BITS-1:0] values; // those of earlier levels are 0
    // verilator lint_on UNUSED
    wire [(CODE_BITS+1)*UNITS*CODE_BITS-1:0]      paths;
    assign paths[0 +: UNITS*CODE_BITS] = {(UNITS*CODE_BITS){1'b0}};

    generate
        for (u = 0; u < UNITS; u = u + 1) begin : g_pick
            for (l = 0; l < CODE_BITS; l = l + 1) begin : g_level
                wire [LENGTH*8-1:0]  v = x[u*LENGTH*8 +: LENGTH*8];
                wire [DIM_BITS-1:0]  d = dims[(u*CODE_BITS + l)*DIM_BITS +: DIM_BITS];
                wire [7:0]           b = v[d*8 +: 8];
                wire [7:0]           o = {b[7] ^ !x_unsigned, b[6:0]};
                reg  [ENC_BITS-1:0]  picked;
                always @(posedge clk) picked <= o[7:8-ENC_BITS];
                wire unused = &{1'b0, o};
                assign values[(u*CODE_BITS + l)*ENC_BITS +: ENC_BITS] = picked;
            end
        end

        for (l = 0; l < CODE_BITS; l = l + 1) begin : g_compare
            localparam DEPTH = depth_of(l);
            localparam NODES = 1 << DEPTH;
            wire [UNITS*NODES*THR_BITS-1:0] thresholds;

            lutra_enc_mem #(
                .WIDTH(UNITS*NODES*THR_BITS),
                .ROWS(ROWS),
                .SLICE(SLICE),
                .FIRST(first_slice(l)),
                .SLICE_W(SLICE_W)
            ) u_thresholds (
                .clk(clk),
                .en(rows[(l+1)*(ROW_W+1) + ROW_W]),
                .addr(rows[(l+1)*(ROW_W+1) +: ROW_W]),
                .data(thresholds),
                .ld_en(ld_en),
                .ld_addr(ld_row),
                .ld_slice(ld_slice),
                .ld_data(ld_data)
            );

            for (u = 0; u < UNITS; u = u + 1) begin : g_unit
                wire [NODES*THR_BITS-1:0] own  = thresholds[u*NODES*THR_BITS +: NODES*THR_BITS];
                wire [CODE_BITS-1:0]      path = paths[(l*UNITS + u)*CODE_BITS +: CODE_BITS];
                wire [THR_BITS-1:0]       threshold;
                wire [ENC_BITS-1:0]       value = values[((l*UNITS + u)*CODE_BITS + l)*ENC_BITS +: ENC_BITS];
                reg  [CODE_BITS-1:0]      path_q;

                if (DEPTH == 0) begin : g_root
                    assign threshold = own;
                end else begin : g_node
                    assign threshold = own[path[DEPTH-1:0]*THR_BITS +: THR_BITS];
                end
                always @(posedge clk) path_q <= (path << 1) | {{(CODE_BITS-1){1'b0}}, {1'b0, value} >= threshold};
                assign paths[((l+1)*UNITS + u)*CODE_BITS +: CODE_BITS] = path_q;

                // carry the values of later levels along
                if (l < CODE_BITS - 1) begin : g_later
                    genvar k;
                    for (k = 0; k < CODE_BITS; k = k + 1) begin : g_value
                        if (k > l) begin : g_keep
                            reg [ENC_BITS-1:0] value_q;
                            always @(posedge clk)
                                value_q <= values[((l*UNITS + u)*CODE_BITS + k)*ENC_BITS +: ENC_BITS];
                            assign values[(((l+1)*UNITS + u)*CODE_BITS + k)*ENC_BITS +: ENC_BITS] = value_q;
                        end else begin : g_drop
                            assign values[(((l+1)*UNITS + u)*CODE_BITS + k)*ENC_BITS +: ENC_BITS] = {ENC_BITS{1'b0}};
                        end
                    end
                end
            end
        end
    endgenerate

    assign code = paths[CODE_BITS*UNITS*CODE_BITS +: UNITS*CODE_BITS];
endmodule
`default_nettype wire
