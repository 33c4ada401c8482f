#!/bin/bash
# The arrays that flows/mac_study.sh compares compute what they should (tests/rtl/tb_mac_study.v, in Icarus): the merged trees,
# behavioural and as emitted, with weights in flip-flops and latches, and the mesh. Run from the project's root.
#
#   SEED   first random seed (1)
#   OUT    folder for what is built (build/test/mac_study)
set -u

SEED=${SEED:-1} OUT=${OUT:-build/test/mac_study}
rtl=rtl_templates study=flows/mac_study
passed=0 failed=0
mkdir -p "$OUT"

gcc -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror -Igen tests/rtl/csa_emit.c gen/emit/csa_*.c gen/base/buf.c \
    gen/base/err.c -o "$OUT/csa_emit" || exit 1

run() { # form lanes stages storage
    local weights=$rtl mesh=0 arithmetic="$rtl/lutra_dot.v $rtl/lutra_recode.v" log
    [ "$4" = ff ] || weights=$rtl/latch
    [ "$1" != mesh ] || mesh=1
    if [ "$1" = emitted ]; then
        "$OUT/csa_emit" recode lutra_recode "$2" 8 8 "$3" >"$OUT/lutra_recode.v" &&
            "$OUT/csa_emit" dot lutra_dot "$2" 8 8 "$3" >"$OUT/lutra_dot.v" || return 1
        arithmetic="$OUT/lutra_dot.v $OUT/lutra_recode.v $rtl/lutra_fa.v $rtl/lutra_ha.v $rtl/lutra_sel.v"
    fi
    # shellcheck disable=SC2086 # lists of files
    iverilog -g2005 -Ptb_mac_study.MESH=$mesh -Ptb_mac_study.LANES="$2" -Ptb_mac_study.DOT_STAGES="$3" -Ptb_mac_study.SEED="$SEED" \
        -s tb_mac_study -o "$OUT/tb.vvp" tests/rtl/tb_mac_study.v "${CELL:-$study/lutra_mac_pe.v}" $study/lutra_mac_{mesh,study}.v \
        "${LANE:-$study/lutra_accumulate_lane.v}" $study/lutra_accumulate.v $rtl/lutra_mac_{array,column}.v $arithmetic \
        "$weights"/lutra_weight_{load,pair,file}.v $([ "$4" = ff ] || echo "$rtl/latch/lutra_clkgate.v") || return 1
    log=$(timeout 120 vvp -n "$OUT/tb.vvp")
    [ "$log" = PASS ] || { echo "$log"; return 1; }
}

result() { # what, status
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL: $1, SEED=$SEED"
    fi
}

for c in "mesh 1 1 ff" "mesh 3 1 ff" "mesh 4 1 ff" "trees 1 0 ff" "trees 4 1 ff" "trees 3 3 latch" "emitted 4 1 ff" "emitted 5 0 latch" \
    "emitted 3 2 ff" "emitted 8 3 latch"; do
    SEED=$((SEED + 1))
    # shellcheck disable=SC2086 # four words
    run $c
    result "$c" $?
done

# Planted faults must be noticed.
sed 's/p_in + a_out \* w/p_in + a_in * w/' $study/lutra_mac_pe.v >"$OUT/cell.v"
! CELL=$OUT/cell.v run mesh 4 1 ff >"$OUT/fault.log"
result "a mesh one cycle off" $?
sed 's/prev & {ACC_W{keep}}/prev/' $study/lutra_accumulate_lane.v >"$OUT/lane.v"
for c in "mesh 4 1 ff" "trees 4 1 ff"; do
    # shellcheck disable=SC2086 # four words
    ! LANE=$OUT/lane.v run $c >"$OUT/fault.log"
    result "$c: an accumulator that never starts anew" $?
done

echo "mac_study: $passed passed, $failed failed"
[ $failed = 0 ]
