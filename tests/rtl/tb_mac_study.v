// Random test of the two arrays that flows/mac_study.sh compares: lutra_mac_study (merged trees) or, with MESH = 1,
// lutra_mac_mesh. One set of weights after another is loaded; every accumulator is compared after every word.
`default_nettype none
`timescale 1ns / 1ps

module tb_mac_study #(
    parameter MESH       = 0,
    parameter LANES      = 4,
    parameter DOT_STAGES = 1,
    parameter SEED       = 1,
    parameter SETS       = 20
);
    localparam RW    = (LANES > 1) ? $clog2(LANES) : 1;
    localparam WORDS = 3 * LANES + 5;          // of one set
    localparam N     = SETS * WORDS;

    reg                clk = 0;
    reg                wl_valid = 0, in_valid = 0, in_first = 0, entry = 0, wl_entry = 0;
    reg  [RW-1:0]      wl_row = 0;
    reg  [LANES*8-1:0] wl_data = 0, in_data = 0;
    reg  [LANES-1:0]   in_swap = 0;
    wire [LANES*24-1:0] acc;

    generate
        if (MESH) begin : g_mesh
            lutra_mac_mesh #(.LANES(LANES)) dut (
                .clk(clk), .wl_valid(wl_valid), .wl_row(wl_row), .wl_data(wl_data), .in_swap(in_swap), .in_first(in_first),
                .in_data(in_data), .out_acc(acc)
            );
        end else begin : g_trees
            lutra_mac_study #(.LANES(LANES), .DOT_STAGES(DOT_STAGES)) dut (
                .clk(clk), .wl_valid(wl_valid), .wl_row(wl_row), .wl_entry(wl_entry), .wl_data(wl_data), .in_valid(in_valid),
                .in_first(in_first), .in_unsigned(1'b0), .in_entry(entry), .in_data(in_data), .out_valid(), .out_acc(acc)
            );
        end
    endgenerate

    // everything is drawn first
    reg signed [7:0]  w [0:SETS*LANES*LANES-1];   // set, row, column
    reg signed [7:0]  x [0:N*LANES-1];            // word, row
    reg               first [0:N-1];
    reg signed [23:0] want [0:N*LANES-1];         // word, column
    integer seed, i, r, c, t, at, bad, good, set;
    reg signed [23:0] sum;

    // word t of the stream enters row 0 in cycle START + t; in the mesh row r comes r cycles later
    localparam START = LANES + 4;
    localparam DELAY = MESH ? LANES + 2 : DOT_STAGES + 4;  // from word to accumulator (column 0)

    initial begin
        seed = SEED;
        for (i = 0; i < SETS * LANES * LANES; i = i + 1) w[i] = $random(seed);
        for (i = 0; i < N * LANES; i = i + 1) x[i] = ($random(seed) & 7) ? $random(seed) : -128;
        for (i = 0; i < N; i = i + 1) begin
            first[i] = i == 0 || ($random(seed) & 3) == 0;
            for (c = 0; c < LANES; c = c + 1) begin
                sum = first[i] ? 0 : want[(i-1)*LANES + c];
                for (r = 0; r < LANES; r = r + 1) sum = sum + x[i*LANES + r] * w[((i / WORDS)*LANES + r)*LANES + c];
                want[i*LANES + c] = sum;
            end
        end
        bad = 0;
        good = 0;
        for (t = 0; t < START + N + DELAY + LANES; t = t + 1) begin
            @(negedge clk);
            // what the last edge left
            for (c = 0; c < LANES; c = c + 1) begin
                at = t - START - DELAY - (MESH ? c : 0);
                if (at >= 0 && at < N) begin
                    if (acc[c*24 +: 24] === want[at*LANES + c]) good = good + 1;
                    else bad = bad + 1;
                end
            end
            // rows of set s are loaded late in the words of set s - 1, when the mesh has taken that set everywhere
            at = t - START + LANES + 3;
            set = at < 0 ? 0 : at / WORDS;
            i = at - set * WORDS;
            wl_valid = at >= 0 && set < SETS && i < LANES;
            wl_row   = i;
            wl_entry = set;
            for (c = 0; c < LANES; c = c + 1) wl_data[c*8 +: 8] = wl_valid ? w[(set*LANES + i)*LANES + c] : $random(seed);
            for (r = 0; r < LANES; r = r + 1) begin
                at = t - START - (MESH ? r : 0);
                in_data[r*8 +: 8] = (at >= 0 && at < N) ? x[at*LANES + r] : $random(seed);
                in_swap[r]        = at >= 0 && at < N && at % WORDS == 0;
            end
            at       = t - START;
            in_valid = at >= 0 && at < N;
            entry    = at / WORDS;
            at       = at - (MESH ? LANES - 1 : 0);
            in_first = at >= 0 && at < N && first[at];
        end
        if (bad == 0 && good == N * LANES) $display("PASS");
        else $display("FAIL: %0d of %0d sums wrong, %0d right", bad, N * LANES, good);
        $finish;
    end

    always #5 clk = ~clk;
endmodule
`default_nettype wire
