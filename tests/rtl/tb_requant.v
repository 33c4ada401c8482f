// lutra_requant against the formula of docs/arithmetic.md, evaluated with 80-bit integers: VECTORS random values for each of
// many settings of the constants (every shift, extremes of the multipliers and of the clip), one value per cycle. Half of
// the values are aimed at the clip's range, where rounding shows; the others overflow or vanish.
`timescale 1ns / 1ns

module tb_requant;
    parameter ACC_BITS  = 24;
    parameter MULT_BITS = 16;
    parameter SEED      = 1;
    parameter SETTINGS  = 144;
    parameter VECTORS   = 60;

    localparam CODE_W  = 3 * (MULT_BITS / 2 + 1);
    localparam LATENCY = 6;

    reg                  clk = 0;
    reg  [ACC_BITS-1:0]  acc, bias, bias_next, sum;
    reg  [MULT_BITS-1:0] mult, mult_next, res_mult;
    reg  [8:0]           res, res_next;
    reg  [5:0]           shift;
    reg  [9:0]           lo, hi;
    wire [CODE_W-1:0]    res_code;
    wire [7:0]           y;

    lutra_radix4 #(
        .BITS (MULT_BITS)
    ) u_code (
        .clk   (clk),
        .value (res_mult),
        .code  (res_code)
    );

    lutra_requant #(
        .ACC_BITS  (ACC_BITS),
        .MULT_BITS (MULT_BITS)
    ) dut (
        .clk      (clk),
        .acc      (acc),
        .bias     (bias),
        .mult     (mult),
        .res      (res),
        .res_code (res_code),
        .shift    (shift),
        .lo       (lo),
        .hi       (hi),
        .y        (y)
    );

    reg  signed [79:0] v, want, product;
    reg  [7:0]         expected [0:LATENCY];
    reg  [31:0]        r;
    integer            seed, setting, n, i, aim, errors, hits;

    initial begin
        errors = 0;
        hits = 0;
        seed   = SEED;
        for (setting = 0; setting < SETTINGS; setting = setting + 1) begin
            shift    = (setting < 48) ? setting : $urandom(seed) % 48;
            res_mult = $urandom(seed);
            if (setting % 3 == 1) res_mult = {MULT_BITS{1'b1}};
            if (setting % 3 == 2) res_mult = res_mult >> ($urandom(seed) % MULT_BITS);
            if (setting % 7 == 0) res_mult = 0;
            r  = $urandom(seed);
            lo = r[0] ? 10'd0 : 10'd0 - (r[8:2] + 1);
            hi = r[0] ? {2'd0, r[23:16]} : {3'd0, r[22:16]};
            if (r[31:30] == 0) begin
                lo = r[0] ? 10'd0 : -10'sd128;
                hi = r[0] ? 10'd255 : 10'd127;
            end
            bias_next = 0;
            mult_next = 0;
            res_next  = 0;
            for (n = 0; n < VECTORS + LATENCY + 2; n = n + 1) begin
                // bias, mult and res follow one cycle behind acc
                bias = bias_next;
                mult = mult_next;
                res  = res_next;
                r         = $urandom(seed);
                mult_next = $urandom(seed);
                bias_next = $urandom(seed);
                acc       = $urandom(seed);
                res_next  = r[8:0];
                if (r[10:9] == 1) mult_next = mult_next >> ($urandom(seed) % MULT_BITS);
                if (r[10:9] == 2) mult_next = (r[11]) ? {MULT_BITS{1'b1}} : {1'b1, {(MULT_BITS-1){1'b0}}};
                if (r[14:12] == 1) res_next = r[15] ? 9'h100 : 9'h0ff;
                if (r[20:16] == 1) begin // extremes of the biased accumulator
                    bias_next = 0;
                    acc = r[21] ? {1'b1, {(ACC_BITS-1){1'b0}}} : {1'b0, {(ACC_BITS-1){1'b1}}};
                end else if (r[16]) begin // results near the clip's range
                    aim = $urandom(seed) % 600;
                    v = 80'sd1;
                    v = ((v * (aim - 300)) <<< shift) / ((mult_next == 0) ? 1 : $signed({1'b0, mult_next}));
                    r = $urandom(seed);
                    acc = v[ACC_BITS-1:0] - bias_next + r[1:0];
                end
                sum     = acc + bias_next;
                v       = $signed(sum);
                product = $signed({1'b0, mult_next});
                want    = v * product;
                v       = $signed(res_next);
                product = $signed({1'b0, res_mult});
                want    = want + v * product;
                if (shift != 0) want = want + (80'sd1 <<< (shift - 1));
                want = want >>> shift;
                if (want > $signed(lo) && want < $signed(hi)) hits = hits + 1;
                if (want < $signed(lo)) want = $signed(lo);
                else if (want > $signed(hi)) want = $signed(hi);
                for (i = LATENCY; i > 0; i = i - 1) expected[i] = expected[i-1];
                expected[0] = want[7:0];
                #5;
                // the constants have been stable for all values that count
                if (n >= LATENCY + 2 && y !== expected[LATENCY]) begin
                    errors = errors + 1;
                    if (errors < 4)
                        $display("shift %0d res_mult %0d lo %0d hi %0d: expected %0d, got %0d", shift, res_mult,
                                 $signed(lo), $signed(hi), expected[LATENCY], y);
                end
                clk = 1;
                #5 clk = 0;
            end
        end
        // the test is worth something only if results differ
        if (hits < SETTINGS * VECTORS / 50) $display("FAIL: only %0d results within the clip's range", hits);
        else if (errors == 0) $display("PASS");
        else $display("FAIL: %0d", errors);
    end
endmodule
