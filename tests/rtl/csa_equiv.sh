#!/bin/bash
# The structural arithmetic of gen/emit/csa_tree.h against behavioural Verilog: simulation in Icarus (random, and exhaustive for
# small sizes), proofs with Yosys' SAT solver for small sizes, lint, and planted faults that must be noticed.
# Run from the project's root.
#
#   OUT     folder for what is built (build/test/csa)
#   FULL=1  more sizes
set -u

OUT=${OUT:-build/test/csa} FULL=${FULL:-0}
rtl=rtl_templates
cells="$rtl/lutra_fa.v $rtl/lutra_ha.v $rtl/lutra_sel.v"
passed=0 failed=0
mkdir -p "$OUT"

gcc -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror -Igen tests/rtl/csa_emit.c gen/emit/csa_*.c gen/base/buf.c \
    gen/base/err.c -o "$OUT/csa_emit" || exit 1
emit=$OUT/csa_emit

result() { # what, status of the check
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL: $1"
    fi
}

lint() { # file top
    verilator --lint-only -Wall --top-module "$2" "$1" $cells && iverilog -g2005 -Wall -o /dev/null -s "$2" "$1" $cells
}

simulate() { # testbench, "-P..." parameters, files...; true if it says PASS and nothing else
    local tb=$1 parameters=$2 log
    shift 2
    iverilog -g2005 $parameters -s "$tb" -o "$OUT/tb.vvp" "tests/rtl/$tb.v" "$@" $cells || return 1
    log=$(vvp -n "$OUT/tb.vvp")
    [ "$log" = PASS ] || { echo "$log"; return 1; }
}

dot_parameters() { # testbench lanes a w stages
    echo "-P$1.LANES=$2 -P$1.A_BITS=$3 -P$1.W_BITS=$4 -P$1.DOT_STAGES=$5"
}

# ---- dot products ------------------------------------------------------------------------------------------------------
dot() { # lanes a w stages [exhaustive]
    $emit recode lutra_recode_s "$1" "$2" "$3" "$4" >"$OUT/lutra_recode_s.v" && $emit dot lutra_dot_s "$1" "$2" "$3" "$4" >"$OUT/lutra_dot_s.v" ||
        return 1
    lint "$OUT/lutra_recode_s.v" lutra_recode_s && lint "$OUT/lutra_dot_s.v" lutra_dot_s &&
        simulate tb_csa_dot "$(dot_parameters tb_csa_dot "$1" "$2" "$3" "$4") -Ptb_csa_dot.EXHAUSTIVE=${5:-0}" \
            $rtl/lutra_dot.v $rtl/lutra_recode.v "$OUT/lutra_recode_s.v" "$OUT/lutra_dot_s.v"
}

sizes=("1 8 8 0" "1 8 8 3" "3 8 8 0" "3 8 8 1" "3 8 8 2" "5 8 8 1" "5 8 8 3" "16 8 8 0" "16 8 8 1" "16 8 8 2" "16 8 8 3"
    "7 7 5 1" "33 4 8 2" "2 2 2 2" "4 3 3 1" "8 6 8 7" "1 2 2 0 1" "1 3 4 0 1" "2 3 3 1 1" "1 6 6 2 1" "2 4 4 3 1")
[ "$FULL" = 0 ] || sizes+=("64 8 8 0" "64 8 8 3" "32 8 8 2" "13 8 8 2" "9 16 16 4" "256 2 3 2" "3 4 2 1 1" "2 5 4 0 1")
for s in "${sizes[@]}"; do
    # shellcheck disable=SC2086 # the words of s are arguments
    dot $s
    result "dot product of (lanes, a, w, stages, exhaustive) $s" $?
done

# Other sizes than the emitted ones must not elaborate.
$emit recode lutra_recode_s 3 8 8 1 >"$OUT/lutra_recode_s.v" && $emit dot lutra_dot_s 3 8 8 1 >"$OUT/lutra_dot_s.v"
for p in LANES=4 W_BITS=7 DOT_STAGES=2; do
    ! iverilog -g2005 -Plutra_dot_s.$p -s lutra_dot_s -o /dev/null "$OUT/lutra_dot_s.v" $cells 2>"$OUT/size.log" &&
        grep -q was_emitted_for_another_size "$OUT/size.log"
    result "size check of lutra_dot with $p" $?
done

