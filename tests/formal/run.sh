#!/bin/sh
# Formal proofs of the shell: bus rules and control, with yosys-smtbmc and z3. For every case: bounded check,
# induction, covers (the proof is not empty), and planted faults that the bounded check must find.
# Usage: tests/formal/run.sh [CASE...]
# Environment: SOLVER (of yosys-smtbmc, default z3: the boolector of Debian 12 is too old for it), OUT (build folder),
# LUTRA (the lutra program, which makes lutra_csr.v) or CSR (that file).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/formal
OUT=${OUT:-$root/build/test_formal}
LUTRA=${LUTRA:-$root/build/lutra}
rtl=$root/rtl_templates
mkdir -p "$OUT"
csr=${CSR:-$OUT/gen/rtl/lutra_csr.v}
[ -n "${CSR:-}" ] || "$LUTRA" gen --output "$OUT/gen" --share "$root" "$root/configs/tiny_ws.yaml" >/dev/null
passed=0 failed=0
wanted=" $* "

# A module name; NAME.abs: the stand-in of this folder.
source_of() {
    case $1 in
    lutra_csr) echo "$csr" ;;
    *.abs) echo "$here/$1.v" ;;
    *) echo "$rtl/$1.v" ;;
    esac
}

# smt2 DIR TOP MODULES PARAMETERS: the top with its properties, the modules below it as they are. PLANT (a sed expression)
# is applied to module PLANT_IN.
smt2() {
    dir=$1 top=$2 modules=$3 params=$4
    mkdir -p "$dir"
    files= set_params=
    for m in $top $modules; do
        cp "$(source_of "$m")" "$dir/$m.v"
        if [ "$m" = "${PLANT_IN:-}" ]; then
            sed -i "$PLANT" "$dir/$m.v"
            if cmp -s "$(source_of "$m")" "$dir/$m.v"; then
                echo "formal: the fault '$PLANT' changes nothing in $m" >&2
                exit 1
            fi
        fi
        files="$files $dir/$m.v"
    done
    sed -i "/^endmodule/e cat '$here/$top.props.v'" "$dir/$top.v"
    for p in $params; do set_params="$set_params -set ${p%%=*} ${p##*=}"; done
    yosys -q -l "$dir/yosys.log" -p "read_verilog -formal -DFORMAL $files; ${set_params:+chparam $set_params $top;}
        prep -top $top -flatten; memory_map; async2sync; dffunmap; opt_clean; write_smt2 -wires $dir/$top.smt2" >"$dir/yosys.out" 2>&1 ||
        { cat "$dir/yosys.out" >&2; exit 1; }
}

# solve DIR TOP OPTIONS...: the verdict
solve() {
    dir=$1 top=$2
    shift 2
    yosys-smtbmc -s "${SOLVER:-z3}" --unroll "$@" "$dir/$top.smt2" >"$dir/smtbmc.log" 2>&1 || true
    grep -oE 'Status: (PASSED|FAILED|passed|failed|PREUNSAT)' "$dir/smtbmc.log" | tail -1 | tr a-z A-Z
}

check() { # NAME WHAT VERDICT EXPECTED
    if [ "$3" = "STATUS: $4" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "formal: $1: $2: got '$3', expected $4"
        tail -20 "$OUT/$1/smtbmc.log"
    fi
}

# prove NAME TOP MODULES PARAMETERS DEPTH INDUCTION COVER   (induction 0: none)
prove() {
    name=$1
    if [ "$wanted" != "  " ]; then case $wanted in *" $name "*) ;; *) return 0 ;; esac fi
    PLANT_IN= smt2 "$OUT/$name" "$2" "$3" "$4"
    check "$name" "bounded, $5 cycles" "$(solve "$OUT/$name" "$2" -t "$5")" PASSED
    [ "$6" = 0 ] || check "$name" "induction, $6 cycles" "$(solve "$OUT/$name" "$2" -i -t "$6")" PASSED
    [ "$7" = 0 ] || check "$name" "cover, $7 cycles" "$(solve "$OUT/$name" "$2" -c -t "$7")" PASSED
    echo "formal: $name checked"
}

# fault NAME TOP MODULES PARAMETERS DEPTH MODULE SED: the changed module must fail
fault() {
    name=$1
    if [ "$wanted" != "  " ]; then case $wanted in *" ${name%-*} "*) ;; *) return 0 ;; esac fi
    PLANT_IN=$6 PLANT=$7 smt2 "$OUT/$name" "$2" "$3" "$4"
    check "$name" "planted fault $7" "$(solve "$OUT/$name" "$2" -t "$5")" FAILED
}

. "$here/cases.sh"

echo "formal: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
