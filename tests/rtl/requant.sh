#!/bin/bash
# Requantisation: lutra_requant against the formula, with the behavioural and with the structural sum of products, over the
# range of its parameters; sizes that must be refused; planted faults that must be noticed; lint.
# Run from the project's root.
#
#   OUT    folder for what is built (build/test/requant)
#   SEED   random seed (1)
#   FULL=1 more sizes
set -u

OUT=${OUT:-build/test/requant} SEED=${SEED:-1} FULL=${FULL:-0}
rtl=rtl_templates
cells="$rtl/lutra_fa.v $rtl/lutra_ha.v $rtl/lutra_sel.v"
passed=0 failed=0
mkdir -p "$OUT"

gcc -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror -Igen tests/rtl/requant_emit.c gen/emit/csa_*.c \
    gen/base/buf.c gen/base/err.c -o "$OUT/requant_emit" || exit 1

result() { # what, status of the check
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL: $1"
    fi
}

simulate() { # acc mult file-of-lutra_requant_mac [file-of-lutra_requant]
    # shellcheck disable=SC2086 # several files
    rm -f "$OUT/tb.log"
    iverilog -g2005 -Ptb_requant.ACC_BITS="$1" -Ptb_requant.MULT_BITS="$2" -Ptb_requant.SEED="$SEED" -s tb_requant \
        -o "$OUT/tb.vvp" tests/rtl/tb_requant.v "$3" "${4:-$rtl/lutra_requant.v}" $rtl/lutra_radix4.v $cells &&
        vvp -n "$OUT/tb.vvp" >"$OUT/tb.log" && [ "$(cat "$OUT/tb.log")" = PASS ]
}

# ---- both forms against the formula --------------------------------------------------------------------------------------
sizes=("12 8" "32 16" "24 16" "22 9" "22 8" "20 12" "23 15" "13 11" "21 10")
[ "$FULL" = 0 ] || for a in 12 15 16 17 19 25 31 32; do for m in 8 9 10 11 12 13 14 15 16; do sizes+=("$a $m"); done; done
for s in "${sizes[@]}"; do
    read -r acc mult <<<"$s"
    structural=$OUT/lutra_requant_mac.v
    simulate "$acc" "$mult" $rtl/lutra_requant_mac.v
    result "behavioural, $acc bits x $mult bits, seed $SEED: $(cat "$OUT/tb.log")" $?
    "$OUT/requant_emit" lutra_requant_mac "$acc" "$mult" >"$structural" && simulate "$acc" "$mult" "$structural"
    result "structural, $acc bits x $mult bits, seed $SEED: $(cat "$OUT/tb.log")" $?
    # shellcheck disable=SC2086 # several files
    verilator --lint-only -Wall --top-module lutra_requant -GACC_BITS="$acc" -GMULT_BITS="$mult" $rtl/lutra_requant.v \
        $rtl/lutra_radix4.v "$structural" $cells &&
        verilator --lint-only -Wall --top-module lutra_requant -GACC_BITS="$acc" -GMULT_BITS="$mult" -y $rtl $rtl/lutra_requant.v
    result "lint, $acc bits x $mult bits" $?
done

# ---- sizes that must be refused ------------------------------------------------------------------------------------------
for s in "11 8" "33 8" "12 7" "12 17"; do
    # shellcheck disable=SC2086 # two numbers
    ! "$OUT/requant_emit" m $s >/dev/null 2>"$OUT/refused.log" && grep -q expected "$OUT/refused.log"
    result "refusal of $s" $?
done
"$OUT/requant_emit" lutra_requant_mac 22 9 >"$OUT/lutra_requant_mac.v"
# shellcheck disable=SC2086 # several files
! iverilog -g2005 -Plutra_requant_mac.ACC_BITS=20 -s lutra_requant_mac -o /dev/null "$OUT/lutra_requant_mac.v" $cells 2>"$OUT/size.log" &&
    grep -q was_emitted_for_another_size "$OUT/size.log"
result "size check" $?

# ---- planted faults ------------------------------------------------------------------------------------------------------
mutant() { # what, file, sed expression
    sed "$3" "$2" >"$OUT/mutant.v"
    if cmp -s "$2" "$OUT/mutant.v"; then
        result "mutant '$1' changes nothing" 1
    else
        case $2 in
        */lutra_requant.v) ! simulate 22 9 $rtl/lutra_requant_mac.v "$OUT/mutant.v" ;;
        *) ! simulate 22 9 "$OUT/mutant.v" ;;
        esac && grep -q '^FAIL: [0-9]' "$OUT/tb.log"
        result "mutant '$1' is not noticed" $?
    fi
}
mutant "no rounding" $rtl/lutra_requant.v "s/{9'd0, x0\[0\] & fits}/10'd0/"
mutant "overflow of the first levels lost" $rtl/lutra_requant.v "s/over_q | over2/over2/"
mutant "overflow of the last level lost" $rtl/lutra_requant.v "s/ | over0)/)/"
mutant "shift by 32 ignored" $rtl/lutra_requant.v "s/gone  = shift\[5\]/gone  = 1'b0/"
mutant "clip is strict" $rtl/lutra_requant.v "s/wire above = r_q >/wire above = r_q >=/; s/hi\[7:0\] :/hi[7:0] - 8'd1 :/"
mutant "residual unsigned" $rtl/lutra_requant_mac.v "s/{(V_W-9){res\[8\]}}/{(V_W-9){1'b0}}/"
first=$(grep -o 'lutra_fa f[0-9]*' "$OUT/lutra_requant_mac.v" | head -1)
cp "$OUT/lutra_requant_mac.v" "$OUT/structural.v"
mutant "one full adder is a half adder" "$OUT/structural.v" "s/$first (\(.*\)\.c([^)]*)/$first (\1.c(1'b0)/"

echo "requant: $passed passed, $failed failed"
[ $failed = 0 ]