# ---- multipliers and adders ------------------------------------------------------------------------------------------------
mul() { # a s|u b s|u stages
    local sa sb clocked=
    [ "$2" = s ] && sa=1 || sa=0
    [ "$4" = s ] && sb=1 || sb=0
    [ "$5" = 0 ] || clocked=-DCLOCKED
    $emit mul mul_s "$@" >"$OUT/mul_s.v" || return 1
    lint "$OUT/mul_s.v" mul_s && simulate tb_csa_mul "-Ptb_csa_mul.A_BITS=$1 -Ptb_csa_mul.A_SIGNED=$sa -Ptb_csa_mul.B_BITS=$3
        -Ptb_csa_mul.B_SIGNED=$sb -Ptb_csa_mul.STAGES=$5 $clocked" "$OUT/mul_s.v"
}

for s in "8 s 8 s 0" "8 u 8 u 0" "8 s 8 u 1" "7 u 9 s 2" "25 s 16 u 2" "16 u 25 s 0" "32 s 32 s 3" "32 u 32 u 1" "2 s 2 s 0" \
    "2 u 2 u 0" "3 s 5 u 0" "2 u 7 s 1" "9 u 3 s 0" "12 s 4 u 0" "5 u 5 u 7" "24 s 12 u 1"; do
    # shellcheck disable=SC2086
    mul $s
    result "multiplier (a, b, stages) $s" $?
done

adder() { # operands bits s|u sum_bits stages
    local signed clocked=
    [ "$3" = s ] && signed=1 || signed=0
    [ "$5" = 0 ] || clocked=-DCLOCKED
    $emit sum sum_s "$@" >"$OUT/sum_s.v" || return 1
    lint "$OUT/sum_s.v" sum_s && simulate tb_csa_sum "-Ptb_csa_sum.INPUTS=$1 -Ptb_csa_sum.BITS=$2 -Ptb_csa_sum.IS_SIGNED=$signed
        -Ptb_csa_sum.SUM_BITS=$4 -Ptb_csa_sum.STAGES=$5 $clocked" "$OUT/sum_s.v"
}

for s in "1 8 s 8 0" "1 5 u 9 1" "2 8 s 9 0" "3 4 s 6 1" "9 8 s 12 0" "18 4 s 9 1" "18 8 s 13 2" "36 4 s 20 1" "64 8 u 14 3" \
    "8 1 u 4 0" "7 1 s 4 0" "5 6 s 6 0" "100 12 s 24 2"; do
    # shellcheck disable=SC2086
    adder $s
    result "adder (operands, bits, sum, stages) $s" $?
done

pq_sum() { # inputs bits mirror
    $emit pq_sum pq_sum_s "$@" >"$OUT/pq_sum_s.v" || return 1
    lint "$OUT/pq_sum_s.v" pq_sum_s && simulate tb_csa_pq_sum "-Ptb_csa_pq_sum.INPUTS=$1 -Ptb_csa_pq_sum.BITS=$2
        -Ptb_csa_pq_sum.MIRROR=$3" $rtl/lutra_pq_sum.v "$OUT/pq_sum_s.v"
}

for s in "1 8 0" "2 4 1" "9 8 0" "16 5 1" "18 4 0" "19 4 1" "36 4 1" "64 6 0" "72 4 0" "72 4 1" "144 4 1"; do
    # shellcheck disable=SC2086
    pq_sum $s
    result "sum of table entries (inputs, bits, mirror) $s" $?
done
pq_sum 18 4 1
sed "s/\.s(\(c2_[0-9]*\)), \.co(\(c3_[0-9]*\))/.s(\2), .co(\1)/" "$OUT/pq_sum_s.v" >"$OUT/pq_sum_bad.v"
! cmp -s "$OUT/pq_sum_s.v" "$OUT/pq_sum_bad.v" &&
    ! simulate tb_csa_pq_sum "-Ptb_csa_pq_sum.INPUTS=18 -Ptb_csa_pq_sum.BITS=4 -Ptb_csa_pq_sum.MIRROR=1" $rtl/lutra_pq_sum.v \
        "$OUT/pq_sum_bad.v" >/dev/null
result "planted fault in a sum of table entries" $?

