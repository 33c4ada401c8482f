#!/bin/bash
# Makes the shipped models of models/recipes.txt again: all that are missing, or the files named. Runs of lutra train and
# tune continue from their checkpoints in build/models. Afterwards, or with --readme alone, models/README.md is written
# from the recipes and from models/models.csv, which keeps what was measured. A recipe whose description is `step` makes
# a file that a later one starts from; it stays in build/models.
#
#   flows/models.sh [--readme | FILE...]
#
# Environment: LUTRA, DATA (folder with cifar10/; without it only models of procedural images are made), LUTRA_JOBS.
set -eu -o pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
LUTRA=$(realpath "${LUTRA:-$root/build/lutra}")
DATA=${DATA:+$(realpath "$DATA")}
work=$root/build/models
results=$root/models/models.csv
mkdir -p "$work"
[ -e "$results" ] || echo 'file,accuracy,images,minutes,threads' >"$results"

trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

# Where a file of the recipes is, or will be.
place() {
    if grep -q "^$1 *|[^|]*| *step *|" "$root/models/recipes.txt"; then echo "$work/$1"; else echo "$root/models/$1"; fi
}

places() { # of a list with commas
    local list
    IFS=, read -ra list <<<"$1"
    for f in "${list[@]}"; do place "$f"; done | paste -sd,
}

make_one() { # file, images, command
    local file=$1 data=() command words=() start=$SECONDS minutes json=$work/$1.json how w
    if [ "$2" = cifar10 ]; then
        [ -n "$DATA" ] || { echo "models: $file: needs DATA=, skipped" >&2; return; }
        data=(--data "$DATA")
    fi
    read -ra command <<<"$3"
    for w in "${command[@]}"; do
        case $w in
        *.onnx | *.lqn) words+=("$(places "$w")") ;;
        configs/* | models/*) words+=("$root/$w") ;;
        *) words+=("$w") ;;
        esac
    done
    case ${command[0]} in
    train | tune) words+=(--checkpoint "$work/$file.ckpt" --log "$work/$file.csv") ;;
    esac
    echo "==== $file: lutra $3"
    "$LUTRA" "${words[@]}" "${data[@]}" -o "$work/new-$file"
    mv "$work/new-$file" "$work/$file"
    minutes=$(((SECONDS - start + 30) / 60))
    # all epochs of a run that was continued, each as long as the fastest: other work may have slowed some
    if [ -e "$work/$file.csv" ]; then
        minutes=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") c = i; next } { n++; if (!least || $c < least) least = $c } END { printf "%.0f", n * least / 60 }' "$work/$file.csv")
    fi
    how=()
    [[ $file == *.onnx ]] && how=(--float)
    "$LUTRA" eval "$work/$file" "${how[@]}" "${data[@]}" | tee "$json"
    [ "$(place "$file")" = "$work/$file" ] || mv "$work/$file" "$root/models/$file"
    sed -i "/^$file,/d" "$results"
    sed -n 's/.*: \([0-9.]*\) % (\([0-9]*\) of \([0-9]*\)).*/\1,\3/p' "$json" | head -1 |
        sed "s/^/$file,/; s/\$/,$minutes,${LUTRA_JOBS:-$(nproc)}/" >>"$results"
}

readme() {
    cat <<'TEXT'
# Models

Made by `lutra` alone, on a CPU. `make models DATA=folder` makes those that are missing, `make models DATA=folder MODELS=file` one again; the commands
are in `recipes.txt`, seed 1 where none is named. CIFAR-10 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009) is not part of the project; the procedural images
are made by `lutra` itself. Accuracy: of all 10,000 test images; `.lqn` are integer networks, evaluated bit for bit as the hardware computes. The same command gives the same bits on
processors of one instruction set (docs/training.md), except for `resnet20-cifar10.pq3.lqn`: its run started from tables that an earlier rounding had made. Minutes: number of epochs times the fastest epoch, on the threads in parentheses.

| file | network | images | accuracy % | size kB | minutes (threads) | command |
| --- | --- | --- | ---: | ---: | ---: | --- |
TEXT
    grep -v '^#' "$root/models/recipes.txt" | while IFS='|' read -r file data what command; do
        file=$(trim "$file")
        [ "$(trim "$what")" != step ] || what="step of networks below"
        grep -q "^$file," "$results" || continue
        IFS=, read -r _ accuracy _ minutes threads < <(grep "^$file," "$results" || echo ,,,,)
        size=-
        [ ! -e "$root/models/$file" ] || size=$((($(stat -c %s "$root/models/$file") + 500) / 1000))
        echo "| \`$file\` | $(trim "$what") | $(trim "$data") | $accuracy | $size | $minutes ($threads) | \`lutra $(trim "$command")\` |"
    done
    cat <<'TEXT'

For comparison, published with first and last layer at 8 bits: PACT (Choi et al. 2018, arXiv:1805.06085, table 2, as quoted by github.com/KwangHoonAn/PACT) reaches 90.8 % at 4/4 bits and
88.9 % at 2/2 bits with ResNet20 on CIFAR-10; that reproduction gets 90.9 % and 87.1 %.
TEXT
}

recipe() { # file: its images and command, on two lines
    sed -n "s/^$1 *|\([^|]*\)|[^|]*|\(.*\)/\1\n\2/p" "$root/models/recipes.txt" | sed 's/^ *//; s/ *$//'
}

make_file() { # file, after what it starts from
    local file=$1 lines w
    mapfile -t lines < <(recipe "$file")
    for w in ${lines[1]//,/ }; do
        [[ $w == *.onnx || $w == *.lqn ]] && [ ! -e "$(place "$w")" ] && make_file "$w"
    done
    make_one "$file" "${lines[0]}" "${lines[1]}"
}

main() {
    local files file
    mapfile -t files < <(sed -n 's/^\([^#| ]*\) *|.*/\1/p' "$root/models/recipes.txt")
    for file in "$@"; do
        [[ " ${files[*]} " == *" $file "* ]] || { echo "models: got $file, expected a file of models/recipes.txt" >&2; exit 2; }
    done
    for file in "${files[@]}"; do
        if [ $# -gt 0 ]; then
            [[ " $* " == *" $file "* ]] || continue
        elif [ -e "$(place "$file")" ]; then
            continue
        fi
        make_file "$file"
    done
}

[ "${1:-}" = --readme ] || main "$@"
readme >"$root/models/README.md.tmp"
mv "$root/models/README.md.tmp" "$root/models/README.md"
