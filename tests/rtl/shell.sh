#!/bin/sh
# Shell test: builds the shell for a set of widths and runs random programs and faults on each.
# Usage: tests/rtl/shell.sh [-a] [-s SEED] [-n PROGRAMS] [NAME...]   -a: every set; default: those marked *
# Environment: OUT (build folder), LUTRA (the lutra program, which makes lutra_csr.v) or CSR (that file), CC, CXX,
# TRACE=FILE (waveform, FST).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
OUT=${OUT:-$root/build/test_shell}
LUTRA=${LUTRA:-$root/build/lutra}
CC=${CC:-cc}
CXX=${CXX:-c++}
seed=1 programs=40 all=0
while getopts as:n: opt; do
    case $opt in
    a) all=1 ;;
    s) seed=$OPTARG ;;
    n) programs=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

# name  lanes bus banks words  pq weight param enc code  low high
sets='
*l16b128 16 128 4 64 0 128 128 0 0 24 16
*l1b32 1 32 4 64 0 8 64 0 0 32 16
*l3b64 3 64 2 128 0 24 192 0 0 24 12
*l4b256 4 256 8 32 0 32 128 0 0 20 16
*l5b32 5 32 4 32 0 40 320 0 0 24 16
*l8b256 8 256 4 64 0 64 64 0 0 32 8
*p16b32 16 32 4 32 1 128 1024 128 24 20 12
*p16b128 16 128 4 64 1 128 1024 128 24 20 12
*p16b512 16 512 4 64 1 512 1024 128 128 22 9
*l16b512 16 512 4 64 0 128 128 0 0 24 16
p16b256 16 256 4 64 1 128 1024 128 24 20 12
p16b64 16 64 4 64 1 128 512 128 24 24 16
l1b256 1 256 4 64 0 8 64 0 0 24 16
l1b64 1 64 4 64 0 8 64 0 0 24 16
l1b512 1 512 4 128 0 8 64 0 0 24 16
l1b128 1 128 2 64 0 8 64 0 0 24 16
l3b32 3 32 4 64 0 24 64 0 0 24 16
l3b128 3 128 4 64 0 24 192 0 0 24 16
l3b256 3 256 4 64 0 24 64 0 0 24 16
l3b512 3 512 2 128 0 24 192 0 0 24 16
l4b32 4 32 4 64 0 32 64 0 0 24 16
l4b64 4 64 4 64 0 32 256 0 0 24 16
l4b128 4 128 4 64 0 32 64 0 0 24 16
l5b64 5 64 4 64 0 40 320 0 0 24 16
l5b128 5 128 4 64 0 40 64 0 0 24 16
l5b256 5 256 4 64 0 40 320 0 0 24 16
l8b32 8 32 4 64 0 64 128 0 0 24 16
l8b64 8 64 16 16 0 64 512 0 0 24 16
l8b128 8 128 4 64 0 64 64 0 0 24 16
l16b32 16 32 4 64 0 128 128 0 0 24 16
l16b64 16 64 4 64 0 128 256 0 0 24 16
l16b256 16 256 4 64 0 128 1024 0 0 24 16
l64b32 64 32 4 64 0 512 128 0 0 24 16
l64b128 64 128 4 64 0 512 512 0 0 24 16
l64b512 64 512 4 64 0 512 1024 0 0 24 16
'

mkdir -p "$OUT"
rtl=$root/rtl_templates
csr=${CSR:-$OUT/gen/rtl/lutra_csr.v}
[ -n "${CSR:-}" ] || "$LUTRA" gen --output "$OUT/gen" --share "$root" "$root/configs/tiny_ws.yaml" >/dev/null
files="$rtl/lutra_shell.v $rtl/lutra_seq.v $rtl/lutra_tokens.v $rtl/lutra_counters.v $rtl/lutra_dma_addr.v
    $rtl/lutra_dma_rd.v $rtl/lutra_dma_wr.v $rtl/lutra_gearbox_in.v $rtl/lutra_gearbox_out.v $rtl/lutra_fb.v
    $rtl/lutra_ram_1rw.v $csr"
