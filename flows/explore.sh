#!/bin/bash
# What a configuration's keys are worth: cycles (from the exact cycle model), area, Fmax and performance per area of variants
# of one configuration. It answers whether a shipped configuration, above all the baseline, is near its best. Cycles are those
# of the network tuned for the configuration, if it ships and the variant runs it, else of one quantised without training. A
# variant that cannot run the network is told and left out.
#
#   flows/explore.sh CONFIG VARIANT...      VARIANT: KEY=VALUE[,KEY=VALUE...]
#
# Results: $OUT/explore-CONFIG.{md,csv} (default OUT: reports). Environment: LUTRA, MODEL (resnet20), LIB.
set -eu -o pipefail

flows=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$flows")
LUTRA=${LUTRA:-$root/build/lutra} MODEL=${MODEL:-resnet20} OUT=${OUT:-reports}
export LUTRA
[ $# -ge 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
config=$1
shift
[ -r "$root/configs/$config.yaml" ] || { echo "explore: got $config, expected a file in configs/" >&2; exit 2; }
work=$root/build/explore
mkdir -p "$work" "$OUT"
csv=$OUT/explore-$config.csv
tuned=$root/models/$(basename "$MODEL" .onnx).$config.lqn

program() { # configuration, network, folder
    "$LUTRA" program "$1" "$2" -o "$3/net.lpi" >"$3/program.log"
}

measure() { # variant or nothing -> one CSV line
    local name keys kv dir report
    # a variant keeps its folder whatever else is explored: synth.sh maps again only what changed
    name=${config}_$(printf '%s' "${1:-as shipped}" | sha256sum | cut -c1-10)
    dir=$work/$name
    mkdir -p "$dir"
    cp "$root/configs/$config.yaml" "$work/$name.yaml"
    IFS=, read -ra keys <<<"${1:-}"
    for kv in "${keys[@]}"; do
        sed -i "/^${kv%%=*}:/d" "$work/$name.yaml"
        echo "${kv%%=*}: ${kv#*=}" >>"$work/$name.yaml"
    done
    "$LUTRA" gen "$work/$name.yaml" -o "$dir" >/dev/null
    program "$work/$name.yaml" "$tuned" "$dir" 2>/dev/null || {
        "$LUTRA" prep "$MODEL" --config "$work/$name.yaml" --calib-images 32 -o "$dir/net.lqn" >/dev/null
        program "$work/$name.yaml" "$dir/net.lqn" "$dir" || { echo "explore: left out" >&2; return; }
    }
    "$flows/synth.sh" ${LIB:+--lib "$LIB"} "$dir" >"$dir/synth.log"
    report=$(sed -n 's/^synth: \(.*report.txt\)$/\1/p' "$dir/synth.log")
    awk -v OFS=, -v variant="${1:-as shipped}" '
        FNR == NR { if ($1 == "predicted") cycles = $2; next }
        /^logic/ { logic = $2 } /^SRAM/ { sram = $2 } /^core / { core = $2 + $3 } /^Fmax/ { fmax = $2 }
        END {
            ips = fmax * 1e6 / cycles
            gsub(",", " ", variant)
            print variant, cycles, fmax, sprintf("%.3f", logic / 1e6), sprintf("%.3f", sram / 1e6), sprintf("%.3f", core / 1e6),
                sprintf("%.0f", ips), sprintf("%.1f", ips / (core / 1e6)), sprintf("%.1f", ips / ((logic + sram) / 1e6))
        }' "$dir/program.log" "$report"
}

echo 'variant,cycles,fmax_mhz,logic_mm2,sram_mm2,core_mm2,inferences_s,core_inferences_s_mm2,whole_inferences_s_mm2' >"$csv.tmp"
for v in '' "$@"; do
    echo "explore: $config ${v:-as shipped}" >&2
    measure "$v" >>"$csv.tmp"
done
mv "$csv.tmp" "$csv"

{
    printf '# %s and variants of it\n\n`make explore CONFIG=%s VARY="%s"`\n\n' "$config" "$config" "$*"
    echo "$MODEL, cycles per image from the cycle model (memory latency 20), areas and Fmax as in compare.md. Core: datapath with its own memories, without"
    printf 'post unit. Differences of a few percent in Fmax are mapping noise.\n\n'
    awk -F, 'NR == 1 { print "| variant | cycles | MHz | logic mm2 | SRAM mm2 | core mm2 | inf/s | core inf/s/mm2 | whole inf/s/mm2 |"
                       print "| --- | --: | --: | --: | --: | --: | --: | --: | --: |"; next }
             { printf "|"; for (i = 1; i <= NF; i++) printf " %s |", $i; print "" }' "$csv"
} >"${csv%.csv}.md"
echo "explore: ${csv%.csv}.md"
