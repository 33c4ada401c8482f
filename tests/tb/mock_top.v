// SPDX-License-Identifier: Apache-2.0
//
// Stand-in for lutra_top that proves the testbench: same ports and registers, but all it can do is copy memory and add
// a constant to every byte. Its one descriptor (16 words at BASE0 + PROGRAM):
//
//   w0 planted fault, see below; 0: none       w1 beats of the input      w2 beats of the output
//   w3 offset of layer 0 in scratch            w4 offset of two profile records in scratch, 64 bytes each
//   w5 [7:0] constant
//
// "Layer 0" adds the constant to w1 beats of the input and leaves them in scratch, "layer 1" adds it to the last w2
// beats of that and leaves them in the output. Bursts of up to 8 beats, one at a time; a profile record after each layer.
//
// Cycles of a chunk of n beats with a stall-free memory of latency L: 2n + 2L + 2 (chunk, AR, L + n - 1, AW, n, L).
//
// Parameters: BUS_BITS 32..512, FINGERPRINT.

`default_nettype none

module mock_top #(
    parameter        BUS_BITS    = 64,
    parameter [31:0] FINGERPRINT = 32'h1234ABCD
) (
    input  wire                  clk,
    input  wire                  rst,
    output wire                  irq,

    input  wire [11:0]           s_axil_awaddr,
    input  wire                  s_axil_awvalid,
    output wire                  s_axil_awready,
    input  wire [31:0]           s_axil_wdata,
    input  wire [3:0]            s_axil_wstrb,
    input  wire                  s_axil_wvalid,
    output wire                  s_axil_wready,
    output wire [1:0]            s_axil_bresp,
    output reg                   s_axil_bvalid,
    input  wire                  s_axil_bready,
    input  wire [11:0]           s_axil_araddr,
    input  wire                  s_axil_arvalid,
    output wire                  s_axil_arready,
    output reg  [31:0]           s_axil_rdata,
    output wire [1:0]            s_axil_rresp,
    output reg                   s_axil_rvalid,
    input  wire                  s_axil_rready,

    output wire                  m_axi_awid,
    output wire [31:0]           m_axi_awaddr,
    output wire [7:0]            m_axi_awlen,
    output wire [2:0]            m_axi_awsize,
    output wire [1:0]            m_axi_awburst,
    output wire                  m_axi_awvalid,
    input  wire                  m_axi_awready,
    output wire [BUS_BITS-1:0]   m_axi_wdata,
    output wire [BUS_BITS/8-1:0] m_axi_wstrb,
    output wire                  m_axi_wlast,
    output wire                  m_axi_wvalid,
    input  wire                  m_axi_wready,
    input  wire                  m_axi_bid,
    input  wire [1:0]            m_axi_bresp,
    input  wire                  m_axi_bvalid,
    output wire                  m_axi_bready,
    output wire                  m_axi_arid,
    output wire [31:0]           m_axi_araddr,
    output wire [7:0]            m_axi_arlen,
    output wire [2:0]            m_axi_arsize,
    output wire [1:0]            m_axi_arburst,
    output wire                  m_axi_arvalid,
    input  wire                  m_axi_arready,
    input  wire                  m_axi_rid,
    input  wire [BUS_BITS-1:0]   m_axi_rdata,
    input  wire [1:0]            m_axi_rresp,
    input  wire                  m_axi_rlast,
    input  wire                  m_axi_rvalid,
    output wire                  m_axi_rready
);

    localparam BYTES      = BUS_BITS / 8;
    localparam LSB        = $clog2(BYTES);
    localparam DESC_BEATS = 64 / BYTES;
    localparam PROF_BITS  = (BUS_BITS > 256) ? BUS_BITS : 256;
    localparam PROF_BEATS = PROF_BITS / BUS_BITS;
    localparam [31:0] DESC_LAST = DESC_BEATS - 1;
    localparam [31:0] PROF_LAST = PROF_BEATS - 1;

    // planted faults
    localparam [7:0] F_DATA      = 1;   // one bit of beat 3 of layer 0
    localparam [7:0] F_WLAST     = 2;   // WLAST one beat early
    localparam [7:0] F_BOUNDARY  = 3;   // bursts ignore the 4 KiB boundary
    localparam [7:0] F_AR_DROP   = 4;   // ARVALID gives up after one cycle, for one cycle
    localparam [7:0] F_AW_MOVE   = 5;   // AWADDR moves while it waits
    localparam [7:0] F_RANGE     = 6;   // one beat too many is read
    localparam [7:0] F_HANG      = 7;   // never ends
    localparam [7:0] F_NO_B      = 8;   // goes on without waiting for write responses
    localparam [7:0] F_BEATS     = 9;   // READ_BEATS counts one too many
    localparam [7:0] F_DEAF      = 10;  // AXI4-Lite reads are not answered while busy
    localparam [7:0] F_SLOW      = 11;  // one cycle longer than predicted
    localparam [7:0] F_ERROR     = 12;  // ends with error 3
    localparam [7:0] F_IRQ       = 13;  // the interrupt cannot be cleared
    localparam [7:0] F_PROFILE   = 14;  // a profile record of layer 77
    localparam [7:0] F_LAST_BYTE = 15;  // wrong value in the last channel of the output only
    localparam [7:0] F_CYCLES    = 16;  // CYCLES runs twice as fast

    localparam [3:0] S_IDLE = 0, S_FETCH_AR = 1, S_FETCH_R = 2, S_CHUNK = 3, S_AR = 4, S_R = 5, S_AW = 6, S_W = 7,
                     S_B = 8, S_P_AW = 9, S_P_W = 10, S_P_B = 11, S_END = 12, S_WAIT = 13;

    reg [3:0]          state;
    reg [31:0]         base [0:3];
    reg [31:0]         program_at;
    reg [1:0]          irq_enable, irq_status;
    reg                done, error;
    reg [7:0]          code;
    reg [31:0]         cycles, busy_cycles, read_beats, write_beats;

    reg [511:0]        desc;
    wire [7:0]         fault    = desc[7:0];
    wire [31:0]        in_beats = desc[63:32], out_beats = desc[95:64];
    reg                layer;
    reg [31:0]         at, left;       // beats done and to do of this layer
    reg [7:0]          n, k;           // beats of this chunk; beat within it
    reg [BUS_BITS-1:0] chunk [0:7];
    reg [PROF_BITS-1:0] profile;
    reg                given_up, move, poisoned;
    reg [2:0]          owed;           // write responses not waited for (planted fault)
    reg                touched;        // the first chunk has begun

    wire [31:0] skip = layer ? in_beats - out_beats : 32'd0;
    wire [31:0] from = (layer ? base[3] + desc[127:96] : base[1]) + ((at + skip) << LSB);
    wire [31:0] to   = (layer ? base[2] : base[3] + desc[127:96]) + (at << LSB);

    // beats until a boundary for both sides, at most 8
    function [7:0] room(input [31:0] address);
        reg [31:0] beats;
        begin
            beats = (32'd4096 - (address & 32'd4095)) >> LSB;
            room  = (beats > 8) ? 8'd8 : beats[7:0];
        end
    endfunction
    function [7:0] least(input [7:0] a, input [7:0] b);
        least = (a < b) ? a : b;
    endfunction
    wire [7:0] most = (left > 8) ? 8'd8 : left[7:0];
    wire [7:0] size = (fault == F_BOUNDARY) ? most : least(most, least(room(from), room(to)));

    // ------------------------------------------------------------------ AXI4
    assign m_axi_arid    = 1'b0;
    assign m_axi_awid    = 1'b0;
    assign m_axi_arsize  = LSB[2:0];
    assign m_axi_awsize  = LSB[2:0];
    assign m_axi_arburst = 2'b01;
    assign m_axi_awburst = 2'b01;
    assign m_axi_arvalid = (state == S_FETCH_AR || state == S_AR) && !given_up;
    assign m_axi_araddr  = (state == S_FETCH_AR) ? base[0] + program_at : from;
    assign m_axi_arlen   = (state == S_FETCH_AR) ? DESC_LAST[7:0] : (fault == F_RANGE && left <= 8) ? n : n - 8'd1;
    assign m_axi_rready  = state == S_FETCH_R || state == S_R;
    assign m_axi_awvalid = state == S_AW || state == S_P_AW;
    assign m_axi_awaddr  = ((state == S_P_AW) ? base[3] + desc[159:128] + {25'd0, layer, 6'd0} : to) +
                           ((fault == F_AW_MOVE && move) ? 32'd64 : 32'd0);
    assign m_axi_awlen   = (state == S_P_AW) ? PROF_LAST[7:0] : n - 8'd1;
    assign m_axi_wvalid  = state == S_W || state == S_P_W;
    assign m_axi_wdata   = (state == S_P_W) ? profile[BUS_BITS-1:0] : chunk[k[2:0]];
    assign m_axi_wstrb   = {BYTES{1'b1}};
    wire [7:0] w_last    = (state == S_P_W) ? PROF_LAST[7:0] : n - 8'd1;
    assign m_axi_wlast   = k == w_last || (fault == F_WLAST && n > 1 && state == S_W && k == w_last - 8'd1);
    assign m_axi_bready  = state == S_B || state == S_P_B || owed != 0;

    reg [BUS_BITS-1:0] sum;
    integer b;
    always @* begin
        for (b = 0; b < BYTES; b = b + 1) sum[8*b +: 8] = m_axi_rdata[8*b +: 8] + desc[167:160];
        if (fault == F_DATA && !layer && at + {24'd0, k} == 3) sum[17] = !sum[17];
        if (fault == F_LAST_BYTE && layer && left <= 8 && m_axi_rlast) sum[15:8] = sum[15:8] ^ 8'h80;
    end

    wire ar = m_axi_arvalid && m_axi_arready, r = m_axi_rvalid && m_axi_rready, aw = m_axi_awvalid && m_axi_awready;
    wire w  = m_axi_wvalid && m_axi_wready, resp = m_axi_bvalid && m_axi_bready;
    // an error ends the program with its burst
    wire bad_read = r && (m_axi_rresp != 0 || poisoned), bad_write = resp && m_axi_bresp != 0;
    wire bad      = (bad_read && m_axi_rlast) || bad_write;
    wire start = write && waddr == 12'h00C && s_axil_wdata[0] && state == S_IDLE;
    wire abort = write && waddr == 12'h00C && s_axil_wdata[1];
    wire busy  = state != S_IDLE;

    always @(posedge clk) begin
        given_up <= 1'b0;
        move     <= m_axi_awvalid && !m_axi_awready;
        if (busy) begin
            cycles      <= cycles + ((fault == F_CYCLES) ? 32'd2 : 32'd1);
            busy_cycles <= busy_cycles + 32'd1;
        end
        if (r) read_beats <= read_beats + 32'd1;
        if (w) write_beats <= write_beats + 32'd1;
        if (fault == F_NO_B) owed <= owed + {2'd0, aw} - {2'd0, resp};

        case (state)
            S_IDLE: if (start) begin
                state       <= S_FETCH_AR;
                done        <= 1'b0;
                error       <= 1'b0;
                code        <= 8'd0;
                cycles      <= 32'd0;
                busy_cycles <= 32'd0;
                read_beats  <= 32'd0;
                write_beats <= 32'd0;
                desc        <= 512'd0;
            end
            S_FETCH_AR: if (ar) state <= S_FETCH_R;
            S_FETCH_R: if (r) begin
                desc <= desc >> BUS_BITS;
                desc[511 -: BUS_BITS] <= m_axi_rdata;
                if (m_axi_rlast) state <= S_WAIT;
            end
            S_WAIT: begin
                layer   <= 1'b0;
                at      <= 32'd0;
                left    <= in_beats;
                touched <= 1'b0;
                if (fault == F_ERROR) begin
                    code  <= 8'd3;
                    error <= 1'b1;
                    state <= S_IDLE;
                    irq_status[1] <= 1'b1;
                end else state <= S_CHUNK;
            end
            S_CHUNK: begin
                n     <= size;
                k     <= 8'd0;
                if (!(fault == F_SLOW && !touched)) state <= S_AR;
                touched <= 1'b1;
            end
            S_AR: begin
                if (ar) state <= S_R;
                else if (fault == F_AR_DROP) given_up <= !given_up;
            end
            S_R: if (r) begin
                if (k < 8) chunk[k[2:0]] <= sum;
                k <= k + 8'd1;
                if (m_axi_rlast) begin
                    k     <= 8'd0;
                    state <= S_AW;
                end
            end
            S_AW: if (aw) state <= S_W;
            S_W: if (w) begin
                k <= k + 8'd1;
                if (k == w_last) begin
                    k     <= 8'd0;
                    at    <= at + {24'd0, n};
                    left  <= left - {24'd0, n};
                    state <= S_B;
                end
            end
            S_B: if (resp || fault == F_NO_B) begin
                profile <= {{(PROF_BITS-256){1'b0}}, write_beats, read_beats, 32'd0, 32'd0, 32'd0, busy_cycles, cycles,
                            (fault == F_PROFILE) ? 32'd77 : {31'd0, layer}};
                state   <= (left != 0) ? S_CHUNK : S_P_AW;
            end
            S_P_AW: if (aw) state <= S_P_W;
            S_P_W: if (w) begin
                profile <= profile >> BUS_BITS;
                k       <= k + 8'd1;
                if (k == w_last) state <= S_P_B;
            end
            S_P_B: if (resp || fault == F_NO_B) begin
                at    <= 32'd0;
                left  <= out_beats;
                layer <= 1'b1;
                state <= layer ? S_END : S_CHUNK;
            end
            S_END: if (fault != F_HANG && !(fault == F_NO_B && owed != 0)) begin
                done          <= 1'b1;
                irq_status[0] <= 1'b1;
                if (fault == F_BEATS) read_beats <= read_beats + 32'd1;
                state         <= S_IDLE;
            end
            default: state <= S_IDLE;
        endcase
        poisoned <= bad_read && !m_axi_rlast;
        if (bad) begin
            error         <= 1'b1;
            code          <= bad_read ? 8'd1 : 8'd2;
            irq_status[1] <= 1'b1;
            state         <= S_IDLE;
        end

        if (write) begin
            case (waddr)
                12'h014: irq_enable <= s_axil_wdata[1:0];
                12'h018: if (fault != F_IRQ || !done) irq_status <= irq_status & ~s_axil_wdata[1:0];
                12'h01C: irq_status <= irq_status | s_axil_wdata[1:0];
                12'h020: base[0] <= s_axil_wdata;
                12'h024: base[1] <= s_axil_wdata;
                12'h028: base[2] <= s_axil_wdata;
                12'h02C: base[3] <= s_axil_wdata;
                12'h030: program_at <= s_axil_wdata;
                default: ;
            endcase
        end
        if (rst || abort) begin
            state    <= S_IDLE;
            done     <= 1'b0;
            error    <= 1'b0;
            given_up <= 1'b0;
            poisoned <= 1'b0;
            owed     <= 3'd0;
            desc     <= 512'd0;
        end
        if (rst) begin
            irq_enable <= 2'd0;
            irq_status <= 2'd0;
        end
    end

    // ------------------------------------------------------------- AXI4-Lite
    wire        write = s_axil_awvalid && s_axil_wvalid && !s_axil_bvalid;
    wire [11:0] waddr = s_axil_awaddr;
    assign s_axil_awready = write;
    assign s_axil_wready  = write;
    assign s_axil_bresp   = 2'b00;
    always @(posedge clk) begin
        if (write) s_axil_bvalid <= 1'b1;
        else if (s_axil_bready) s_axil_bvalid <= 1'b0;
        if (rst) s_axil_bvalid <= 1'b0;
    end

    wire read = s_axil_arvalid && !s_axil_rvalid && !(fault == F_DEAF && busy);
    assign s_axil_arready = read;
    assign s_axil_rresp   = 2'b00;
    always @(posedge clk) begin
        if (read) begin
            s_axil_rvalid <= 1'b1;
            case (s_axil_araddr)
                12'h000: s_axil_rdata <= 32'h4C555452;
                12'h004: s_axil_rdata <= 32'h00010000;
                12'h008: s_axil_rdata <= FINGERPRINT;
                12'h010: s_axil_rdata <= {16'd0, code, 4'd0, !busy, error, done, busy};
                12'h014: s_axil_rdata <= {30'd0, irq_enable};
                12'h018: s_axil_rdata <= {30'd0, irq_status};
                12'h040: s_axil_rdata <= cycles;
                12'h044: s_axil_rdata <= busy_cycles;
                12'h054: s_axil_rdata <= read_beats;
                12'h058: s_axil_rdata <= write_beats;
                12'h05C: s_axil_rdata <= 32'd1;
                default: s_axil_rdata <= 32'd0;
            endcase
        end else if (s_axil_rready) s_axil_rvalid <= 1'b0;
        if (rst) s_axil_rvalid <= 1'b0;
    end

    assign irq = |(irq_status & irq_enable);

    wire unused = &{1'b0, s_axil_wstrb, m_axi_bid, m_axi_rid, desc};

endmodule

`default_nettype wire