host="$root/gen/golden/cycle_shell.c $root/gen/golden/cycle_dma.c $root/gen/golden/load_word.c $root/gen/emit/regs.c $root/gen/emit/widths.c $root/gen/config/pq_shape.c $root/gen/golden/mirror.c
    $root/gen/base/err.c $root/gen/base/rng.c"
here=$root/tests/rtl
bench="$here/shell_tb.c $here/shell_check.c $here/shell_faults.c $here/shell_bench.c $here/shell_prog.c $here/shell_core.c $root/tb/axi_mem.c"
vroot=$(verilator --getenv VERILATOR_ROOT)

run_set() {
    dir=$OUT/$1
    wide=$7
    for w in "$8" "$9" "${10}"; do
        [ "$w" -le "$wide" ] || wide=$w
    done
    mkdir -p "$dir"
    verilator --cc -Wall --prefix Vdut --top-module lutra_shell --Mdir "$dir" -O3 --x-assign unique --x-initial unique \
        ${TRACE:+--trace-fst} -GLANES="$2" -GBUS_BITS="$3" -GFB_BANKS="$4" -GFB_WORDS="$5" -GWEIGHT_BITS="$7" \
        -GPARAM_BITS="$8" -GENC_BITS="$9" -GCODE_BITS="${10}" -GLD_BITS="$wide" -GPARAM_LOW="${11}" \
        -GPARAM_HIGH="${12}" $files
    defs="-DT_LANES=$2 -DT_BUS_BITS=$3 -DT_FB_BANKS=$4 -DT_FB_WORDS=$5 -DT_PQ=$6 -DT_WEIGHT_BITS=$7 -DT_PARAM_BITS=$8
        -DT_ENC_BITS=$9 -DT_CODE_BITS=${10} -DT_PARAM_LOW=${11} -DT_PARAM_HIGH=${12}"
    objs=
    for c in $bench $host; do
        o=$dir/$(basename "$c" .c).o
        $CC -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra $defs -I"$root/gen" -I"$root/tb" -I"$here" -c -o "$o" "$c"
        objs="$objs $o"
    done
    make -s -C "$dir" -f Vdut.mk OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1 Vdut__ALL.a verilated.o verilated_threads.o \
        ${TRACE:+verilated_fst_c.o} >/dev/null
    extra= fst=0
    if [ -n "${TRACE:-}" ]; then
        extra="$dir/verilated_fst_c.o -lz" fst=1
    fi
    $CXX -std=c++17 -O1 -faligned-new -DVM_TRACE_FST=$fst -DVM_SC=0 -I"$dir" -I"$root/tb" -I"$here" -I"$vroot/include" \
        -I"$vroot/include/vltstd" -o "$dir/shell_tb" "$here/shell_dut.cpp" $objs "$dir/Vdut__ALL.a" "$dir/verilated.o" \
        "$dir/verilated_threads.o" $extra -lpthread -latomic
    "$dir/shell_tb" "$seed" "$programs"
}

wanted=" $* "
n=0
while read -r line; do
    [ -n "$line" ] || continue
    default=0
    case $line in \**) default=1 ;; esac
    set -f
    # shellcheck disable=SC2086  # the columns are words
    set -- ${line#\*}
    set +f
    if [ "$wanted" != "  " ]; then
        case $wanted in *" $1 "*) ;; *) continue ;; esac
    elif [ $all = 0 ] && [ $default = 0 ]; then
        continue
    fi
    run_set "$@"
    n=$((n + 1))
done <<SETS
$sets
SETS
[ $n -gt 0 ] || { echo "shell.sh: no such set:$wanted" >&2; exit 2; }
echo "shell: $n passed"
