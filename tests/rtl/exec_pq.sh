#!/bin/bash
# Random test of lutra_exec_pq over a grid of parameters: bit-exact against tests/rtl/exec_pq_model.c, cycle-exact against
# gen/golden/cycle_pq.c, violations noticed. Run from the project's root.
#
#   SEED   first random seed (1)       CASES   cases per parameter set (150)
#   SETS   which sets, by number; "all" or a list such as "1 4 7" (a selection that covers every module)
#   RTL    folder of the Verilog (rtl_templates)
#   OUT    folder for what is built (build/test/exec_pq)
set -u

RTL=${RTL:-rtl_templates} SEED=${SEED:-1} CASES=${CASES:-150} OUT=${OUT:-build/test/exec_pq} SETS=${SETS:-"1 2 4 5 8 9 11 15 20 21 23 28 30"}

# lanes post_lanes acc mult | mode K L encoder(0 l1, 1 l2, 2 tree) enc_bits enc_cycles | lut_bits n chunks rows words dense
# | mirror
grid=(
    "4 4 20 12   0 16 2 2 8 1    4 2 2 4 100 1"
    "16 16 20 12 0 16 8 2 8 1    4 2 4 4 160 9"
    "8 4 20 10   0 8 4 2 7 1     8 1 2 8 120 3"
    "2 1 18 16   0 2 1 0 8 2     5 2 3 20 60 1"
    "8 2 22 12   0 32 2 0 6 4    6 4 2 3 120 9"
    "16 8 24 16  0 4 4 1 5 1     8 1 2 6 300 0"
    "4 4 16 9    0 16 1 1 8 16   7 1 3 5 64 0"
    "16 1 24 12  0 16 8 2 8 1    8 1 2 4 300 3"
    "4 4 20 12   1 16 9 2 8 1    8 4 2 4 80 4"
    "2 1 20 12   1 4 9 0 8 2     8 2 2 12 64 1"
    "8 8 24 12   1 8 9 1 5 8     5 8 2 12 64 2"
    "16 16 24 12 1 16 9 2 6 1    4 16 1 8 64 8"
    "2 2 20 12   0 32 2 2 1 1    8 1 1 3 50 1"
    "8 8 12 8    0 16 8 2 8 1    4 1 1 1 16 0"
    "8 4 32 16   0 16 2 2 8 1    4 2 5 3 200 1"
    "16 4 20 12  0 2 1 1 3 1     4 16 2 12 300 9"
    "4 2 20 12   0 16 4 0 4 1    8 1 2 4 100 9"
    "16 2 20 12  0 16 4 0 8 8    4 4 2 4 300 1"
    "16 16 22 9  0 16 4 1 5 1    4 4 4 2 160 9"
    # pq_mirror
    "8 8 20 12   0 16 2 2 8 1    4 4 3 2 120 9   1"
    "4 2 18 10   0 2 2 2 6 1     8 2 2 12 60 1   1"
    "8 4 20 12   0 32 4 0 4 4    5 2 4 3 100 3   1"
    "8 8 24 12   1 8 9 1 5 8     5 8 2 12 64 2   1"
    "4 4 20 12   1 16 9 2 8 1    4 4 3 3 80 0    1"
    "8 8 20 9    0 4 2 1 8 1     6 4 2 1 200 9   1"
    "8 8 20 12   0 8 4 2 8 1     4 2 2 5 120 0   1"
    "16 8 22 9   0 16 4 2 5 1    4 4 2 9 160 9   1"
    # the same, layers with fewer prototypes
    "8 8 20 12   0 64 2 2 8 1    4 2 3 1 100 9   1"
    "8 4 22 9    0 64 2 2 8 1    4 4 3 2 120 9   1"
    "16 16 22 9  0 32 2 2 5 1    4 8 4 2 160 9   1"
    "8 8 20 12   0 32 4 2 6 1    5 2 3 1 100 3   1"
)
names=(lanes post_lanes acc_bits mult_bits pq_mode pq_prototypes pq_length pq_encoder pq_enc_bits pq_enc_cycles
    pq_lut_bits pq_codebooks pq_chunks pq_lut_rows pq_code_words pq_dense pq_mirror)

[ "$SETS" = all ] && SETS=$(seq ${#grid[@]})
mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd) || exit 1

objects=()
for c in tests/rtl/exec_pq_{tb,gen,model}.c gen/program/{pack_pq,pack_pq_enc,pq_desc}.c gen/golden/cycle_pq.c \
    gen/base/{rng,buf,err}.c gen/config/{config_table,pq_shape}.c gen/emit/regs.c gen/golden/mirror.c; do
    o=$OUT/$(basename "$c" .c).o
    gcc -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror -Igen -Itests/rtl -c "$c" -o "$o" || exit 1
    objects+=("$o")
done

passed=0 failed=0
for n in $SETS; do
    read -ra values <<<"${grid[n - 1]}"
    parameters=(-GPARAM_GROUPS=2) keys=(param_groups=2)
    for i in "${!names[@]}"; do
        parameters+=("-G${names[i]^^}=${values[i]:-0}")
        keys+=("${names[i]}=${values[i]:-0}")
    done
    dir=$OUT/$n
    if ! verilator --cc --exe --build -O3 --x-assign fast --x-initial unique --noassert -Wno-fatal -Wno-lint \
        "-I$RTL" --top-module exec_pq_top "${parameters[@]}" --Mdir "$dir" -CFLAGS "-O1 -I$PWD/tests/rtl" \
        tests/rtl/exec_pq_top.v "$PWD/tests/rtl/exec_pq_dut.cpp" "${objects[@]}" -o tb >"$dir.log" 2>&1; then
        echo "set $n: build failed, see $dir.log"
        tail -n 5 "$dir.log"
        failed=$((failed + 1))
        continue
    fi
    if "$dir/tb" "SEED=$((SEED + n))" "CASES=$CASES" "${keys[@]}" >"$dir.out" 2>&1; then
        echo "set $n (${keys[*]}): $(tail -n 1 "$dir.out")"
        passed=$((passed + CASES))
    else
        echo "set $n (${keys[*]}) FAILED; repeat: $dir/tb SEED=$((SEED + n)) CASES=$CASES ${keys[*]}"
        tail -n 12 "$dir.out"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
