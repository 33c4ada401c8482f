#!/bin/bash
# The synthesis flow on small designs: what it reports against what can be counted by hand, and what it must refuse.
#
#   tests/flows/run.sh [--lutra PROGRAM] [--keep] [TEST...]
#
# Needs yosys, sta and the default library (package qflow-tech-osu018). Tests are the functions test_* below.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export LUTRA=$root/build/lutra
keep=0
tests=()
while [ $# -gt 0 ]; do
    case $1 in
    --lutra) LUTRA=$(realpath "$2"); shift ;;
    --keep) keep=1 ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run.sh: unknown option $1" >&2; exit 2 ;;
    *) tests+=("$1") ;;
    esac
    shift
done
for tool in yosys sta "$LUTRA"; do
    command -v "$tool" >/dev/null || { echo "run.sh: $tool: not found" >&2; exit 2; }
done
scratch=$(mktemp -d)
trap '[ $keep = 1 ] && echo "kept: $scratch" || rm -rf "$scratch"' EXIT
failures=0

fail() {
    echo "    $*"
    failures=$((failures + 1))
}

# A build folder whose Verilog is on standard input; the RAM wrappers are always there.
design() {
    mkdir -p "$scratch/$1/rtl"
    cat >"$scratch/$1/rtl/design.v"
    cp "$root"/rtl_templates/lutra_ram_1rw.v "$root"/rtl_templates/lutra_ram_1r1w.v "$scratch/$1/rtl/"
    printf '+incdir+rtl\nrtl/design.v\nrtl/lutra_ram_1rw.v\nrtl/lutra_ram_1r1w.v\n' >"$scratch/$1/$1.f"
}

# Runs the flow; its output is in $scratch/NAME/log.
synth() {
    local name=$1
    shift
    "$root/flows/synth.sh" "$@" "$scratch/$name" >"$scratch/$name/log" 2>&1
}

# First value of a key in a result file.
value() {
    sed -n "s/.*\"$3\": *\([-0-9.e+]*\).*/\1/p" "$scratch/$1/synth/osu018/$2.json" | head -n 1
}

# The value of a key of the whole design: blocks and modules come before it in the sorted file, deeper indented.
total() {
    sed -n "s/^  \"$2\": *\([-0-9.e+]*\).*/\1/p" "$scratch/$1/synth/osu018/area.json"
}

is() {
    awk -v a="${1:-nothing}" -v op="$2" -v b="$3" 'BEGIN {
        if (a == "nothing") exit 1
        d = a - b; e = 1e-6 * (b < 0 ? -b : b) + 1e-9
        exit !(op == "=" ? d <= e && -d <= e : op == ">" ? d > 0 : op == "<" ? d < 0 : 0) }' ||
        fail "${4:-value}: got ${1:-nothing}, expected $2 $3"
}

says() {
    grep -qF -- "$2" "$scratch/$1/log" || { fail "$1: expected a message with: $2"; sed 's/^/    | /' "$scratch/$1/log"; }
}

# Three instances of (NAND2 + flip-flop): 3 * (24 + 96).
test_area_by_hand() {
    design hand <<'V'
module cell1 (input clk, input a, input b, output reg q);
    always @(posedge clk) q <= ~(a & b);
endmodule
module lutra_top (input clk, input [2:0] a, input [2:0] b, output [2:0] q);
    genvar i;
    generate for (i = 0; i < 3; i = i + 1) begin : g
        cell1 u (.clk(clk), .a(a[i]), .b(b[i]), .q(q[i]));
    end endgenerate
endmodule
V
    synth hand || { fail "flow failed"; cat "$scratch/hand/log"; return; }
    is "$(total hand logic_um2)" = 360 logic
    is "$(total hand flip_flops)" = 3 flip-flops
    is "$(total hand cells)" = 6 cells
    is "$(total hand sram_um2)" = 0 SRAM
    # clk -> Q 0.1..0.3 ns, NAND about 0.05, setup 0.1..0.3
    is "$(value hand timing min_period_ns)" '>' 0.1 period
    is "$(value hand timing min_period_ns)" '<' 1.0 period
}

