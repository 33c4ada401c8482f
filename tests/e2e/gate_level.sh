#!/bin/bash
# The gates that synthesis makes, behind the same testbench as the RTL: driver, AXI memory model, networks. The netlist that area
# and timing are reported of (osu018, fan-out buffers and all), with cell models that Yosys derives from the Liberty file,
# starts from random registers and must give every tensor bit-exactly, and the cycles and counters of the RTL.
# Usage, from the project's root: tests/e2e/gate_level.sh [-s SEED] [CONFIG[:LAYERS]...]     LAYERS: stop after so many
set -u

seed=1
while getopts s: opt; do
    case $opt in
    s) seed=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- tiny_ws:6 tiny_pq:6
echo "seed $seed"
library=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
lutra=build/lutra
passed=0 failed=0
run_make() { make -s --no-print-directory SAN= "$@"; }

result() { # what, status, log
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "$1: ok"
    else
        failed=$((failed + 1))
        echo "$1: FAILED, $3"
        tail -n 8 "$3"
    fi
}

# Replaces a file by standard input if it differs, so that nothing is compiled again without need.
update() {
    cat >"$1.new"
    if cmp -s "$1" "$1.new"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# The netlist has a port per bit: a lutra_top with the RTL's ports around it.
wrapper() { # RTL top, netlist
    sed -n '/^module lutra_top/,/);/p' "$1"
    echo '    lutra_gates u_gates ('
    sed -n '/^module lutra_top(/,/);/p' "$2" | tr -d ' \n();' | sed 's/^modulelutra_top//' | tr ',' '\n' |
        sed -e 's/^\\\(.*\)$/\\\1 (\1)/; t done' -e 's/.*/&(&)/' -e ': done' -e 's/^/        ./; $!s/$/,/'
    printf '    );\nendmodule\n'
}

build() { # configuration, folder
    local rtl=build/$1/rtl synth=build/$1/synth/osu018 f
    run_make synth CONFIG="$1" LIB= GOAL= && run_make "build/$1/sim/lutra_sim" CONFIG="$1" || return 1
    mkdir -p "$2"
    sed 's/^module lutra_top(/module lutra_gates(/' "$synth/netlist.v" | update "$2/netlist.v"
    wrapper "$rtl/lutra_top.v" "$synth/netlist.v" | update "$2/lutra_top.v"
    yosys -q -p "read_liberty -ignore_miss_func $library; proc; opt_clean; write_verilog -noattr $2/cells.out" >/dev/null || return 1
    update "$2/cells.v" <"$2/cells.out"
    for f in "$synth/rams.v" "$rtl"/lutra_ram_*.v; do update "$2/$(basename "$f")" <"$f"; done
    (cd "$2" && printf '%s\n' *.v | update gates.f)
    make -s --no-print-directory -f tb/sim.mk OUT="$2/sim" RTL="$2/gates.f" HW="build/$1/include" LIB=build/obj/liblutra.a XINIT=1 OPT=-O1
}

# results without what depends on the machine
figures() { grep -vE '"(cycles_per_s|wall_s|cpu_s)"' "$1"; }

for item in "$@"; do
    c=${item%%:*} layers=${item#*:}
    [ "$layers" != "$item" ] || layers=
    dir=build/test/gate_level/$c net=build/$c/builtin/resnet20
    mkdir -p "$dir"
    { build "$c" "$dir" && run_make $net.lqn CONFIG="$c" DATA= MODEL=resnet20; } >"$dir/build.log" 2>&1
    status=$?
    result "$c: $(grep -c '^  *[A-Z][A-Z0-9]*X[0-9]* ' "$dir/netlist.v") lines with cells, built" $status "$dir/build.log"
    [ $status = 0 ] || continue

    # every tensor of the first layers, with stalls
    "$lutra" program "configs/$c.yaml" $net.lqn --dump -l 2 -o "$dir/dump.lpi" -e "$dir/dump.exp" -n 1 -s "$seed" >"$dir/dump.log" &&
        "$dir/sim/lutra_sim" "$dir/dump.lpi" --expect "$dir/dump.exp" --images 1 --stall 25 --seed "$seed" >>"$dir/dump.log" 2>&1 &&
        grep -q 'results: bit-exact' "$dir/dump.log"
    result "$c: first layers under random stalls" $? "$dir/dump.log"

    # the network against the cycle model, and figure by figure against the RTL
    "$lutra" program "configs/$c.yaml" $net.lqn ${layers:+-l $((layers - 1))} -o "$dir/net.lpi" -e "$dir/net.exp" -n 1 -s "$seed" \
        >"$dir/net.log" &&
        "build/$c/sim/lutra_sim" "$dir/net.lpi" --expect "$dir/net.exp" --images 1 --seed "$seed" --json "$dir/rtl.json" >"$dir/rtl.log" 2>&1 &&
        "$dir/sim/lutra_sim" "$dir/net.lpi" --expect "$dir/net.exp" --images 1 --seed "$seed" --json "$dir/gates.json" >>"$dir/net.log" 2>&1 &&
        grep -q 'results: bit-exact' "$dir/net.log" && grep -q 'cycle model: exact' "$dir/net.log"
    result "$c: ${layers:+first $layers layers of }resnet20, $(sed -n 's/^cycles per image: \([0-9]*\).*/\1/p' "$dir/net.log") cycles" $? "$dir/net.log"
    diff <(figures "$dir/rtl.json") <(figures "$dir/gates.json") >"$dir/figures.log"
    result "$c: cycles and counters as the RTL's" $? "$dir/figures.log"
done

echo "gate_level: $passed passed, $failed failed"
[ $failed = 0 ]
