// SPDX-License-Identifier: Apache-2.0
//
// Performance counters and the profile record (docs/architecture.md, sections 3 and 4).
//
// Latency: a counter shows a cycle's event two cycles later: events come late in their cycle and are registered first.
// `mark` latches the record so that the cycle of the mark is counted; the record is there three cycles after it.
//
// Parameters:
//   BUS_BITS  width of a slice of the record, 32..512; a record is 256 bits and is padded with zeros to the bus

`default_nettype none

module lutra_counters #(
    parameter BUS_BITS = 128
) (
    input  wire                 clk,
    input  wire                 rst,         // hardware reset or START

    input  wire                 run,
    input  wire                 exec_busy,
    input  wire                 issue,
    input  wire                 stall_read,
    input  wire                 stall_write,
    input  wire                 read_beat,
    input  wire                 write_beat,
    input  wire [1:0]           retired,     // descriptors finished in this cycle

    output reg  [31:0]          n_cycles,
    output reg  [31:0]          n_exec_busy,
    output reg  [31:0]          n_stall_read,
    output reg  [31:0]          n_stall_write,
    output reg  [31:0]          n_stall_core,
    output reg  [31:0]          n_read_beats,
    output reg  [31:0]          n_write_beats,
    output reg  [31:0]          n_descriptors,

    input  wire                 mark,
    input  wire [7:0]           mark_layer,
    input  wire [2:0]           prof_index,
    output wire [BUS_BITS-1:0]  prof_data
);

    reg       do_cycle, do_exec_busy, do_stall_read, do_stall_write, do_stall_core, do_read_beat, do_write_beat;
    reg [1:0] do_retired;

    wire live = run && !rst;

    always @(posedge clk) begin
        do_cycle       <= live;
        do_exec_busy   <= live && exec_busy;
        do_stall_read  <= live && stall_read;
        do_stall_write <= live && stall_write;
        do_stall_core  <= live && exec_busy && !issue;
        do_read_beat   <= live && read_beat;
        do_write_beat  <= live && write_beat;
        do_retired     <= rst ? 2'd0 : retired;

        n_cycles      <= rst ? 32'd0 : n_cycles      + {31'd0, do_cycle};
        n_exec_busy   <= rst ? 32'd0 : n_exec_busy   + {31'd0, do_exec_busy};
        n_stall_read  <= rst ? 32'd0 : n_stall_read  + {31'd0, do_stall_read};
        n_stall_write <= rst ? 32'd0 : n_stall_write + {31'd0, do_stall_write};
        n_stall_core  <= rst ? 32'd0 : n_stall_core  + {31'd0, do_stall_core};
        n_read_beats  <= rst ? 32'd0 : n_read_beats  + {31'd0, do_read_beat};
        n_write_beats <= rst ? 32'd0 : n_write_beats + {31'd0, do_write_beat};
        n_descriptors <= rst ? 32'd0 : n_descriptors + {30'd0, do_retired};
    end

    // the record: word 0 (lowest address) is the layer
    reg [1:0]   latch;
    reg [7:0]   layer;
    reg [231:0] record;

    always @(posedge clk) begin
        latch <= {latch[0] && !rst, mark && !rst};
        if (mark) layer <= mark_layer;
        if (latch[1])
            record <= {n_write_beats, n_read_beats, n_stall_core, n_stall_write, n_stall_read, n_exec_busy, n_cycles,
                       layer};
    end

    localparam BITS = (BUS_BITS > 256) ? BUS_BITS : 256;
    localparam LG   = $clog2(BITS / BUS_BITS);  // of the slices

    wire [BITS-1:0] words = {{(BITS-256){1'b0}}, record[231:8], 24'd0, record[7:0]};

    generate
        if (LG > 0) begin : slice
            wire [LG-1:0] number = prof_index[LG-1:0];
            assign prof_data = words[number*BUS_BITS +: BUS_BITS];
        end else begin : whole
            assign prof_data = words;
        end
        if (LG < 3) begin : ignore
            wire unused = &{1'b0, prof_index[2:LG]};
        end
    endgenerate

endmodule

`default_nettype wire
