#!/bin/bash
# Makes the shipped models of models/recipes.txt again: all that are missing, or the files named. Runs of lutra train and
# tune continue from their checkpoints in build/models. Afterwards, or with --readme alone, models/README.md is written
# from the recipes and from models/models.csv, which keeps what was measured.
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

make_one() { # file, images, command
    local file=$1 data=() command words=() start=$SECONDS minutes json=$work/$1.json how
    if [ "$2" = cifar10 ]; then
        [ -n "$DATA" ] || { echo "models: $file: needs DATA=, skipped" >&2; return; }
        data=(--data "$DATA")
    fi
    read -ra command <<<"$3"
    for w in "${command[@]}"; do
        case $w in
        *.onnx | *.lqn) words+=("$root/models/$w") ;;
        configs/*) words+=("$root/$w") ;;
        *) words+=("$w") ;;
        esac
    done
    case ${command[0]} in
    train | tune) words+=(--checkpoint "$work/$file.ckpt" --log "$work/$file.csv") ;;
    esac
    echo "==== $file: lutra $3"
    "$LUTRA" "${words[@]}" "${data[@]}" -o "$work/$file"
    minutes=$(((SECONDS - start + 30) / 60))
    # a run that was continued: all its epochs
    if [ -e "$work/$file.csv" ]; then
        minutes=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") c = i; next } { s += $c } END { printf "%.0f", s / 60 }' "$work/$file.csv")
    fi
    how=()
    [[ $file == *.onnx ]] && how=(--float)
    "$LUTRA" eval "$work/$file" "${how[@]}" "${data[@]}" | tee "$json"
    mv "$work/$file" "$root/models/$file"
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
processors of one instruction set (docs/training.md).

| file | network | images | accuracy % | size kB | minutes (threads) | command |
| --- | --- | --- | ---: | ---: | ---: | --- |
TEXT
    grep -v '^#' "$root/models/recipes.txt" | while IFS='|' read -r file data what command; do
        file=$(trim "$file")
        [ -e "$root/models/$file" ] || continue
        IFS=, read -r _ accuracy _ minutes threads < <(grep "^$file," "$results" || echo ,,,,)
        echo "| \`$file\` | $(trim "$what") | $(trim "$data") | $accuracy | $((($(stat -c %s "$root/models/$file") + 500) / 1000)) | $minutes ($threads) | \`lutra $(trim "$command")\` |"
    done
}

if [ "${1:-}" != --readme ]; then
    for want in "$@"; do
        grep -q "^$want *|" "$root/models/recipes.txt" || { echo "models: got $want, expected a file of models/recipes.txt" >&2; exit 2; }
    done
    while IFS='|' read -r file data what command; do
        file=$(trim "$file")
        [[ $file == '#'* || -z $file ]] && continue
        if [ $# -gt 0 ]; then
            [[ " $* " == *" $file "* ]] || continue
        elif [ -e "$root/models/$file" ]; then
            continue
        fi
        make_one "$file" "$(trim "$data")" "$(trim "$command")"
    done <"$root/models/recipes.txt"
fi
readme >"$root/models/README.md.tmp"
mv "$root/models/README.md.tmp" "$root/models/README.md"