# Our hierarchical sum is the one that Yosys prints, on a design of some size.
test_area_is_what_yosys_says() {
    design mac <<'V'
module mac (input clk, input signed [7:0] a, input signed [7:0] b, output reg signed [23:0] p);
    always @(posedge clk) p <= p + a * b;
endmodule
module lutra_top (input clk, input [31:0] a, input [31:0] b, output [95:0] p);
    genvar i;
    generate for (i = 0; i < 4; i = i + 1) begin : g
        mac u (.clk(clk), .a(a[8*i +: 8]), .b(b[8*i +: 8]), .p(p[24*i +: 24]));
    end endgenerate
endmodule
V
    synth mac || { fail "flow failed"; cat "$scratch/mac/log"; return; }
    local yosys buffers
    yosys=$(sed -n 's/.*Chip area for top module.*: *\([0-9.]*\)/\1/p' "$scratch/mac/synth/osu018/map.log" | tail -n 1)
    buffers=$(total mac tree_buffers)
    is "$(total mac logic_um2)" = "$(awk -v y="$yosys" -v b="$buffers" 'BEGIN { print y + 32 * b }')" "logic, Yosys and buffers"
    grep -q FAX1 "$scratch/mac/synth/osu018/area.json" || fail "the multipliers use no full-adder cells"
}

# Registers between two RAMs: the path through the memory counts, and the macro is charged.
test_ram_is_a_macro() {
    design ram <<'V'
module lutra_top (input clk, input en, input we, input [7:0] a, input [63:0] d, output reg [63:0] q);
    wire [63:0] r;
    lutra_ram_1rw #(.WIDTH(64), .DEPTH(256)) u (.clk(clk), .en(en), .we(we), .addr(a), .wdata(d), .rdata(r));
    always @(posedge clk) q <= r;
endmodule
V
    synth ram || { fail "flow failed"; cat "$scratch/ram/log"; return; }
    is "$(total ram logic_um2)" = $((64 * 96)) logic
    is "$(total ram sram_bits)" = $((64 * 256)) bits
    local want
    want=$("$LUTRA" report sram -w 64 -d 256 | awk '/^  macro  /{print $2}')
    is "$(awk -v a="$(total ram sram_um2)" 'BEGIN { printf "%.1f", a }')" = "$want" "SRAM"
    local access
    access=$(value ram area access_ns)
    is "$(value ram timing min_period_ns)" '>' "$access" "period with the RAM's access time"
    is "$(value ram timing min_period_ns)" '<' "$(awk -v a="$access" 'BEGIN { print a + 1 }')" "period"
}

test_memory_guard() {
    design mem <<'V'
module lutra_top (input clk, input we, input [6:0] a, input [31:0] d, output reg [31:0] q);
    reg [31:0] store [0:127];
    always @(posedge clk) begin
        if (we) store[a] <= d;
        q <= store[a];
    end
endmodule
V
    synth mem && fail "a memory of 4096 bits was let through"
    says mem "about to become flip-flops"
    says mem "lutra_top.store: 128 words x 32 bits = 4096 bits"
    [ -e "$scratch/mem/synth/osu018/mapped.il" ] && fail "it was mapped all the same"
    FF_MEM_BITS=4096 synth mem --area-only || fail "the limit could not be raised"
    is "$(total mem memory_bits_in_flip_flops)" = 4096 "bits"
    is "$(total mem flip_flops)" '>' 4095 "flip-flops"
}

# The Liberty says that a latch has no area; 8 of them are 8 * 56.
test_latches_cost_area() {
    design latch <<'V'
module lutra_top (input clk, input en, input [7:0] d, output reg [7:0] q);
    always @* if (en) q = d;
endmodule
V
    synth latch --area-only || { fail "flow failed"; cat "$scratch/latch/log"; return; }
    is "$(total latch latches)" = 8 latches
    is "$(total latch logic_um2)" = $((8 * 56)) logic
}

