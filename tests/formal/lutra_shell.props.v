    // Properties of the whole shell: what the proofs of its parts take for granted, and the bus rules once more at its pins,
    // with any core, any program and any memory that keeps the rules.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    (* hierconn *) wire [2:0] \u_seq.state ;
    (* hierconn *) wire [1:0] \u_seq.ops ;
    localparam [2:0] F_IDLE = 3'd0, F_WAIT = 3'd3, F_STOP = 3'd5;

    // bursts that the memory has taken: reads not finished, writes without their last data, writes without a response
    reg [2:0] f_reads, f_writes, f_waits;
    wire      f_r_end = m_axi_rvalid && m_axi_rready && m_axi_rlast;
    wire      f_w_end = m_axi_wvalid && m_axi_wready && m_axi_wlast;
    wire      f_b     = m_axi_bvalid && m_axi_bready;
    always @(posedge clk) begin
        f_reads  <= f_reads + (m_axi_arvalid && m_axi_arready) - f_r_end;
        f_writes <= f_writes + (m_axi_awvalid && m_axi_awready) - f_w_end;
        f_waits  <= f_waits + f_w_end - f_b;
        if (rst) begin
            f_reads  <= 3'd0;
            f_writes <= 3'd0;
            f_waits  <= 3'd0;
        end
    end

    always @* begin
        if (!f_past) assume (rst);
        else         assume (!rst);
        assume (!m_axi_rvalid || f_reads != 3'd0);
        assume (!m_axi_bvalid || f_waits != 3'd0);
        assume (!exec_op_done || \u_seq.ops != 2'd0);
    end

    always @(posedge clk) if (f_past && !rst) begin
        // the engines are never reset under a running transfer, and an idle accelerator has none
        if (engine_rst) assert (bus_idle);
        if (\u_seq.state == F_IDLE) assert (bus_idle && !m_axi_arvalid && !m_axi_awvalid && !m_axi_wvalid);
        if (bus_idle) assert (f_reads == 3'd0 && f_writes == 3'd0 && f_waits == 3'd0);
        // descriptor beats come only while one is awaited
        if (fetch_valid) assert (\u_seq.state == F_WAIT || \u_seq.state == F_STOP);
        assert (!(ld_wait && ld_ready) && !(st_wait && st_ready));

        // limits
        assert (f_reads + m_axi_arvalid <= 3'd4);
        assert (f_writes + f_waits + m_axi_awvalid <= 3'd2);
        // a channel waits for its answer, unchanged
        if (!$past(rst) && $past(m_axi_arvalid && !m_axi_arready))
            assert (m_axi_arvalid && $stable(m_axi_araddr) && $stable(m_axi_arlen));
        if (!$past(rst) && $past(m_axi_awvalid && !m_axi_awready))
            assert (m_axi_awvalid && $stable(m_axi_awaddr) && $stable(m_axi_awlen));
        if (!$past(rst) && $past(m_axi_wvalid && !m_axi_wready))
            assert (m_axi_wvalid && $stable(m_axi_wstrb) && $stable(m_axi_wlast));
        // bursts do not cross 4 KiB; data only after their address
        if (m_axi_arvalid)
            assert ({1'b0, m_axi_araddr[11:0]} + (({5'd0, m_axi_arlen} + 13'd1) << LSB) <= 13'd4096);
        if (m_axi_awvalid)
            assert ({1'b0, m_axi_awaddr[11:0]} + (({5'd0, m_axi_awlen} + 13'd1) << LSB) <= 13'd4096);
        if (m_axi_wvalid) assert (f_writes != 3'd0);

        cover (set_done);
        cover (set_error && !bus_idle);
        cover (ld_done);
        cover (m_axi_wvalid && m_axi_wlast);
    end
