#!/bin/bash
# Random test of lutra_mac_array (tests/rtl/tb_mac_array.v) in Icarus: behavioural and structural dot product, weights in
# flip-flops and in latches, over LANES, WRF_DEPTH and DOT_STAGES. Run from the project's root.
#
#   SEED   first random seed (1)
#   OUT    folder for what is built (build/test/mac_array)
set -u

SEED=${SEED:-1} OUT=${OUT:-build/test/mac_array}
rtl=rtl_templates
passed=0 failed=0
mkdir -p "$OUT"

gcc -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror -Igen tests/rtl/csa_emit.c gen/emit/csa_*.c gen/base/buf.c \
    gen/base/err.c -o "$OUT/csa_emit" || exit 1

run() { # lanes depth stages form storage [sum_w]
    local arithmetic="$rtl/lutra_dot.v $rtl/lutra_recode.v" weights=$rtl parameters log
    if [ "$4" = structural ]; then
        "$OUT/csa_emit" recode lutra_recode "$1" 8 8 "$3" >"$OUT/lutra_recode.v" &&
            "$OUT/csa_emit" dot lutra_dot "$1" 8 8 "$3" >"$OUT/lutra_dot.v" || return 1
        arithmetic="$OUT/lutra_dot.v $OUT/lutra_recode.v $rtl/lutra_fa.v $rtl/lutra_ha.v $rtl/lutra_sel.v"
    fi
    [ "$5" = ff ] || weights="$rtl/latch"
    local cycles=1000
    [ "$4" = behavioural ] || cycles=$(($1 < 6 ? 500 : $1 < 10 ? 300 : 200)) # gate by gate
    parameters="-Ptb_mac_array.LANES=$1 -Ptb_mac_array.WRF_DEPTH=$2 -Ptb_mac_array.DOT_STAGES=$3 -Ptb_mac_array.SEED=$SEED
        -Ptb_mac_array.CYCLES=$cycles"
    [ -z "${6:-}" ] || parameters="$parameters -Ptb_mac_array.SUM_W=$6"
    # shellcheck disable=SC2086 # lists of words
    iverilog -g2005 $parameters -s tb_mac_array -o "$OUT/tb.vvp" tests/rtl/tb_mac_array.v $arithmetic \
        "$weights"/lutra_weight_{load,pair,file}.v $([ "$5" = ff ] || echo "$rtl/latch/lutra_clkgate.v") \
        $rtl/lutra_mac_column.v "${ARRAY:-$rtl/lutra_mac_array.v}" || return 1
    log=$(vvp -n "$OUT/tb.vvp")
    [ "$log" = PASS ] || { echo "$log"; return 1; }
}

# lanes depth stages sum_w
cases=("1 2 0" "1 4 3" "2 2 1" "3 2 2" "3 5 1" "4 16 1" "5 2 0" "5 3 3" "16 2 1" "8 2 3 24" "8 4 2 12")
for c in "${cases[@]}"; do
    for form in behavioural structural; do
        for storage in ff latch; do
            SEED=$((SEED + 1))
            # shellcheck disable=SC2086
            set -- $c
            if run "$1" "$2" "$3" $form $storage "${4:-}"; then
                passed=$((passed + 1))
            else
                failed=$((failed + 1))
                echo "FAIL: lanes $1, depth $2, stages $3, ${4:-default} bits, $form, $storage, SEED=$SEED"
            fi
        done
    done
done

# Planted faults must be noticed.
faults=('s/ | (wl_valid & (wl_entry != held))//' 's/ & (in_entry == held)//' 's/ ^ in_unsigned//'
    's/LATENCY = DOT_STAGES + 3/LATENCY = DOT_STAGES + 2/')
for f in "${faults[@]}"; do
    ARRAY=$OUT/fault.v
    sed "$f" $rtl/lutra_mac_array.v >"$ARRAY"
    if cmp -s "$ARRAY" $rtl/lutra_mac_array.v || run 4 2 1 behavioural ff >/dev/null; then
        failed=$((failed + 1))
        echo "FAIL: planted fault $f not noticed"
    else
        passed=$((passed + 1))
    fi
done
unset ARRAY

echo "mac_array: $passed passed, $failed failed"
[ "$failed" = 0 ]
