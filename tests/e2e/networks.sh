#!/bin/bash
# Whole networks through driver, generated RTL and memory model: every layer bit-exact under random stalls, the output
# bit-exact and the counters equal to the cycle model without them. The built-in ResNet20 runs on the shipped
# configurations, and `wide`, whose layers exceed every buffer, on small ones; with DATA also networks from there, among them one that has to be tiled.
# Usage, from the project's root: tests/e2e/networks.sh [-s SEED]
set -u

seed=1
while getopts s: opt; do
    case $opt in
    s) seed=$OPTARG ;;
    *) exit 2 ;;
    esac
done
echo "seed $seed"
passed=0 failed=0 skipped=0
mkdir -p build/test
check() { # configuration, model, images, data folder or nothing, batch or nothing
    local log=build/test/network-$1-$(basename "$2")${5:+-batch$5}.log
    if make -s --no-print-directory sim SAN= CONFIG="$1" MODEL="$2" IMAGES="$3" CALIB=32 SEED="$seed" DATA="$4" BATCH="${5:-1}" >"$log" 2>&1 &&
        [ "$(grep -c 'results: bit-exact' "$log")" = 2 ] && grep -q 'cycle model: exact' "$log"; then
        passed=$((passed + 1))
        echo "$1 $2${5:+, batch of $5}: ok, $(sed -n 's/^cycles per image: \([0-9]*\).*/\1/p' "$log" | tail -n 1) cycles per image"
    else
        failed=$((failed + 1))
        echo "$1 $2: FAILED, $log"
        tail -n 8 "$log"
    fi
}

# the built-in ResNet20 with other prototypes in each stage
mixed() { # configuration, prototypes by stage
    local config=$1 stage=1 name
    shift
    name=mixed$(printf -- '-%s' "$@")
    for k in "$@"; do echo "layer$((stage++)).* prototypes=$k"; done >"build/test/$name.txt"
    mkdir -p "build/$config/builtin"
    if build/lutra prep resnet20 --config "configs/$config.yaml" --pq-overrides "build/test/$name.txt" --calib-images 32 \
        --seed "$seed" -o "build/$config/builtin/$name.lqn" >"build/test/$name.log" 2>&1; then
        touch "build/$config/builtin/$name.lqn"
        check "$config" "$name" 4 ''
        check "$config" "$name" 8 '' 4
    else
        failed=$((failed + 1))
        echo "$config $name: FAILED, build/test/$name.log"
    fi
}

for c in tiny_ws tiny_spatial ws8; do check $c resnet20 1 ''; done
for c in tiny_ws tiny_ews tiny_pq; do check $c wide 1 ''; done
for c in ws16 ews16 pq16 pq8 pq4 pq2; do check $c resnet20 4 ''; done
for c in tiny_pq tiny_spatial ws8; do check $c resnet20 2 '' 2; done
check pq2 resnet20 8 '' 4
mixed pq3 64 32 16
mixed pq2 16 8 4
if [ -n "${DATA:-}" ]; then
    for c in ws16 pq16; do check $c "$DATA/models/ic_resnet8_float.onnx" 1 "$DATA"; done
    check ws16 "$DATA/models/vww_mobilenetv1_025_96_float.onnx" 1 "$DATA"
else
    skipped=3
    echo 'networks from DATA: skipped, DATA is not set'
fi
echo "networks: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
