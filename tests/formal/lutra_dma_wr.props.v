    // Properties of lutra_dma_wr: AXI rules of the write channels, limits, data only after their address, WLAST.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    // What a memory sees: up to two bursts whose address is taken and whose data are not complete, oldest first, and
    // bursts without a response.
    reg [1:0]    f_n;
    reg [LB-1:0] f_left, f_second;  // beats minus one: of the oldest, still to come; of the next
    reg [1:0]    f_wait;
    wire         f_w    = m_axi_wvalid && m_axi_wready;
    wire         f_end  = f_w && m_axi_wlast;
    wire [1:0]   f_stay = f_n - f_end;

    always @(posedge clk) begin
        f_n    <= f_stay + aw_take;
        f_wait <= f_wait + f_end - b_take;
        if (f_end)    f_left <= f_second;
        else if (f_w) f_left <= f_left - 1'b1;
        if (aw_take) begin
            if (f_stay == 2'd0) f_left   <= m_axi_awlen[LB-1:0];
            else                f_second <= m_axi_awlen[LB-1:0];
        end
        if (rst) begin
            f_n    <= 2'd0;
            f_wait <= 2'd0;
        end
    end

    always @* begin
        if (!f_past)        assume (rst);
        else if (!bus_idle) assume (!rst);      // lutra_seq.props.v, lutra_shell.props.v
        assume (!cmd_set || cmd_ready);
        assume (!cmd_go || cmd_wait);
        if (cmd_set) assume (cmd_rows != 16'd0);
        assume (!m_axi_bvalid || f_wait != 2'd0);
    end

    // beats on their way to the bus, and whether they end a burst (signals of u_box, joined by Yosys)
    (* hierconn *) wire \u_box.beat_valid ;
    (* hierconn *) wire \u_box.beat_last ;
    (* hierconn *) wire \u_box.held ;
    (* hierconn *) wire \u_box.held_beat_end ;
    (* hierconn *) wire \u_box.held_last ;
    wire f_here      = \u_box.beat_valid ;
    wire f_here_last = f_here && \u_box.beat_last ;
    wire f_part      = \u_box.held && !\u_box.held_beat_end ;
    wire f_held      = \u_box.held && \u_box.held_beat_end ;
    wire f_held_last = f_held && \u_box.held_last ;

    always @(posedge clk) if (f_past && !rst) begin
        // outstanding bursts
        assert ({2'b00, bursts} == m_axi_awvalid + f_n + f_wait);
        assert (bursts <= 2'd2);

        // channels wait for their answer, unchanged
        if (!$past(rst) && $past(m_axi_awvalid && !m_axi_awready))
            assert (m_axi_awvalid && $stable(m_axi_awaddr) && $stable(m_axi_awlen));
        if (!$past(rst) && $past(m_axi_wvalid && !m_axi_wready))
            assert (m_axi_wvalid && $stable(m_axi_wdata) && $stable(m_axi_wstrb) && $stable(m_axi_wlast));
        // nothing new while held
        if (!$past(rst) && $past(hold && !m_axi_awvalid)) assert (!m_axi_awvalid);
        // shape of a burst
        if (m_axi_awvalid) begin
            assert (m_axi_awlen < 8'd64);
            assert ({1'b0, m_axi_awaddr[11:0]} + (({5'd0, m_axi_awlen} + 13'd1) << LSB) <= 13'd4096);
        end
        // data: only after the address, WLAST with the last beat and only there
        if (m_axi_wvalid) assert (f_n != 2'd0 && m_axi_wlast == (f_left == {LB{1'b0}}));
        if (m_axi_bvalid) assert (m_axi_bready);
        if (done) assert (bus_idle && !m_axi_wvalid && !run);

        // why: beats of the memory's bursts are where the engine thinks they are
        assert (!(m_axi_awvalid && next_valid));
        assert (cmd != 2'd3);
        if (!gen_idle || !bus_idle) assert (cmd == C_RUN);
        if (f_part) assert (run);
        if (f_here_last) begin
            assert (f_left == {LB{1'b0}});
            if (f_held_last)     assert (f_n == 2'd2 && f_second == {LB{1'b0}} && !run && !next_valid);
            else if (run)        assert (f_n == 2'd2 && f_second == left + f_held && !next_valid);
            else if (next_valid) assert (f_n == 2'd2 && f_second == next_len && !f_held);
            else                 assert (f_n == 2'd1 && !f_held);
        end else if (f_held_last) begin
            assert (f_left == f_here);
            if (run)             assert (f_n == 2'd2 && f_second == left && !next_valid);
            else if (next_valid) assert (f_n == 2'd2 && f_second == next_len);
            else                 assert (f_n == 2'd1);
        end else if (run) begin
            assert (f_n == 2'd1 + next_valid && f_left == left + f_here + f_held);
            assert ({1'b0, left} + f_here + f_held < MAX_BURST);
            if (next_valid) assert (f_second == next_len);
        end else begin
            assert (!f_here && !f_held && f_n == next_valid);
            if (next_valid) assert (f_left == next_len);
        end
        if (f_here_last && run) assert ({1'b0, left} + f_held < MAX_BURST);

        cover (done && c_profile);
        cover (done && !c_profile && $past(m_axi_wvalid && m_axi_wlast, 3));
        cover (f_n == 2'd2 && f_here_last && run);
        cover (m_axi_wvalid && !m_axi_wlast && $past(m_axi_wvalid && m_axi_wlast));
    end