# An enable of 2048 flip-flops: driven through a tree of buffers, far faster than by one gate.
test_fanout() {
    design fan <<'V'
module leaf (input clk, input en, input [3:0] d, output reg [3:0] q);
    always @(posedge clk) if (en) q <= d;
endmodule
module lutra_top (input clk, input a, input [2047:0] d, output [2047:0] q);
    reg en;
    always @(posedge clk) en <= a;
    genvar i;
    generate for (i = 0; i < 512; i = i + 1) begin : g
        leaf u (.clk(clk), .en(en), .d(d[4*i +: 4]), .q(q[4*i +: 4]));
    end endgenerate
endmodule
V
    synth fan || { fail "flow failed"; cat "$scratch/fan/log"; return; }
    local out=$scratch/fan/synth/osu018 plain
    is "$(total fan tree_buffers)" '>' 16 buffers
    is "$(value fan timing register_to_register_ns)" '<' 3 period
    yosys -q -p "read_rtlil $out/mapped.il; write_verilog -noattr -noexpr -nohex $scratch/plain.v" >/dev/null 2>&1
    sed "s#^set netlist.*#set netlist $scratch/plain.v#" "$out/sta_run.tcl" >"$scratch/plain.tcl"
    plain=$(sta -no_splash -exit "$scratch/plain.tcl" | sed -n 's/^LUTRA register_period //p')
    is "$plain" '>' "$(awk -v p="$(value fan timing register_to_register_ns)" 'BEGIN { print 1.5 * p }')" "period without the tree"
}

test_unchanged_input_is_not_mapped_again() {
    design again <<'V'
module lutra_top (input clk, input a, output reg q);
    always @(posedge clk) q <= ~a;
endmodule
V
    synth again || { fail "flow failed"; cat "$scratch/again/log"; return; }
    cp "$scratch/again/synth/osu018/area.json" "$scratch/area1.json"
    cp "$scratch/again/synth/osu018/timing.json" "$scratch/timing1.json"
    synth again || fail "second run failed"
    says again "netlist kept"
    synth again --force || fail "third run failed"
    cmp -s "$scratch/again/synth/osu018/area.json" "$scratch/area1.json" || fail "area.json differs from run to run"
    cmp -s "$scratch/again/synth/osu018/timing.json" "$scratch/timing1.json" || fail "timing.json differs from run to run"
    sed -i 's/~a/~a ^ q/' "$scratch/again/rtl/design.v"
    synth again || fail "run after a change failed"
    says again "mapping"
    is "$(total again logic_um2)" '>' 112 "logic after the change"
}

test_bad_designs_are_refused() {
    design bad <<'V'
module lutra_top (input clk, output q);
    nothere u (.clk(clk), .q(q));
endmodule
V
    synth bad && fail "an unknown module was accepted"
    says bad "nothere"
    design loop <<'V'
module lutra_top (input clk, input a, output q);
    wire x = ~(y & a), y = ~(x | a);
    assign q = x;
endmodule
V
    synth loop && fail "a combinational loop was accepted"
    says loop "yosys failed"
    design syntax <<'V'
module lutra_top (input clk output q);
endmodule
V
    synth syntax && fail "a syntax error was accepted"
    says syntax "design.v:1"
    synth bad --lib /nonexistent.lib && fail "a missing library was accepted"
    says bad "no such library"
    synth bad --goal fast && fail "an unknown goal was accepted"
    says bad "expected area, balanced or speed"
    "$root/flows/synth.sh" "$scratch/nofolder" >"$scratch/bad/log" 2>&1 && fail "a missing folder was accepted"
    says bad "no such folder"
}

