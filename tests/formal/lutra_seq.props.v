    // Properties of lutra_seq: tokens, hand-over to the engines, stopping.
    reg f_past = 1'b0;
    always @(posedge clk) f_past <= 1'b1;

    always @* begin
        if (!f_past) assume (rst);
        else         assume (!rst);
        // what the engines promise
        assume (!op_done || ops != 2'd0);
        assume (!fetch_ack || fetch_req);
        assume (!fetch_valid || state == S_WAIT || state == S_STOP);
        assume (!fetch_last || fetch_valid);
        assume (!(ld_wait && ld_ready));
        assume (!(st_wait && st_ready));
    end

    reg f_goes_on;  // nothing stopped the sequencer in the cycle before
    always @(posedge clk) f_goes_on <= !rst && !fail && !abort;

    always @(posedge clk) if (f_past && !rst) begin
        assert (state <= S_STOP);
        assert (starting == (state == S_START));
        // a token is taken only where there is one
        assert ((take & ~have) == 6'd0);
        // operations in the core
        assert (ops != 2'd3);
        if (ops == 2'd2) assert (!op_valid);
        // an offer stays until it is taken
        if (f_goes_on && $past(op_valid && !op_ready)) assert (op_valid && $stable(op_desc));
        if (f_goes_on && $past(fetch_req && !fetch_ack)) assert (fetch_req && $stable(fetch_addr));
        if (f_goes_on && $past(head && !leaves && !ends)) assert (head && $stable(desc));
        // one engine at a time, and only if it can take it
        assert (ld_set + st_set + op_take <= 2'd1);
        if (ld_set) assert (ld_ready);
        if (st_set) assert (st_ready);
        if (ld_go) assert (ld_wait);
        if (st_go) assert (st_wait);
        // nothing starts while stopping or idle
        if (hold || !busy) assert (!ld_set && !st_set && !op_valid && !ld_go && !st_go && !fetch_req);
        // engines are reset by START or ABORT when idle, or when the bus has come to rest
        if (reset_engines && !$past(rst)) assert (($past(state) == S_IDLE) || ($past(state) == S_STOP && $past(bus_idle)));
        // the result
        assert (!(done && error));
        if (done) assert (state == S_IDLE);
        if (error) assert (state == S_IDLE || state == S_STOP);
        assert (error == (error_code != 3'd0));
        assert (!(set_done && set_error));
        if (set_done) assert ($past(ld_idle && st_ready && ops == 2'd0));
        assert (set_done == (done && !$past(done)));
        if (f_goes_on && $past(hold)) assert (!run);

        cover (set_done);
        cover (op_take && (ops == 2'd1) && op_done);
        cover (error_code == E_WATCHDOG);
        cover (error_code == E_DESCRIPTOR && $past(hold, 2) && !busy);
        cover (ld_go && ld_waits == 2'b11);
    end
