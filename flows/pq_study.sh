#!/bin/bash
# The study of product quantisation: what settings and ways of training keep of the accuracy, and what the accelerators that
# run them make of their area. Results of earlier runs are kept; an interrupted run goes on.
#
#   flows/pq_study.sh areas    cycles, area and Fmax of every setting's accelerator -> reports/explore-pq3.*
#   flows/pq_study.sh rows     accuracy -> reports/pq-study.*, with the front where the areas are there
#
# Environment: LUTRA, MODEL, DATA (CIFAR-10; without: procedural images), LIB, OUT (reports).
set -eu -o pipefail

flows=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$flows")
LUTRA=${LUTRA:-$root/build/lutra} OUT=${OUT:-reports} DATA=${DATA:-}
MODEL=${MODEL:-models/resnet20-$([ -n "$DATA" ] && echo cifar10 || echo procedural).onnx}
base=pq3
export LUTRA MODEL OUT

# One grid per line. Networks trained long enough to ship are rows of their own, see below.
training="--train-images 10000 --epochs 3 --recon-steps 50 --lr 1e-3 --test-images 0"
grids=(
    # settings, tables by least squares, nothing trained
    "--modes channel,spatial --lengths 2,4,8 --prototypes 8,16 --encoders tree,mirrored,l2 --methods frozen"
    "--modes channel --lengths 2,4,8 --prototypes 16 --encoders l1 --methods frozen"
    "--modes channel --lengths 2 --prototypes 16 --encoders mirrored --lut-bits 5,6,8 --methods frozen"
    "--modes channel --lengths 4 --prototypes 16 --encoders l2 --enc-bits 4,5,6 --methods frozen"
    # what is trained, as PQA compares it: its best setting (distances), trees, the mirrored trees of pq2, spatial
    "--modes channel --lengths 4 --prototypes 16 --encoders l2,tree --methods prototypes,tables,both,layers,network,all $training"
    "--modes channel --lengths 2 --prototypes 16 --encoders mirrored --methods prototypes,tables,both,layers,network,all $training"
    "--modes spatial --lengths 9 --prototypes 16 --encoders l2,tree --methods tables,network $training"
    # how the codes get gradients; tables that stay products of vectors and weights
    "--modes channel --lengths 4 --prototypes 16 --encoders l2 --assigns soft,soft:1:0.05 --methods network $training"
    "--modes channel --lengths 2 --prototypes 16,64 --encoders mirrored --fits tied --methods network $training"
)
networks=$(find "$root/models" -name "$(basename "$MODEL" .onnx).pq*.lqn" | sort | paste -sd,)

study() { "$LUTRA" study "$MODEL" ${DATA:+--data "$DATA"} --config "$root/configs/$base.yaml" "$@"; }

areas() {
    local variants
    # shellcheck disable=SC2086 # grids are words
    variants=$({
        for g in "${grids[@]}"; do study --variants $g; done
        [ -z "$networks" ] || study --variants --networks "$networks"
    } | grep . | awk '!seen[$0]++')
    # shellcheck disable=SC2086
    "$flows/explore.sh" "$base" $variants
}

rows() {
    local joined=() command="make study-areas && make study${DATA:+ DATA=folder}" csv=$OUT/explore-$base.csv baseline=$OUT/explore-ws16.csv
    if [ -r "$csv" ]; then joined+=(--areas "$csv"); else echo "study: no $csv, no front: make study-areas measures the accelerators"; fi
    [ ! -r "$baseline" ] || joined+=(--baseline "$baseline")
    joined+=(-o "$OUT/pq-study" --command "$command" --plot "$root/build/pq-study.gnuplot")
    # shellcheck disable=SC2086
    for g in "${grids[@]}"; do study $g "${joined[@]}"; done
    [ -z "$networks" ] || study --networks "$networks" "${joined[@]}"
    gnuplot "$root/build/pq-study.gnuplot"
}

case ${1:-} in
areas | rows) "$1" ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