# ---- proofs ----------------------------------------------------------------------------------------------------------------
# After the latency the two sums are equal whatever the inputs were and whatever the registers held before.
prove_dot() { # lanes a w stages
    local p="-set LANES $1 -set A_BITS $2 -set W_BITS $3 -set DOT_STAGES $4" latency=$((4 + $4))
    $emit recode lutra_recode_s "$1" "$2" "$3" "$4" >"$OUT/lutra_recode_s.v" && $emit dot lutra_dot_s "$1" "$2" "$3" "$4" >"$OUT/lutra_dot_s.v" ||
        return 1
    yosys -q -l "$OUT/prove.log" -p "
        read_verilog $rtl/lutra_dot.v $rtl/lutra_recode.v $OUT/lutra_recode_s.v $OUT/lutra_dot_s.v $cells tests/rtl/csa_miter.v
        chparam $p csa_miter
        prep -top csa_miter -flatten
        sat -verify -seq $latency -prove differ 0 -tempinduct -maxsteps $((latency + 3))" >/dev/null 2>&1
}

for s in "1 4 4 0" "1 5 4 0" "1 4 4 1" "2 3 3 0" "2 3 3 2" "3 2 3 1" "2 4 3 1"; do
    # shellcheck disable=SC2086
    prove_dot $s
    result "proof of dot product (lanes, a, w, stages) $s, see $OUT/prove.log" $?
done

prove_mul() { # a s|u b s|u
    local expr_a="a" expr_b="b"
    [ "$2" = u ] || expr_a="\$signed(a)"
    [ "$4" = u ] || expr_b="\$signed(b)"
    # mixed signs: a zero in front of the unsigned operand makes both signed
    [ "$2$4" != us ] || expr_a="\$signed({1'b0, a})"
    [ "$2$4" != su ] || expr_b="\$signed({1'b0, b})"
    $emit mul mul_s "$@" 0 >"$OUT/mul_s.v" || return 1
    cat >"$OUT/miter.v" <<V
module miter (input [$(($1 - 1)):0] a, input [$(($3 - 1)):0] b, output differ);
    wire [$(($1 + $3 - 1)):0] p, q = $expr_a * $expr_b;
    mul_s u (.a(a), .b(b), .p(p));
    assign differ = p != q;
endmodule
V
    yosys -q -l "$OUT/prove.log" -p "read_verilog $OUT/mul_s.v $OUT/miter.v $cells; prep -top miter -flatten
        sat -verify -prove differ 0" >/dev/null 2>&1
}

for s in "4 s 4 s" "5 u 4 u" "4 s 5 u" "3 u 5 s" "5 s 5 s"; do
    # shellcheck disable=SC2086
    prove_mul $s
    result "proof of multiplier $s, see $OUT/prove.log" $?
done

# ---- planted faults: one wrong wire must be seen by simulation and by proof ---------------------------------------------------
$emit recode lutra_recode_s 2 3 3 1 >"$OUT/lutra_recode_s.v" && $emit dot lutra_dot_s 2 3 3 1 >"$OUT/lutra_dot_s.v"
cp "$OUT/lutra_dot_s.v" "$OUT/dot_good.v"
faults=0 seen=0 proven=0
while read -r line; do
    # swap sum and carry of one adder; or leave a partial product out
    sed "${line}{s/\.s(\([^)]*\)), \.co(\([^)]*\))/.s(\2), .co(\1)/;s/\.p1(/.p1(1'b0 \& /}" "$OUT/dot_good.v" >"$OUT/lutra_dot_s.v"
    cmp -s "$OUT/lutra_dot_s.v" "$OUT/dot_good.v" && continue
    faults=$((faults + 1))
    simulate tb_csa_dot "$(dot_parameters tb_csa_dot 2 3 3 1)" $rtl/lutra_dot.v $rtl/lutra_recode.v "$OUT/lutra_recode_s.v" \
        "$OUT/lutra_dot_s.v" >/dev/null || seen=$((seen + 1))
    yosys -q -p "read_verilog $rtl/lutra_dot.v $rtl/lutra_recode.v $OUT/lutra_recode_s.v $OUT/lutra_dot_s.v $cells tests/rtl/csa_miter.v
        chparam -set LANES 2 -set A_BITS 3 -set W_BITS 3 -set DOT_STAGES 1 csa_miter; prep -top csa_miter -flatten
        sat -verify -seq 5 -prove differ 0 -tempinduct -maxsteps 8" >/dev/null 2>&1 || proven=$((proven + 1))
done < <(grep -nE 'lutra_fa|lutra_sel' "$OUT/dot_good.v" | cut -d: -f1 | awk 'NR % 3 == 1')
[ "$faults" -ge 5 ] && [ "$seen" = "$faults" ] && [ "$proven" = "$faults" ]
result "planted faults: $faults, seen in simulation $seen, refuted $proven" $?

echo "csa: $passed passed, $failed failed"
[ "$failed" = 0 ]
