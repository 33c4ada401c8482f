    // Properties of lutra_dma_rd: AXI rules of the read channels, limits, and that words belong to a LOAD. Bursts may come
    // back with any number of beats here: nothing may rely on more than RLAST.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    reg [2:0] f_open;  // bursts that the memory has taken and not finished
    always @(posedge clk) begin
        f_open <= f_open + (m_axi_arvalid && m_axi_arready) - (m_axi_rvalid && m_axi_rready && m_axi_rlast);
        if (rst) f_open <= 3'd0;
    end

    wire [3:0] f_valid = ~(4'b1111 << bursts);  // tags in use

    always @* begin
        if (!f_past)        assume (rst);
        else if (!bus_idle) assume (!rst);      // lutra_seq.props.v, lutra_shell.props.v
        assume (!cmd_set || cmd_ready);
        assume (!cmd_go || cmd_wait);
        if (cmd_set) assume (cmd_rows != 16'd0);
        assume (!m_axi_rvalid || f_open != 3'd0);
    end

    always @(posedge clk) if (f_past && !rst) begin
        // outstanding bursts
        assert ({1'b0, bursts} == f_open + m_axi_arvalid);
        assert (bursts <= 3'd4);
        assert (bus_idle == (f_open == 3'd0 && !m_axi_arvalid));

        // the address waits for its answer, unchanged
        if (!$past(rst) && $past(m_axi_arvalid && !m_axi_arready))
            assert (m_axi_arvalid && $stable(m_axi_araddr) && $stable(m_axi_arlen));
        // nothing new while held
        if (!$past(rst) && $past(hold && !m_axi_arvalid)) assert (!m_axi_arvalid);
        // shape of a burst
        if (m_axi_arvalid) begin
            assert (m_axi_arlen < 8'd64);
            assert ({1'b0, m_axi_araddr[11:0]} + (({5'd0, m_axi_arlen} + 13'd1) << LSB) <= 13'd4096);
        end
        // a descriptor goes first
        if (!$past(rst) && $past(fetch_req && ar_free))
            assert (m_axi_arvalid && m_axi_araddr == {$past(fetch_addr), 6'd0} && m_axi_arlen == FETCH_BEATS - 1);

        // a burst that was taken over is requested as it was
        if (!$past(rst) && $past(gen_ack))
            assert (m_axi_arvalid && m_axi_araddr == {$past(gen_addr), {LSB{1'b0}}} && m_axi_arlen == $past(gen_len));

        // words and the end come from a LOAD
        if (word_valid || d_last) assert (d_busy);
        if (done) assert (d_busy && word_valid);
        if (d_last) assert (!take_load);
        assert ((tag_fetch & tag_last & f_valid) == 4'd0);
        if (fetch_valid) assert (!bus_idle);
        assert (cmd != 2'd3);
        if (c_pass) assert (cmd == C_RUN);
        if (!gen_idle) assert (cmd == C_RUN);

        cover (done && $past(done_signal, 4) != done_signal);
        cover (bursts == 3'd4);
        cover (fetch_last && d_busy);
        cover (d_busy && c_pass && word_valid);
    end
