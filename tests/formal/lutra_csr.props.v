    // Properties of lutra_csr: AXI4-Lite rules of a slave, no lost or invented response, registers keep what was written.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    // a master that keeps the rules
    always @(posedge clk) begin
        if (!f_past) assume (rst);
        else         assume (!rst);
        if (f_past && $past(s_axil_awvalid && !s_axil_awready && !rst))
            assume (s_axil_awvalid && $stable(s_axil_awaddr));
        if (f_past && $past(s_axil_wvalid && !s_axil_wready && !rst))
            assume (s_axil_wvalid && $stable(s_axil_wdata) && $stable(s_axil_wstrb));
        if (f_past && $past(s_axil_arvalid && !s_axil_arready && !rst))
            assume (s_axil_arvalid && $stable(s_axil_araddr));
    end

    // requests taken and not answered
    reg [1:0] f_aw, f_w, f_ar;
    always @(posedge clk) begin
        f_aw <= f_aw + (s_axil_awvalid && s_axil_awready) - (s_axil_bvalid && s_axil_bready);
        f_w  <= f_w  + (s_axil_wvalid  && s_axil_wready)  - (s_axil_bvalid && s_axil_bready);
        f_ar <= f_ar + (s_axil_arvalid && s_axil_arready) - (s_axil_rvalid && s_axil_rready);
        if (rst) begin
            f_aw <= 2'd0;
            f_w  <= 2'd0;
            f_ar <= 2'd0;
        end
    end

    // the last value written to BASE1 and to IRQ_ENABLE, byte by byte
    reg [31:0] f_base1;
    reg [1:0]  f_enable;
    integer    f_i;
    wire       f_write = s_axil_awvalid && s_axil_awready;
    always @(posedge clk) begin
        if (f_write && s_axil_awaddr[11:2] == 10'h009)
            for (f_i = 0; f_i < 4; f_i = f_i + 1)
                if (s_axil_wstrb[f_i]) f_base1[8*f_i +: 8] <= s_axil_wdata[8*f_i +: 8];
        if (f_write && s_axil_awaddr[11:2] == 10'h005 && s_axil_wstrb[0]) f_enable <= s_axil_wdata[1:0];
        if (rst) begin
            f_base1  <= 32'd0;
            f_enable <= 2'd0;
        end
    end

    // cycles a request waits while the master is ready for the answer
    reg [1:0] f_slow_w, f_slow_r;
    always @(posedge clk) begin
        f_slow_w <= (s_axil_awvalid && s_axil_wvalid && !s_axil_awready && s_axil_bready && !rst) ? f_slow_w + 1'b1 : 2'd0;
        f_slow_r <= (s_axil_arvalid && !s_axil_arready && s_axil_rready && !rst) ? f_slow_r + 1'b1 : 2'd0;
    end

    always @(posedge clk) if (f_past && !rst) begin
        // one response per request
        assert (f_aw == f_w && f_aw == s_axil_bvalid && f_ar == s_axil_rvalid);
        // responses wait, unchanged
        if (!$past(rst) && $past(s_axil_bvalid && !s_axil_bready)) assert (s_axil_bvalid && $stable(s_axil_bresp));
        if (!$past(rst) && $past(s_axil_rvalid && !s_axil_rready))
            assert (s_axil_rvalid && $stable(s_axil_rdata) && $stable(s_axil_rresp));
        assert (s_axil_bresp == 2'b00 && s_axil_rresp == 2'b00);
        assert (f_slow_w == 2'd0 && f_slow_r == 2'd0);

        // registers
        assert (csr_base1 == f_base1);
        if (s_axil_rvalid && $past(s_axil_arvalid && s_axil_arready && s_axil_araddr[11:2] == 10'h009) && !$past(rst))
            assert (s_axil_rdata == $past(f_base1));
        if (s_axil_rvalid && $past(s_axil_arvalid && s_axil_arready && s_axil_araddr[11:2] == 10'h000) && !$past(rst))
            assert (s_axil_rdata == 32'h4C555452);
        // commands are pulses that a write makes
        if (!$past(rst))
            assert (csr_control_start == $past(f_write && s_axil_awaddr[11:2] == 10'h003 && s_axil_wstrb[0] &&
                                               s_axil_wdata[0]));
        // the interrupt is a level; an event is not lost
        assert (csr_irq_enable == f_enable);
        assert (irq == |(csr_irq_status & f_enable));
        if (!$past(rst)) assert ((csr_irq_status & $past(csr_irq_status_set)) == $past(csr_irq_status_set));
        if (!$past(rst) && $past(csr_irq_status[0]) && !csr_irq_status[0])
            assert ($past(f_write && s_axil_awaddr[11:2] == 10'h006 && s_axil_wdata[0]));

        cover (s_axil_bvalid && s_axil_bready && s_axil_awvalid && s_axil_awready);
        cover (s_axil_rvalid && s_axil_rready && s_axil_rdata == 32'hA5005A00 && $past(s_axil_araddr[11:2]) == 10'h009);
        cover (irq);
        cover (csr_control_start);
    end
