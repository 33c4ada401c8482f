#!/bin/bash
# Training speed of `lutra train` with both precisions and of PyTorch (Debian: python3-torch), side by side: ResNet20,
# CIFAR-10 shapes, same minibatch, same threads, all in turn in every round. Writes reports/train-speed.{md,csv}.
#
#   flows/train_bench.sh PROGRAM     PROGRAM: built from tests/bench/train_speed.c
#
# Environment: BATCH (128), STEPS (20), ROUNDS (3), LUTRA_JOBS (all processors), OUT (reports),
# PYTHON (Debian's).
set -eu -o pipefail

program=$1
root=$(cd "$(dirname "$0")/.." && pwd)
BATCH=${BATCH:-128} STEPS=${STEPS:-20} ROUNDS=${ROUNDS:-3} OUT=${OUT:-reports} PYTHON=${PYTHON:-/usr/bin/python3}
threads=${LUTRA_JOBS:-$(nproc)}
"$PYTHON" -c 'import torch' 2>/dev/null || { echo 'train-bench: needs PyTorch: apt-get install python3-torch' >&2; exit 3; }

csv=$OUT/train-speed.csv
rows() { # round, program: its lines as CSV
    awk -v OFS=, -v round="$1" -v who="$2" '
        /images\/s/ { what = $1; i = 2; if ($2 !~ /^[0-9]/) { what = $1 " " $2; i = 3 } print round, who, what, $i, $(i + 3), $(i + 5) }
        /^memory/ { print round, who, "memory MB", $2, $2, "" }'
}
echo 'round,program,what,best,median,cpu_us_per_image' >"$csv.tmp"
for ((r = 1; r <= ROUNDS; r++)); do
    echo "train-bench: round $r of $ROUNDS" >&2
    for precision in f32 bf16; do
        LUTRA_JOBS=$threads "$program" "$BATCH" "$STEPS" 8 $precision | rows "$r" lutra-$precision >>"$csv.tmp"
    done
    "$PYTHON" "$root/tests/bench/train_speed.py" "$BATCH" "$STEPS" "$threads" | rows "$r" pytorch >>"$csv.tmp"
done
mv "$csv.tmp" "$csv"

{
    echo '# Training speed'
    echo
    echo "\`make train-bench\`: ResNet20, 3x32x32, minibatch $BATCH, $threads threads, $ROUNDS rounds of $STEPS steps, all in turn; $(grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'), PyTorch $("$PYTHON" -c 'import torch; print(torch.__version__)')."
    echo 'Images/s: median over the rounds of the median step (best step). A step of Lutra contains augmentation and conversion of the images, one of PyTorch does not. PyTorch in its faster layout, float32. Ratios: median of the rounds, smallest to largest.'
    echo
    echo '| | Lutra, f32 | Lutra, bf16 | PyTorch | bf16 / f32 | f32 / PyTorch |'
    echo '| --- | ---: | ---: | ---: | ---: | ---: |'
    awk -F, '
        # the median of a list of numbers; its ends in lo and hi
        function median(list, a, n, i, j, t) {
            n = split(list, a, " ")
            for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
            lo = a[1]; hi = a[n]
            return a[int((n + 1) / 2)]
        }
        function rounds_of(who, kind, r, list) { for (r = 1; r <= rounds; r++) list = list " " m[r, who, kind]; return list }
        function ratio(x, y, kind, r, list, mid) {
            for (r = 1; r <= rounds; r++) list = list " " m[r, x, kind] / m[r, y, kind]
            mid = median(list)
            return sprintf("%.2f, %.2f to %.2f", mid, lo, hi)
        }
        function cell(who, kind) {
            if (kind == "memory") return sprintf("%d", median(rounds_of(who, kind)))
            return sprintf("%d (%d)", median(rounds_of(who, kind)), best[who, kind])
        }
        NR > 1 { # of the layouts of PyTorch the faster one
            split($3, w, " "); kind = w[1]
            if ($5 + 0 > m[$1, $2, kind] + 0) m[$1, $2, kind] = $5
            if ($4 + 0 > best[$2, kind] + 0) best[$2, kind] = $4
            if ($1 > rounds) rounds = $1
        }
        END {
            name["train"] = "training step, images/s"; name["forward"] = "forward, images/s"; name["memory"] = "peak memory, MB"
            n = split("train forward memory", kinds, " ")
            for (k = 1; k <= n; k++) {
                kind = kinds[k]
                print "| " name[kind] " | " cell("lutra-f32", kind) " | " cell("lutra-bf16", kind) " | " cell("pytorch", kind) \
                    " | " ratio("lutra-bf16", "lutra-f32", kind) " | " ratio("lutra-f32", "pytorch", kind) " |"
            }
        }' "$csv"
} >"$OUT/train-speed.md"
cat "$OUT/train-speed.md"
