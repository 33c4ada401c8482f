// SPDX-License-Identifier: Apache-2.0
//
// Sequencer: fetches descriptors in order, hands each to its engine as soon as that can take it, keeps the tokens, ends
// the program, and stops everything on an error or ABORT.
//
// One descriptor is held here. LOAD, STORE and PROFILE move on to their DMA engine and wait there for their tokens; CONV
// and POOL wait here and are offered to the core when their tokens are there. The next descriptor is fetched when
// this one has left. Up to two operations are in the core, finished in order.
//
// Stopping: no new bursts are requested, what the bus has accepted is completed, then all engines are reset.
//
// Latency: START to the first fetch_req two cycles; dispatch in the cycle after the last beat of the descriptor at the
// earliest; fetch_req in the cycle after dispatch.
//
// Parameters:
//   BUS_BITS  32..512
//   TARGETS   bit t: LOAD target t exists

`default_nettype none

module lutra_seq #(
    parameter       BUS_BITS = 128,
    parameter [4:0] TARGETS  = 5'b00111
) (
    input  wire                            clk,
    input  wire                            rst,

    // registers
    input  wire                            start,
    input  wire                            abort,
    input  wire [31:0]                     base0,
    input  wire [31:0]                     base1,
    input  wire [31:0]                     base2,
    input  wire [31:0]                     base3,
    input  wire [31:0]                     prog_offset,
    input  wire [31:0]                     watchdog,
    output wire                            busy,
    output reg                             done,
    output reg                             error,
    output reg  [2:0]                      error_code,
    output reg                             set_done,   // pulses for IRQ_STATUS
    output reg                             set_error,

    // to all engines
    output wire                            engine_rst,
    output wire                            hold,       // no new bursts
    input  wire                            bus_idle,
    input  wire                            read_beat,
    input  wire                            write_beat,
    input  wire                            read_error,
    input  wire                            write_error,
    input  wire                            conflict,

    // descriptor fetch
    output wire                            fetch_req,
    output reg  [31:6]                     fetch_addr,
    input  wire                            fetch_ack,
    input  wire                            fetch_valid,
    input  wire                            fetch_last,
    input  wire [BUS_BITS-1:0]             fetch_data,

    // fields for the DMA engines
    output wire [31-$clog2(BUS_BITS/8):0]  dma_addr,
    output wire [31-$clog2(BUS_BITS/8):0]  dma_stride,
    output wire [15:0]                     dma_rows,
    output wire [15:0]                     dma_words_m1,
    output wire [15:0]                     dma_word,
    output wire [15:0]                     dma_jump,

    output wire                            ld_set,
    output wire [2:0]                      ld_target,
    output wire [1:0]                      ld_signal,
    output wire                            ld_go,
    input  wire                            ld_ready,
    input  wire                            ld_wait,
    input  wire                            ld_done,
    input  wire [1:0]                      ld_done_signal,
    input  wire                            ld_idle,

    output wire                            st_set,
    output wire                            st_profile,
    output wire                            st_go,
    input  wire                            st_ready,
    input  wire                            st_wait,
    input  wire                            st_done,

    // core
    output wire                            op_valid,
    input  wire                            op_ready,
    output wire [511:0]                    op_desc,
    input  wire                            op_done,
    input  wire                            op_issue,

    // events for the counters
    output wire                            clear,
    output wire                            run,
    output wire                            exec_busy,
    output wire                            stall_read,
    output wire                            stall_write,
    output wire [1:0]                      retired,
    output wire                            mark,
    output wire [7:0]                      mark_layer
);

    localparam LSB = $clog2(BUS_BITS / 8);

    localparam [3:0] OP_END     = 4'd0,
                     OP_LOAD    = 4'd1,
                     OP_STORE   = 4'd2,
                     OP_CONV    = 4'd3,
                     OP_POOL    = 4'd4,
                     OP_PROFILE = 4'd5;

    localparam [2:0] E_READ       = 3'd1,
                     E_WRITE      = 3'd2,
                     E_DESCRIPTOR = 3'd3,
                     E_BANK       = 3'd4,
                     E_WATCHDOG   = 3'd5;

    localparam [2:0] S_IDLE  = 3'd0,
                     S_START = 3'd1,
                     S_FETCH = 3'd2,
                     S_WAIT  = 3'd3,
                     S_HEAD  = 3'd4,  // the descriptor is complete
                     S_STOP  = 3'd5;

    reg [2:0] state;
    reg       reset_engines;
    reg       starting;       // state is S_START: early, for the adder below
    assign run       = (state == S_FETCH) || (state == S_WAIT) || (state == S_HEAD);
    assign busy      = (state != S_IDLE);
    assign clear     = starting;
    assign hold      = (state == S_STOP);
    assign fetch_req = (state == S_FETCH);

    assign engine_rst = rst || reset_engines;

    // ------------------------------------------------------------ descriptor
    reg [511:0] desc;
    assign op_desc = desc;

    always @(posedge clk)
        if (fetch_valid) begin
            desc <= desc >> BUS_BITS;
            desc[511 -: BUS_BITS] <= fetch_data;
        end

    wire        head       = (state == S_HEAD);
    wire [3:0]  opcode     = desc[3:0];
    wire [1:0]  d_wait     = desc[5:4];
    wire [1:0]  d_signal   = desc[7:6];
    wire [15:0] words      = desc[3*32 +: 16];
    wire [15:0] rows       = desc[3*32+16 +: 16];
    wire [31:0] stride     = desc[4*32 +: 32];
    wire        is_end     = (opcode == OP_END);
    wire        is_load    = (opcode == OP_LOAD);
    wire        is_profile = (opcode == OP_PROFILE);
    wire        is_store   = (opcode == OP_STORE);
    wire        is_op      = (opcode == OP_CONV) || (opcode == OP_POOL);

    // one adder for the address of a transfer and, before the first fetch, of the program
    reg [31:0] base;
    always @* begin
        case ({2{!starting}} & desc[9:8])
            2'd0:    base = base0;
            2'd1:    base = base1;
            2'd2:    base = base2;
            default: base = base3;
        endcase
    end
    wire [31:0] address = base + (starting ? prog_offset : desc[1*32 +: 32]);

    assign dma_addr     = address[31:LSB];
    assign dma_stride   = stride[31:LSB];
    assign dma_rows     = is_profile ? 16'd1 : rows;
    assign dma_words_m1 = words - 16'd1;
    assign dma_word     = desc[2*32 +: 16];
    assign dma_jump     = desc[5*32 +: 16] - dma_words_m1;
    assign ld_target    = desc[12:10];
    assign ld_signal    = d_signal;
    assign st_profile   = is_profile;

    wire no_target   = is_load ? !(|(TARGETS & (5'd1 << ld_target))) : (ld_target != 3'd0);
    wire bad_rows    = (words == 16'd0) || (rows == 16'd0) || ((rows != 16'd1) && (|stride[LSB-1:0]));
    wire bad_start   = clear && (|address[5:0]);
    wire bad_head    = head && ((opcode > OP_PROFILE) ||
                                ((is_load || is_store) && (no_target || bad_rows)) ||
                                ((is_load || is_store || is_profile) && (|address[LSB-1:0])));

    // ---------------------------------------------------------------- tokens
    // (A, B) of load: (exec, store), exec: (load, store), store: (load, exec)
    reg  [1:0] ld_waits, st_waits, st_signals;
    wire [5:0] give, take, have;
    wire       token_lost;

    wire [1:0] ld_have = {have[4], have[2]};
    wire [1:0] op_have = {have[5], have[0]};
    wire [1:0] st_have = {have[3], have[1]};
    wire       op_take = op_valid && op_ready;
    wire [1:0] op_done_signal;

    assign give[0] = ld_done && ld_done_signal[0];
    assign give[1] = ld_done && ld_done_signal[1];
    assign give[2] = op_done && op_done_signal[0];
    assign give[3] = op_done && op_done_signal[1];
    assign give[4] = st_done && st_signals[0];
    assign give[5] = st_done && st_signals[1];
    assign take[0] = op_take && d_wait[0];
    assign take[1] = st_go && st_waits[0];
    assign take[2] = ld_go && ld_waits[0];
    assign take[3] = st_go && st_waits[1];
    assign take[4] = ld_go && ld_waits[1];
    assign take[5] = op_take && d_wait[1];

    lutra_tokens u_tokens (
        .clk      (clk),
        .rst      (engine_rst),
        .give     (give),
        .take     (take),
        .have     (have),
        .overflow (token_lost)
    );

    assign ld_go = ld_wait && run && !(|(ld_waits & ~ld_have));
    assign st_go = st_wait && run && !(|(st_waits & ~st_have));

    always @(posedge clk) begin
        if (ld_set) ld_waits <= d_wait;
        if (st_set) begin
            st_waits   <= d_wait;
            st_signals <= d_signal;
        end
    end

    // -------------------------------------------------------------- dispatch
    reg  [1:0] ops;  // operations in the core: 0..2
    wire op_missing_load  = d_wait[0] && !op_have[0];
    wire op_missing_store = d_wait[1] && !op_have[1];

    assign ld_set   = head && is_load && ld_ready;
    assign st_set   = head && (is_store || is_profile) && st_ready;
    assign op_valid = head && is_op && !op_missing_load && !op_missing_store && !ops[1];

    wire leaves = ld_set || st_set || op_take;
    wire ends   = head && is_end && ld_idle && st_ready && !exec_busy;

    // what the operations in the core do when they are done
    localparam N = 11;
    reg  [N-1:0] older, younger;
    wire [N-1:0] entry = {desc[31:24], desc[15], d_signal};
    wire         to_older = (ops == 2'd0) || ((ops == 2'd1) && op_done);

    assign exec_busy      = (ops != 2'd0);
    assign op_done_signal = older[1:0];
    assign mark           = op_done && older[2];
    assign mark_layer     = older[10:3];

    always @(posedge clk) begin
        if (op_take && to_older) older <= entry;
        else if (op_done)        older <= younger;
        if (op_take) younger <= entry;

        ops <= ops + {1'b0, op_take} - {1'b0, op_done};
        if (engine_rst) ops <= 2'd0;
    end

    assign stall_read  = head && is_op && !exec_busy && op_missing_load;
    assign stall_write = head && is_op && !exec_busy && !op_missing_load && op_missing_store;
    assign retired     = {1'b0, ld_done} + {1'b0, st_done} + {1'b0, op_done} + {1'b0, ends};

    // -------------------------------------------------------------- watchdog
    reg  [31:0] quiet;
    reg         active;
    wire        bitten = (quiet == watchdog) && (|quiet);

    always @(posedge clk) begin
        active <= read_beat || write_beat || op_issue || (|retired) || !run;
        quiet  <= active ? 32'd0 : quiet + 32'd1;
    end

    // ----------------------------------------------------------------- state
    // What is found late in a cycle counts in the next. A token comes from an engine that is still busy, so END has not
    // passed by then.
    reg  late_token, late_bite;
    wire fail = bad_start || (run && (read_error || write_error || bad_head || late_token || conflict || late_bite));

    always @(posedge clk) begin
        late_token <= run && token_lost;
        late_bite  <= run && bitten;

        set_error <= fail;
        set_done  <= ends && !fail && !abort;
        if (rst) begin
            set_error <= 1'b0;
            set_done  <= 1'b0;
        end
    end

    always @(posedge clk) begin
        reset_engines <= 1'b0;
        starting      <= (state == S_IDLE) && start && !abort && !rst;

        case (state)
            S_IDLE: begin
                if (start || abort) begin
                    reset_engines <= 1'b1;
                    done       <= 1'b0;
                    error      <= 1'b0;
                    error_code <= 3'd0;
                end
                if (start && !abort) state <= S_START;
            end
            S_START: state <= S_FETCH;
            S_FETCH: if (fetch_ack) state <= S_WAIT;
            S_WAIT:  if (fetch_last) state <= S_HEAD;
            S_HEAD: begin
                if (leaves) state <= S_FETCH;
                if (ends) begin
                    state <= S_IDLE;
                    done  <= !fail && !abort;
                end
            end
            default: begin
                if (bus_idle) begin
                    reset_engines <= 1'b1;
                    state      <= S_IDLE;
                end
            end
        endcase

        if (fail) begin
            state      <= S_STOP;
            error      <= 1'b1;
            error_code <= read_error  ? E_READ :
                          write_error ? E_WRITE :
                          (bad_start || bad_head || late_token) ? E_DESCRIPTOR :
                          conflict    ? E_BANK : E_WATCHDOG;
        end
        if (abort && busy) begin
            state      <= S_STOP;
            error      <= 1'b0;
            error_code <= 3'd0;
        end

        if (rst) begin
            state      <= S_IDLE;
            reset_engines <= 1'b1;
            done       <= 1'b0;
            error      <= 1'b0;
            error_code <= 3'd0;
        end
    end

    always @(posedge clk) begin
        if (clear)          fetch_addr <= address[31:6];
        else if (fetch_ack) fetch_addr <= fetch_addr + 26'd1;
    end

endmodule

`default_nettype wire
