    // Properties of lutra_dma_addr: every row is covered, in order, by bursts that stay inside aligned blocks.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    always @* begin
        if (!f_past) assume (rst);
        assume (!set || idle);
        assume (!go || (idle && !set));
        if (set) assume (set_rows != 16'd0);
    end
    always @(posedge clk)
        if (f_past && ($past(go) || !$past(idle))) assume ($stable(row_m1));

    // start of the present row
    reg [BEAT_ADDR-1:0] f_row;
    reg [15:0]          f_rows_left;
    reg                 f_set = 1'b0;  // rows is valid
    always @(posedge clk) begin
        if (set) begin
            f_row       <= set_addr;
            f_rows_left <= set_rows;
        end else if (state == S_STEP) begin
            f_row       <= f_row + stride;
            f_rows_left <= f_rows_left - 16'd1;
        end
        if (set) f_set <= 1'b1;
        else if (req && ack && req_last) f_set <= 1'b0;
        if (rst) f_set <= 1'b0;
    end
    always @* if (f_past && !f_set) assume (!go);

    wire [BEAT_ADDR-1:0] f_len  = {{(BEAT_ADDR-ROW_BITS){1'b0}}, row_m1};
    wire [BEAT_ADDR-1:0] f_left = {{(BEAT_ADDR-ROW_BITS){1'b0}}, left};

    always @(posedge clk) if (f_past && !rst) begin
        if (f_set) assert (rows != 16'd0 && rows == f_rows_left);
        if (state != S_IDLE) assert (f_set);
        if (state == S_IDLE && f_set) assert (req_addr == f_row);
        // the burst starts where the row has not been covered yet
        if (state == S_BURST) assert (left <= row_m1 && req_addr == f_row + (f_len - f_left));
        if (state == S_STEP)  assert (rows > 16'd1);
        if (f_set) assert (row_addr == f_row);
        assert (state <= S_STEP);
        // it ends inside the row and inside its block
        if (req) assert ({{(ROW_BITS-LB){1'b0}}, req_len} <= left);
        if (req) assert ({1'b0, req_addr[LB-1:0]} + {1'b0, req_len} < MAX_BURST);
        if (req && req_last) assert (f_rows_left == 16'd1 && left == {{(ROW_BITS-LB){1'b0}}, req_len});

        cover (req && ack && req_last && $past(f_rows_left) == 16'd1 && req_len == 0);
        cover (state == S_STEP && f_rows_left == 16'd2);
    end
