#!/bin/bash
# The demonstration: measures the given configurations one step after another, with progress, and shows the result.
# Usage: flows/demo.sh MAKE VARIABLE=VALUE... (among them CONFIGS and REPORTS)
set -eu -o pipefail

make=$1
shift
for v in "$@"; do
    case $v in
    CONFIGS=*) configs=${v#CONFIGS=} ;;
    REPORTS=*) reports=${v#REPORTS=} ;;
    esac
done
start=$SECONDS
step() {
    printf '\n==== %s (%d:%02d since the start)\n' "$1" $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60))
}

step 'building the host program'
"$make" --no-print-directory -s -j"$(nproc)" all
for c in $configs; do
    step "$c: generate, compile with Verilator, run ResNet20 bit-exactly"
    "$make" --no-print-directory -s "sim-$c" "$@"
done
for c in $configs; do
    step "$c: synthesise, timing"
    "$make" --no-print-directory -s "synth-$c" "$@"
done
step 'compare'
"$make" --no-print-directory -s compare "$@" >/dev/null
sed -n '1,/^$/p; /^|/p' "$reports/compare.md"
printf '\nDone in %d:%02d. Table and plots: %s\n' $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)) \
    "$(ls "$reports"/compare.* | tr '\n' ' ')"
