// Random test of lutra_mac_array: loads weight sets and streams activation words under the rules in its header, as tightly as
// they allow, and compares every sum with one computed from the rules. Unused inputs carry random bits.
`timescale 1ns / 1ns

module tb_mac_array;
    parameter LANES      = 4;
    parameter WRF_DEPTH  = 2;
    parameter DOT_STAGES = 1;
    parameter SUM_W      = 16 + $clog2(LANES);
    parameter CYCLES     = 2000;
    parameter SEED       = 1;

    localparam RW      = (LANES > 1) ? $clog2(LANES) : 1;
    localparam EW      = $clog2(WRF_DEPTH);
    localparam LATENCY = DOT_STAGES + 3;
    localparam QUEUE   = 16;  // more than LATENCY

    reg                    clk = 0;
    reg                    wl_valid = 0, in_valid = 0, in_unsigned = 0;
    reg  [RW-1:0]          wl_row;
    reg  [EW-1:0]          wl_entry, in_entry;
    reg  [LANES*8-1:0]     wl_data, in_data;
    wire                   out_valid;
    wire [LANES*SUM_W-1:0] out_sum;

    lutra_mac_array #(
        .LANES(LANES),
        .WRF_DEPTH(WRF_DEPTH),
        .DOT_STAGES(DOT_STAGES),
        .SUM_W(SUM_W)
    ) u_array (
        .clk(clk),
        .wl_valid(wl_valid),
        .wl_row(wl_row),
        .wl_entry(wl_entry),
        .wl_data(wl_data),
        .in_valid(in_valid),
        .in_unsigned(in_unsigned),
        .in_entry(in_entry),
        .in_data(in_data),
        .out_valid(out_valid),
        .out_sum(out_sum)
    );

    // What the entries hold, and which are whole.
    reg [LANES*8-1:0]     set [0:WRF_DEPTH*LANES-1];
    reg [WRF_DEPTH-1:0]   whole;
    reg [LANES*SUM_W-1:0] expected [0:QUEUE-1];
    integer               seed, cycle, head, tail, errors, compared, i, c, sum, a, w, busy, gap, load_seen;
    reg                   loading;
    reg [EW-1:0]          load_entry, use_entry;
    reg [RW:0]            load_count;
    reg [RW-1:0]          load_first;
    reg signed [7:0]      signed_byte;

    function integer chance;  // true once in n
        input integer n;
        begin
            chance = $random(seed);
            chance = chance[30:8] % n == 0;
        end
    endfunction

    function [7:0] random_byte;
        input integer extreme;
        reg [31:0] r;
        begin
            r = $random(seed);
            random_byte = !extreme ? r[15:8] : r[10] ? (r[11] ? 8'h80 : 8'h7f) : (r[11] ? 8'h00 : 8'hff);
        end
    endfunction

    task random_word;
        output [LANES*8-1:0] word;
        integer k, extreme;
        begin
            extreme = chance(4);
            for (k = 0; k < LANES; k = k + 1) word[k*8 +: 8] = random_byte(extreme);
        end
    endtask

    // One row per cycle at most; with two sets, the one that words do not use.
    task drive_load;
        begin
            wl_valid = 0;
            random_word(wl_data);
            wl_row   = $random(seed);
            wl_entry = $random(seed);
            if (!loading && gap == 0) begin
                load_entry = (WRF_DEPTH == 2) ? ~use_entry : $unsigned($random(seed)) % WRF_DEPTH;
                if (WRF_DEPTH == 2 ? !whole[load_entry] : !(in_valid && in_entry == load_entry)) begin
                    loading           = 1;
                    whole[load_entry] = 0;
                    load_count        = 0;
                    load_first        = $unsigned($random(seed)) % LANES;
                end
            end
            if (gap > 0) gap = gap - 1;
            if (loading && !chance(5)) begin
                wl_valid = 1;
                wl_entry = load_entry;
                wl_row   = (load_first + load_count) % LANES;
                set[load_entry*LANES + wl_row] = wl_data;
                load_count = load_count + 1;
                load_seen  = load_seen + 1;
                if (load_count == LANES) begin
                    loading           = 0;
                    whole[load_entry] = 1;
                    gap               = chance(2) ? 0 : $unsigned($random(seed)) % 12;
                end
            end
        end
    endtask

    // The words of a cycle are chosen before its load: a set that becomes whole in a cycle is used from the next one on.
    task drive_word;
        begin
            in_valid = 0;
            random_word(in_data);
            in_unsigned = $random(seed);
            in_entry    = $random(seed);
            if (WRF_DEPTH == 2) begin
                // Switch to the other set when it is whole; the old one is free from this cycle on, used or not.
                if (whole[~use_entry] && chance(busy)) begin
                    whole[use_entry] = 0;
                    use_entry        = ~use_entry;
                end
                in_entry = use_entry;
            end
            if (in_entry < WRF_DEPTH && whole[in_entry] && !chance(4)) begin
                in_valid = 1;
                for (c = 0; c < LANES; c = c + 1) begin
                    sum = 0;
                    for (i = 0; i < LANES; i = i + 1) begin
                        signed_byte = set[in_entry*LANES + i] >> (8 * c);
                        w           = signed_byte;
                        signed_byte = in_data[i*8 +: 8];
                        a           = signed_byte;
                        if (in_unsigned) a = in_data[i*8 +: 8] - 128;
                        sum         = sum + a * w;
                    end
                    expected[tail][c*SUM_W +: SUM_W] = sum;
                end
                tail = (tail + 1) % QUEUE;
            end
        end
    endtask

    task tick;
        begin
            #4 clk = 1;
            #1;
            if (out_valid === 1'b1) begin
                compared = compared + 1;
                if (head == tail || out_sum !== expected[head]) begin
                    errors = errors + 1;
                    if (errors < 4) $display("cycle %0d: expected %h, got %h", cycle, expected[head], out_sum);
                end
                head = (head + 1) % QUEUE;
            end else if (out_valid !== 1'b0) begin
                errors = errors + 1;
            end
        end
    endtask

    initial begin
        seed = SEED;
        whole = 0;
        loading = 0;
        use_entry = 0;
        head = 0;
        tail = 0;
        errors = 0;
        compared = 0;
        gap = 0;
        load_seen = 0;
        for (cycle = 0; cycle < LATENCY + 1; cycle = cycle + 1) begin
            #5 clk = 1;
            #5 clk = 0;
        end
        for (cycle = 0; cycle < CYCLES; cycle = cycle + 1) begin
            busy = (cycle / 200) % 2 ? 1 : 9;  // switch at once, or linger
            tick;
            #1;
            if (cycle < CYCLES - LATENCY - 2) begin
                drive_word;
                drive_load;
            end else begin
                in_valid = 0;
                wl_valid = 0;
            end
            #4 clk = 0;
        end
        if (head != tail) errors = errors + 1;
        if (errors == 0 && compared > CYCLES / 20 && load_seen > CYCLES / 10) $display("PASS");
        else $display("FAIL: %0d errors in %0d words, %0d rows loaded", errors, compared, load_seen);
    end
endmodule