# Every multiplier that the techmap makes is proven equal to Yosys' own.
test_multipliers_are_right() {
    local s ab
    mkdir -p "$scratch/mul"
    cat >"$scratch/mul/m.v" <<'V'
module m #(parameter A = 4, B = 4, Y = 8, S = 0) (input [A-1:0] a, input [B-1:0] b, output [Y-1:0] y);
    generate
        if (S) begin
            wire signed [A-1:0] x = a;
            wire signed [B-1:0] z = b;
            assign y = x * z;
        end else assign y = a * b;
    endgenerate
endmodule
V
    for s in 0 1; do
        for ab in '3 3 6' '4 4 8' '6 3 9' '3 7 10' '5 4 6' '6 6 14'; do
            # shellcheck disable=SC2086 # three numbers
            set -- $ab
            yosys -q -p "read_verilog $scratch/mul/m.v; chparam -set A $1 -set B $2 -set Y $3 -set S $s m; prep -flatten -top m; \
                copy m gate; rename m gold; techmap -map $root/flows/techmap/mul.v gate; select -assert-none gate/t:\$mul; \
                select -assert-min 1 gate/t:\$fa; techmap -map $root/flows/techmap/fa.v gate; \
                read_verilog $root/rtl_templates/lutra_fa.v; flatten gate; opt_clean; miter -equiv -flatten gold gate x; \
                sat -verify -prove trigger 0 x" >"$scratch/mul/log" 2>&1 ||
                { fail "signed=$s $1 x $2 -> $3 is wrong"; tail -n 5 "$scratch/mul/log"; }
        done
    done
}

