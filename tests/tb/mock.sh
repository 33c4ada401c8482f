#!/bin/sh
# Proves the testbench on a design that can only copy memory (mock_top.v): what is right passes under every kind of
# memory, and each planted fault is found and named. Usage, from the project's root:
#
#   tests/tb/mock.sh FOLDER_WITH_lutra_hw.h LIBLUTRA.a OUTPUT_FOLDER
#
# BUSES chooses the bus widths (default "32 64 256 512": each kind of port in Verilator's model, strobes included).
set -eu

if [ $# -ne 3 ] || [ ! -f "$1/lutra_hw.h" ] || [ ! -f "$2" ]; then
    echo "usage: $0 FOLDER_WITH_lutra_hw.h LIBLUTRA.a OUTPUT_FOLDER" >&2
    exit 2
fi
hw=$1 lib=$2 out=$3
cd "$(dirname "$0")/../.."
mkdir -p "$out"
gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Igen tests/tb/mock_image.c "$lib" -lz -lm -lpthread -o "$out/mock_image"
passed=0 failed=0 about=
record=4441 # bytes of a label and an image

complain() {
    echo "mock: $1" >&2
    sed 's/^/    /' "$out/log" >&2
    failed=$((failed + 1))
}

# expect CODE TEXT arguments...: runs $sim, checks exit code and that the output holds TEXT
expect() {
    code=$1 text=$2
    shift 2
    got=0
    "$sim" "$@" >"$out/log" 2>&1 || got=$?
    if [ "$got" -ne "$code" ]; then
        complain "bus $bus$about: $*: exit code $got, expected $code"
    elif ! grep -qF -- "$text" "$out/log"; then
        complain "bus $bus$about: $*: output lacks \"$text\""
    else
        passed=$((passed + 1))
    fi
}

# image NAME arguments of mock_image...
image() {
    name=$1
    shift
    "$out/mock_image" "$dir/$name" "bus=$((bus / 8))" "$@"
}

build() { # folder, variables of sim.mk...
    folder=$1
    shift
    make -s -f tb/sim.mk "OUT=$folder" RTL=tests/tb/mock_top.f "HW=$hw" "LIB=$lib" TOP=mock_top \
        "PARAMS=-GBUS_BITS=$bus" "$@"
}

good_runs() {
    ok="$dir/ok.lpi --expect $dir/ok.exp"
    image ok images=3
    # shellcheck disable=SC2086 # a list of words
    {
        expect 0 "cycle model: exact" $ok
        expect 0 "results: bit-exact" $ok --poll
        expect 0 "cycle model: exact" $ok --poll
        expect 0 "results: bit-exact" $ok --latency 1
        expect 0 "cycle model: not compared" $ok --latency 77
        for seed in 1 2 3; do
            expect 0 "results: bit-exact" $ok --stall 30 --seed $seed
            expect 0 "results: bit-exact" $ok --stall 80 --seed $seed --latency 3 --scatter
            expect 0 "results: bit-exact" $ok --bandwidth 2.5 --seed $seed --scatter --poll
        done
        expect 0 "1 image," $ok --images 1
        expect 0 "steady state: n/a" $ok --images 1
        expect 0 "results: bit-exact, 30 values in 1 tensors" $ok --layer 1
        expect 0 "not compared (no --expect)" "$dir/ok.lpi" --images 2
    }
    image code code=1
    expect 0 "results: bit-exact" "$dir/code.lpi" --expect "$dir/code.exp" --stall 20
    for l in 1 2 50; do
        image lat latency=$l
        expect 0 "memory latency $l" "$dir/lat.lpi" --expect "$dir/lat.exp"
        expect 0 "cycle model: exact" "$dir/lat.lpi" --expect "$dir/lat.exp"
    done
    # the same seed gives the same run, another one another
    cycles() { "$sim" "$dir/ok.lpi" --stall 40 --seed "$1" | sed -n 's/^cycles per image: \([0-9]*\).*/\1/p'; }
    a=$(cycles 5) b=$(cycles 5) c=$(cycles 6)
    if [ -z "$a" ] || [ "$a" != "$b" ] || [ "$a" = "$c" ]; then
        echo "mock: bus $bus: cycles with seeds 5, 5, 6: $a, $b, $c" >&2
        failed=$((failed + 1))
    fi
    # errors on the bus are reported, and the next run is right
    for burst in 0 1 7; do
        expect 0 "fault: hardware: error response on a bus read; recovery: ok" "$dir/ok.lpi" --expect "$dir/ok.exp" \
            --fault read@$burst
        expect 0 "results: bit-exact" "$dir/ok.lpi" --expect "$dir/ok.exp" --fault write@$burst --stall 20
    done
    expect 1 "should have failed" "$dir/ok.lpi" --fault read@100000
    # images from a file of records
    "$sim" "$dir/ok.lpi" --expect "$dir/ok.exp" --json "$dir/ok.json" >/dev/null
    grep -q '"cycle_model_exact": true' "$dir/ok.json" || { echo "mock: $dir/ok.json is wrong" >&2; failed=$((failed + 1)); }
    head -c $((2 * record)) /dev/zero >"$dir/records"
    expect 0 "image 1: class" "$dir/ok.lpi" --input "$dir/records"
    expect 2 "is not the one of" "$dir/ok.lpi" --input "$dir/records" --expect "$dir/ok.exp"
}

bad_designs() {
    plant() { # number, text, options...
        image bad "fault=$1"
        about=", planted fault $1"
        text=$2
        shift 2
        expect 1 "$text" "$dir/bad.lpi" --expect "$dir/bad.exp" "$@"
        about=
    }
    # beat 3; rows of 37 pixels of 4 bytes start on beats
    at=$((3 * bus / 8)) row=$(((37 * 4 * 8 + bus - 1) / bus * bus / 8))
    plant 1 "first mismatch: image 0, layer 0 (add), pixel y=$((at / row)) x=$((at % row / 4)), channel 2: expected"
    plant 2 "WLAST at beat"
    plant 3 "cross a 4 KiB boundary"
    plant 4 "AR changed or went away" --stall 50
    plant 5 "AW changed or went away" --stall 50
    plant 6 "outside every buffer"
    plant 7 "hardware did not finish in time" --timeout 30000
    plant 7 "hardware did not finish in time" --timeout 30000 --poll
    plant 8 "first mismatch: image 0, layer 1 (add_again)"
    plant 9 "counters READ_BEATS, WRITE_BEATS: got"
    plant 10 "AXI4-Lite: no answer to a read of 010" --poll
    plant 11 "cycle model: WRONG: profile record 0, CYCLES: predicted"
    plant 12 "hardware: bad descriptor"
    plant 13 "the interrupt line stays high"
    plant 14 "profile record 0: layer 77 of 2"
    plant 15 "layer 1 (add_again), pixel y=0 x=0, channel 9: expected"
    plant 16 "counter CYCLES: got"
    image bad wrong_prediction=1
    expect 1 "cycle model: WRONG: profile record 1, CYCLES: predicted" "$dir/bad.lpi"
}

bad_input() {
    expect 2 "--stahl: unknown option" "$dir/ok.lpi" --stahl 3
    expect 2 "--stall: got '96', expected a whole number from 0 to 95" "$dir/ok.lpi" --stall 96
    expect 2 "--stall: a value is missing" "$dir/ok.lpi" --stall
    expect 2 "--fault: got 'x@1'" "$dir/ok.lpi" --fault x@1
    expect 2 "--layer: got 2, expected 0..1" "$dir/ok.lpi" --layer 2
    expect 2 "--images: got 4, there are 3" "$dir/ok.lpi" --expect "$dir/ok.exp" --images 4
    expect 2 "got 0 file names, expected one program image"
    expect 3 "nowhere.lpi" "$dir/nowhere.lpi"
    head -c 300 "$dir/ok.lpi" >"$dir/cut.lpi"
    expect 2 "cut.lpi: program image: not a program image" "$dir/cut.lpi"
    head -c 600 "$dir/ok.lpi" >"$dir/cut.lpi"
    expect 2 "cut.lpi: program image: " "$dir/cut.lpi"
    expect 2 "ok.lpi: not a file of expected tensors" "$dir/ok.lpi" --expect "$dir/ok.lpi"
    expect 2 "expected records of $record" "$dir/ok.lpi" --input "$dir/ok.lpi"
    expect 3 "built without TRACE=1" "$dir/ok.lpi" --trace "$dir/x.fst"
    "$out/mock_image" "$dir/other" "bus=$((bus == 32 ? 8 : 4))"
    expect 2 "made for a bus of" "$dir/other.lpi"
    image alien fingerprint=7
    expect 2 "made for fingerprint 00000007, this accelerator has 1234abcd" "$dir/alien.lpi"
    expect 0 "usage: lutra_sim IMAGE.lpi" --help
}

for bus in ${BUSES:-32 64 256 512}; do
    dir=$out/bus$bus
    mkdir -p "$dir"
    build "$dir/sim"
    sim=$dir/sim/lutra_sim
    good_runs
    bad_designs
    bad_input
done

# waveforms, and registers that start with random values; on the last width
build "$dir/trace" TRACE=1 XINIT=1
sim=$dir/trace/lutra_sim
expect 0 "results: bit-exact" "$dir/ok.lpi" --expect "$dir/ok.exp" --trace "$dir/waves.fst" --seed 3 --stall 10
if [ "$(wc -c <"$dir/waves.fst")" -lt 1000 ]; then
    echo "mock: $dir/waves.fst is empty" >&2
    failed=$((failed + 1))
fi
expect 3 "waves.fst" "$dir/ok.lpi" --trace "$dir/no_such_folder/waves.fst"

echo "mock: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
