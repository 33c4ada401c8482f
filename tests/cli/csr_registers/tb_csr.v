// Self-checking test of lutra_csr: reset values, writes with strobes, read-only registers, commands, interrupts, and bus
// handshakes in every order. Prints one line per failure and "passed" or "FAILED" at the end.


module tb_csr;
    reg         clk = 0, rst = 1;
    reg  [11:0] awaddr = 0, araddr = 0;
    reg         awvalid = 0, wvalid = 0, bready = 1, arvalid = 0, rready = 1;
    reg  [31:0] wdata = 0;
    reg  [3:0]  wstrb = 0;
    wire        awready, wready, bvalid, arready, rvalid, irq, start, abort;
    wire [1:0]  bresp, rresp;
    wire [31:0] rdata, base0, base1, base2, base3, prog, watchdog;
    reg  [1:0]  set = 0;
    integer     errors = 0, starts = 0, aborts = 0, checks = 0, i;

    always #5 clk = !clk;

    lutra_csr #(.FINGERPRINT(32'hcafe1234)) dut (
        .clk(clk), .rst(rst),
        .s_axil_awaddr(awaddr), .s_axil_awprot(3'd0), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
        .s_axil_wdata(wdata), .s_axil_wstrb(wstrb), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
        .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(bready),
        .s_axil_araddr(araddr), .s_axil_arprot(3'd0), .s_axil_arvalid(arvalid), .s_axil_arready(arready),
        .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready),
        .irq(irq),
        .csr_control_start(start), .csr_control_abort(abort),
        .csr_status_busy(1'b1), .csr_status_done(1'b0), .csr_status_error(1'b1), .csr_status_bus_idle(1'b1),
        .csr_status_error_code(8'h5a), .csr_irq_status_set(set),
        .csr_base0(base0), .csr_base1(base1), .csr_base2(base2), .csr_base3(base3), .csr_program(prog),
        .csr_watchdog(watchdog),
        .csr_cycles(32'h11), .csr_exec_busy(32'h22), .csr_stall_read(32'h33), .csr_stall_write(32'h44),
        .csr_stall_core(32'h55), .csr_read_beats(32'h66), .csr_write_beats(32'h77), .csr_descriptors(32'h88));

    always @(posedge clk) begin
        if (start) starts = starts + 1;
        if (abort) aborts = aborts + 1;
    end

    task check(input [8*24-1:0] what, input [31:0] got, input [31:0] want);
        begin
            checks = checks + 1;
            if (got !== want) begin
                errors = errors + 1;
                $display("%0s: got %h, expected %h", what, got, want);
            end
        end
    endtask

    // mode 0: address and data together; 1: address first; 2: data first; 3: the response is taken late
    task write(input [11:0] a, input [31:0] d, input [3:0] strobes, input integer mode);
        begin
            @(negedge clk);
            awaddr = a; wdata = d; wstrb = strobes;
            awvalid = (mode != 2); wvalid = (mode != 1);
            bready = (mode != 3);
            if (mode == 1 || mode == 2) begin
                repeat (3) begin
                    @(posedge clk);
                    if (awready || wready) begin
                        errors = errors + 1;
                        $display("a write without %0s was taken", mode == 1 ? "data" : "address");
                    end
                end
                @(negedge clk);
                awvalid = 1; wvalid = 1;
            end
            @(posedge clk);
            while (!(awready && wready)) @(posedge clk);
            @(negedge clk);
            awvalid = 0; wvalid = 0;
            check("bvalid", {31'd0, bvalid}, 1);
            check("bresp", {30'd0, bresp}, 0);
            if (mode == 3) begin
                // the next write must wait until the response is taken
                awvalid = 1; wvalid = 1;
                repeat (3) begin
                    @(posedge clk);
                    check("waits for bready", {31'd0, awready || wready}, 0);
                end
                @(negedge clk);
                awvalid = 0; wvalid = 0; bready = 1;
            end
            @(negedge clk);
            check("bvalid ends", {31'd0, bvalid}, 0);
        end
    endtask

    task read(input [8*24-1:0] what, input [11:0] a, input [31:0] want, input integer late);
        begin
            @(negedge clk);
            araddr = a; arvalid = 1; rready = !late;
            @(posedge clk);
            while (!arready) @(posedge clk);
            @(negedge clk);
            arvalid = 0;
            check("rvalid", {31'd0, rvalid}, 1);
            check("rresp", {30'd0, rresp}, 0);
            check(what, rdata, want);
            if (late) begin
                araddr = 12'h000; arvalid = 1;
                repeat (3) begin
                    @(posedge clk);
                    check("waits for rready", {31'd0, arready}, 0);
                    check("data hold", rdata, want);
                end
                @(negedge clk);
                arvalid = 0; rready = 1;
            end
            @(negedge clk);
            check("rvalid ends", {31'd0, rvalid}, 0);
        end
    endtask

    initial begin
        repeat (3) @(negedge clk);
        rst = 0;

        // reset values and inputs
        read("ID", 12'h000, 32'h4c555452, 0);
        read("VERSION", 12'h004, 32'h00010000, 1);
        read("FINGERPRINT", 12'h008, 32'hcafe1234, 0);
        read("CONTROL", 12'h00c, 0, 0);
        read("STATUS", 12'h010, 32'h00005a0d, 0);
        read("IRQ_ENABLE", 12'h014, 0, 0);
        read("IRQ_STATUS", 12'h018, 0, 0);
        read("IRQ_TEST", 12'h01c, 0, 0);
        for (i = 0; i < 5; i = i + 1) read("BASE, PROGRAM", 12'h020 + 4*i, 0, i & 1);
        read("WATCHDOG", 12'h034, 32'h00100000, 0);
        for (i = 0; i < 8; i = i + 1) read("counter", 12'h040 + 4*i, 32'h11 * (i + 1), i & 1);
        read("hole", 12'h038, 0, 0);
        read("beyond", 12'hffc, 0, 0);

        // read-write registers, with strobes, in every order of the channels
        for (i = 0; i < 6; i = i + 1) write(12'h020 + 4*i, 32'h89abcdef + i, 4'hf, i % 4);
        for (i = 0; i < 6; i = i + 1) read("written", 12'h020 + 4*i, 32'h89abcdef + i, 0);
        check("base0", base0, 32'h89abcdef);
        check("base3", base3, 32'h89abcdf2);
        check("program", prog, 32'h89abcdf3);
        check("watchdog", watchdog, 32'h89abcdf4);
        write(12'h024, 32'h11223344, 4'b0101, 0);
        read("strobes", 12'h024, 32'h8922cd44, 0);
        write(12'h028, 32'h11223344, 4'b0000, 0);
        read("no strobes", 12'h028, 32'h89abcdf1, 0);
        check("base1", base1, 32'h8922cd44);
        check("base2", base2, 32'h89abcdf1);

        // read-only registers and holes ignore writes
        write(12'h000, 32'hffffffff, 4'hf, 0);
        write(12'h008, 32'hffffffff, 4'hf, 0);
        write(12'h010, 32'hffffffff, 4'hf, 0);
        write(12'h038, 32'hffffffff, 4'hf, 0);
        write(12'h040, 32'hffffffff, 4'hf, 0);
        read("ID", 12'h000, 32'h4c555452, 0);
        read("FINGERPRINT", 12'h008, 32'hcafe1234, 0);
        read("STATUS", 12'h010, 32'h00005a0d, 0);
        read("CYCLES", 12'h040, 32'h11, 0);
        read("neighbour of a hole", 12'h034, 32'h89abcdf4, 0);

        // commands: one pulse each
        check("no start yet", starts, 0);
        write(12'h00c, 32'h1, 4'hf, 3);
        check("start", starts, 1);
        check("no abort", aborts, 0);
        write(12'h00c, 32'h2, 4'hf, 1);
        write(12'h00c, 32'h3, 4'he, 0);
        write(12'h00c, 32'hfffffffc, 4'hf, 0);
        check("start", starts, 1);
        check("abort", aborts, 1);

        // interrupts: set by the hardware or by a test, enabled one by one, cleared by writing 1
        @(negedge clk) set = 2'b01;
        @(negedge clk) set = 2'b00;
        check("masked", {31'd0, irq}, 0);
        read("IRQ_STATUS", 12'h018, 1, 0);
        write(12'h014, 32'hfffffffe, 4'hf, 0);
        read("IRQ_ENABLE", 12'h014, 2, 0);
        check("other enabled", {31'd0, irq}, 0);
        write(12'h01c, 2, 4'hf, 0);
        check("test", {31'd0, irq}, 1);
        read("IRQ_STATUS", 12'h018, 3, 0);
        write(12'h018, 2, 4'hf, 0);
        check("cleared", {31'd0, irq}, 0);
        read("IRQ_STATUS", 12'h018, 1, 0);
        write(12'h018, 0, 4'hf, 0);
        read("writing 0", 12'h018, 1, 0);
        write(12'h014, 1, 4'hf, 0);
        check("level", {31'd0, irq}, 1);
        // an event in the cycle of its clearing is not lost
        @(negedge clk);
        awaddr = 12'h018; wdata = 1; wstrb = 4'hf; awvalid = 1; wvalid = 1; set = 2'b01;
        @(negedge clk);
        awvalid = 0; wvalid = 0; set = 2'b00;
        repeat (2) @(negedge clk);
        check("set wins", {31'd0, irq}, 1);
        write(12'h018, 3, 4'hf, 0);
        check("quiet", {31'd0, irq}, 0);

        // reset
        @(negedge clk) rst = 1;
        @(negedge clk) rst = 0;
        read("BASE0 after reset", 12'h020, 0, 0);
        read("WATCHDOG after reset", 12'h034, 32'h00100000, 0);
        read("IRQ_ENABLE after reset", 12'h014, 0, 0);

        if (checks < 300) begin
            errors = errors + 1;
            $display("only %0d checks were made", checks);
        end
        if (errors == 0) $display("passed");
        else $display("FAILED: %0d errors", errors);
        $finish;
    end

    initial begin
        #1000000 $display("FAILED: no end");
        $finish;
    end
endmodule

`default_nettype wire
