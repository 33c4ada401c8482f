#!/bin/sh
# Test of the execution unit of ws and ews: builds it for a set of parameters and runs random sequences of operations on
# each, against the integer model and the cycle model.
# Usage: tests/rtl/exec_mac.sh [-a] [-b] [-s SEED] [-n CASES] [NAME...]   -a: every set; default: those marked *
#        -b: no test, but the simulation speed of an optimised build
# Environment: OUT (build folder), CC, CXX.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
OUT=${OUT:-$root/build/test_exec_mac}
CC=${CC:-cc}
CXX=${CXX:-c++}
seed=1 cases=300 all=0 speed=0
while getopts abs:n: opt; do
    case $opt in
    a) all=1 ;;
    b) speed=1 cases=0 ;;
    s) seed=$OPTARG ;;
    n) cases=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

# name  lanes acc mult post params  banks words  wb psum  wrf arf prf dot
sets='
*ws4 4 24 16 2 4 4 256 144 16 2 0 1 1
*ws1 1 18 16 1 4 4 256 60 5 2 0 1 0
*ws5 5 32 16 1 4 4 256 200 1 2 0 1 3
*ews4 4 24 16 2 4 4 256 144 16 8 8 2 1
*ews3 3 20 9 1 3 4 128 100 7 5 3 3 0
*ews8 8 24 12 1 4 8 128 576 16 16 16 4 2
ws2 2 16 8 2 1 8 128 64 3 2 0 1 1
ws3 3 24 16 3 2 4 256 90 9 2 0 1 2
ws8 8 24 16 4 4 4 256 300 16 2 0 1 1
ws12 12 28 10 2 3 4 128 500 24 2 0 1 2
ws16 16 24 9 2 1 8 128 288 32 2 0 1 1
ws64 64 24 16 8 2 4 64 640 4 2 0 1 3
ews1 1 12 8 1 8 4 64 40 12 6 4 2 0
ews2 2 24 16 1 4 4 128 64 1 4 0 1 1
ews5 5 22 13 5 4 4 256 250 20 12 20 5 3
ews6 6 24 16 3 4 4 128 300 13 9 1 4 1
ews16 16 24 9 2 1 4 512 288 32 16 16 4 1
ews16d 16 24 16 16 8 4 256 640 64 64 64 16 0
'

mkdir -p "$OUT"
rtl=$root/rtl_templates
here=$root/tests/rtl
host="$here/exec_mac_tb.c $here/exec_mac_case.c $root/gen/golden/cycle_mac.c $root/gen/program/mac_desc.c
    $root/gen/program/pack_mac.c $root/gen/program/pack_params.c $root/gen/emit/regs.c $root/gen/base/buf.c $root/gen/base/rng.c $root/gen/base/err.c"
vroot=$(verilator --getenv VERILATOR_ROOT)

run_set() {
    dir=$OUT/$1
    mkdir -p "$dir"
    check="--x-assign unique --x-initial unique" fast=-O1 slow=-O0
    [ $speed = 0 ] || check="--x-assign fast --x-initial fast --noassert" fast=-O2 slow=-O1
    # shellcheck disable=SC2086  # several words
    verilator --cc -Wall --prefix Vdut --top-module lutra_exec_mac --Mdir "$dir" -O3 $check -y "$rtl" -I"$rtl" \
        -GLANES="$2" -GACC_BITS="$3" -GMULT_BITS="$4" -GPOST_LANES="$5" -GPARAM_GROUPS="$6" -GFB_BANKS="$7" \
        -GFB_WORDS="$8" -GWB_WORDS="$9" -GPSUM_WORDS="${10}" -GWRF_DEPTH="${11}" -GARF_DEPTH="${12}" \
        -GPRF_DEPTH="${13}" -GDOT_STAGES="${14}" "$rtl/lutra_exec_mac.v"
    objs=
    for c in $host; do
        o=$dir/$(basename "$c" .c).o
        $CC -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -I"$root/gen" -I"$here" -c -o "$o" "$c"
        objs="$objs $o"
    done
    make -s -C "$dir" -f Vdut.mk OPT_FAST=$fast OPT_SLOW=$slow OPT_GLOBAL=$fast Vdut__ALL.a verilated.o \
        verilated_threads.o >/dev/null
    # shellcheck disable=SC2086
    $CXX -std=c++17 -O2 -faligned-new -DVM_SC=0 -I"$dir" -I"$here" -I"$vroot/include" -I"$vroot/include/vltstd" \
        -o "$dir/exec_mac_tb" "$here/exec_mac_dut.cpp" $objs "$dir/Vdut__ALL.a" "$dir/verilated.o" \
        "$dir/verilated_threads.o" -lpthread -latomic -lm
    printf '%s: ' "$1"
    "$dir/exec_mac_tb" "$seed" "$cases" lanes="$2" acc_bits="$3" mult_bits="$4" post_lanes="$5" param_groups="$6" \
        fb_banks="$7" fb_words="$8" wb_words="$9" psum_words="${10}" wrf_depth="${11}" arf_depth="${12}" \
        prf_depth="${13}" dot_stages="${14}"
}

wanted=" $* "
passed=0 failed=0
while read -r line; do
    [ -n "$line" ] || continue
    default=0
    case $line in \**) default=1 ;; esac
    # shellcheck disable=SC2086  # the columns are words
    set -- ${line#\*}
    if [ "$wanted" != "  " ]; then
        case $wanted in *" $1 "*) ;; *) continue ;; esac
    elif [ $all = 0 ] && [ $default = 0 ]; then
        continue
    fi
    if run_set "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done <<SETS
$sets
SETS
echo "exec_mac: $passed passed, $failed failed"
[ $passed -gt 0 ] && [ $failed = 0 ]
