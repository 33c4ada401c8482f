    // Properties of lutra_tokens: a counter is always what was given less what was taken; it never wraps.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    always @* begin
        if (!f_past) assume (rst);
        assume ((take & ~have) == 6'd0);
    end

    genvar f;
    generate
        for (f = 0; f < 6; f = f + 1) begin : f_pair
            reg [4:0] kept;  // a bit more than the counter
            always @(posedge clk) begin
                kept <= kept + (give[f] && !lost[f]) - take[f];
                if (rst) kept <= 5'd0;
            end
            always @(posedge clk) if (f_past && !rst) begin
                assert (kept == {1'b0, pair[f].count});
                assert (have[f] == (kept != 5'd0));
                assert (lost[f] == (give[f] && kept == 5'd15 && !take[f]));
                cover (lost[f]);
                cover (give[f] && take[f] && kept == 5'd15);
            end
        end
    endgenerate