# The mapped netlist, buffers and all, does what the Verilog does: both run on the same random inputs.
test_netlist_simulates() {
    local cells=/usr/share/qflow/tech/osu018/osu018_stdcells.v out
    design sim <<'V'
module mac (input clk, input load, input signed [7:0] a, input signed [7:0] b, output reg signed [23:0] p);
    always @(posedge clk) p <= load ? a * b : p + a * b;
endmodule
module lutra_top (input clk, input load, input we, input [3:0] ra, input [3:0] wa, input [31:0] a, input [31:0] b,
                  output [95:0] p, output [31:0] r, output reg [4:0] count, output [7:0] held);
    genvar i;
    generate for (i = 0; i < 4; i = i + 1) begin : g
        mac u (.clk(clk), .load(load), .a(r[8*i +: 8]), .b(b[8*i +: 8]), .p(p[24*i +: 24]));
    end endgenerate
    lutra_ram_1r1w #(.WIDTH(32), .DEPTH(13)) u_ram (.clk(clk), .we(we), .waddr(wa), .wdata(a), .re(1'b1), .raddr(ra), .rdata(r));
    always @(posedge clk) count <= load ? 5'd0 : count + {4'd0, a[0]} + {4'd0, b[3]};
    reg [7:0] l;
    always @* if (!clk) l = b[7:0];
    assign held = l;
endmodule
V
    synth sim || { fail "flow failed"; cat "$scratch/sim/log"; return; }
    out=$scratch/sim/synth/osu018
    sed 's/module lutra_top/module gates/; s/\bmac\b/mac_gates/' "$out/netlist.v" >"$scratch/sim/gates.v"
    cat >"$scratch/sim/tb.v" <<'V'
`timescale 1ns / 1ps
module tb;
    reg clk = 0, load = 1, we = 1;
    reg [3:0] ra = 0, wa = 0;
    reg [31:0] a = 0, b = 0;
    wire [95:0] p, pg;
    wire [31:0] r, rg;
    wire [4:0] n, ng;
    wire [7:0] h, hg;
    lutra_top u_rtl (clk, load, we, ra, wa, a, b, p, r, n, h);
V
    grep -A12 '^module gates' "$scratch/sim/gates.v" | tr -d '\n' | grep -o '([^;]*)' | head -n 1 | tr ',' '\n' |
        sed 's/[() ]//g; s/\\//' | sed -n -e 's/^p\(\[.*\]\)$/pg\1/p; t' -e 's/^r\(\[.*\]\)$/rg\1/p; t' \
            -e 's/^count\(\[.*\]\)$/ng\1/p; t' -e 's/^held\(\[.*\]\)$/hg\1/p; t' -e p |
        paste -sd, | sed 's/.*/    gates u_gates (&);/' >>"$scratch/sim/tb.v"
    cat >>"$scratch/sim/tb.v" <<'V'
    integer i, bad = 0, known = 0;
    always #50 clk = ~clk;
    initial begin
        for (i = 0; i < 13; i = i + 1) begin @(negedge clk); wa = i; a = $random; end
        for (i = 0; i < 2000; i = i + 1) begin
            @(negedge clk);
            load = i < 3 || ($random & 7) == 0; we = $random; wa = $unsigned($random) % 13; ra = $unsigned($random) % 13;
            a = $random; b = $random;
            if (ra == wa) we = 0;
            #49;
            if (i > 8) begin
                known = known + (^{p, r, n, h} !== 1'bx);
                if ({p, r, n, h} !== {pg, rg, ng, hg}) bad = bad + 1;
            end
        end
        $display("known %0d bad %0d", known, bad);
        $finish;
    end
endmodule
V
    iverilog -g2005 -o "$scratch/sim/tb" "$scratch/sim/tb.v" "$scratch/sim/gates.v" "$scratch/sim"/rtl/*.v "$out/rams.v" "$cells" \
        >"$scratch/sim/log" 2>&1 || { fail "netlist does not compile"; head -n 5 "$scratch/sim/log"; return; }
    vvp -n "$scratch/sim/tb" >"$scratch/sim/log" 2>&1
    says sim "known 1991 bad 0"
}

test_fpga() {
    command -v nextpnr-ice40 >/dev/null || { fail "nextpnr-ice40: not found"; return; }
    design fpga <<'V'
module lutra_top (input clk, input we, input [7:0] a, input [15:0] d, output reg [15:0] q);
    wire [15:0] r;
    lutra_ram_1rw #(.WIDTH(16), .DEPTH(256)) u (.clk(clk), .en(1'b1), .we(we), .addr(a), .wdata(d), .rdata(r));
    always @(posedge clk) q <= q + r;
endmodule
V
    local f
    for f in ice40 ecp5 xc7; do
        "$root/flows/fpga.sh" --family $f "$scratch/fpga" >"$scratch/fpga/log" 2>&1 || { fail "$f failed"; cat "$scratch/fpga/log"; continue; }
        says fpga "$f: "
    done
    local j=$scratch/fpga/synth/ice40/fpga.json
    grep -q '"block_rams": 1,' "$j" || fail "ice40: expected one block RAM"
    grep -q '"flip_flops": 16,' "$j" || fail "ice40: expected 16 flip-flops"
    is "$(sed -n 's/.*"fmax_mhz": *\([0-9.]*\).*/\1/p' "$j")" '>' 20 "ice40 MHz"
    grep -q '"fmax_mhz": null' "$scratch/fpga/synth/xc7/fpga.json" || fail "xc7: a clock from nowhere"
}

# From the files of the flow to the table.
test_compare() {
    design ws16 <<'V'
module lutra_exec_x (input clk, input a, output reg q);
    always @(posedge clk) q <= ~a;
endmodule
module lutra_top (input clk, input a, output q);
    lutra_exec_x u_exec (.clk(clk), .a(a), .q(q));
endmodule
V
    synth ws16 || { fail "flow failed"; cat "$scratch/ws16/log"; return; }
    mkdir -p "$scratch/ws16/sim"
    echo '{"cycles_per_image": 1000, "macs_per_image": 5, "bit_exact": true}' >"$scratch/ws16/sim/net.json"
    "$LUTRA" report compare --build "$scratch" --model net --out "$scratch/reports" ws16 other >"$scratch/ws16/log" 2>&1 ||
        fail "compare failed"
    local f
    for f in md csv json; do [ -s "$scratch/reports/compare.$f" ] || fail "no compare.$f"; done
    ! command -v gnuplot >/dev/null || [ -s "$scratch/reports/compare.svg" ] || fail "no compare.svg"
    grep -q '| other | n/a' "$scratch/reports/compare.md" || fail "a configuration without results is not n/a"
    "$LUTRA" report check --build "$scratch" --model net --rules "$scratch/rules" --update ws16 >/dev/null || fail "rules not written"
    "$LUTRA" report check --build "$scratch" --rules "$scratch/rules" ws16 >"$scratch/ws16/log" 2>&1 || fail "the rules fail at once"
    sed -i 's/"cycles_per_image": 1000/"cycles_per_image": 1001/' "$scratch/ws16/sim/net.json"
    "$LUTRA" report check --build "$scratch" --rules "$scratch/rules" ws16 >"$scratch/ws16/log" 2>&1 &&
        fail "one more cycle passes the rules"
    says ws16 "FAIL"
}

# Recipes of models: what a file starts from is made first, steps stay in build/models, results are kept and told.
test_models() {
    local at=$scratch/models
    mkdir -p "$at/flows" "$at/models"
    cp "$root/flows/models.sh" "$at/flows/"
    cat >"$at/models/recipes.txt" <<'T'
# comment
net.onnx     | procedural | float | train resnet20 --epochs 3
net.step.lqn | procedural | step  | tune net.onnx --config configs/pq16.yaml
net.pq16.lqn | procedural | PQ    | tune net.onnx --start net.step.lqn
real.onnx    | cifar10    | float | train resnet20
T
    cat >"$at/lutra" <<'T'
#!/bin/bash
echo "lutra $*" >>"$(dirname "$0")/calls"
case $1 in eval) echo "float: 75.25 % (301 of 400) on images, 1 s"; exit ;; esac
while [ $# -gt 0 ]; do
    case $1 in
    -o) echo new >"$2" ;;
    --log) printf 'epoch,seconds\n1,90\n2,119\n' >"$2" ;;
    *.onnx | *.lqn) [ -e "$1" ] || { echo "no $1" >&2; exit 2; } ;;
    esac
    shift
done
T
    chmod +x "$at/lutra"
    LUTRA=$at/lutra DATA= "$at/flows/models.sh" net.pq16.lqn >"$at/log" 2>&1 || { fail "models.sh failed"; cat "$at/log"; return; }
    is "$(grep -c . "$at/calls")" = 6 "calls" # three trained, three evaluated
    grep -q "tune $at/models/net.onnx --start $at/build/models/net.step.lqn" "$at/calls" || fail "paths: $(cat "$at/calls")"
    [ -e "$at/models/net.pq16.lqn" ] && [ ! -e "$at/models/net.step.lqn" ] || fail "files: $(ls "$at/models")"
    grep -q '^net.pq16.lqn,75.25,400,3,' "$at/models/models.csv" || fail "models.csv: $(cat "$at/models/models.csv")"
    grep -q '^| `net.pq16.lqn` | PQ | procedural | 75.25 | 0 | 3 ' "$at/models/README.md" || fail "README.md: $(cat "$at/models/README.md")"
    LUTRA=$at/lutra DATA= "$at/flows/models.sh" >"$at/log" 2>&1 || fail "models.sh failed without files to make"
    says models 'real.onnx: needs DATA='
    is "$(grep -c . "$at/calls")" = 6 "calls, with nothing missing"
    ! LUTRA=$at/lutra "$at/flows/models.sh" none.lqn >"$at/log" 2>&1 || fail "an unknown file is made"
    says models 'got none.lqn'
}

[ ${#tests[@]} -gt 0 ] || mapfile -t tests < <(declare -F | sed -n 's/^declare -f test_/test_/p')
passed=0 failed=0
for t in "${tests[@]}"; do
    failures=0
    $t
    if [ $failures -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok    $t"
    else
        failed=$((failed + 1))
        echo "FAIL  $t"
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
