#!/bin/bash
# What an int8 multiply-accumulate of the conventional array costs: area per MAC, period and throughput per area, accumulators
# included, over organisations, sizes, pipelining, weight storage, goals and libraries, by the flow that synthesises the
# accelerators (flows/synth.sh). Writes REPORTS/mac-study.{csv,md,svg}; fails if no point meets the limits that a conventional
# baseline has to meet (--help). Points whose inputs did not change are not mapped again.
set -eu -o pipefail

usage() {
    cat <<'TEXT'
usage: flows/mac_study.sh [BUILD [REPORTS]]     (default: build/mac_study reports)
Environment:
  LIBS     Liberty files, plain or gzip (default: osu018 from the package qflow-tech-osu018)
  POINTS   form:lanes:weights:stages:storage:goal ..., or `default`, or `quick`
           form      trees (the array of ws), mesh (cells p + a * w), mesh-yosys and sum-yosys (Yosys' own arithmetic)
           weights   per multiplier, 2: double-buffered; stages: registers inside a tree; storage: ff or latch
  MAX_KGE  (0.85) some point must take at most so many kGE per MAC in every library
  MIN_RATE (1000) some point must give at least so many GMAC/s/mm2 in nangate45
TEXT
}
case ${1:-} in -h | --help) usage; exit 0 ;; esac

flows=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$flows")
rtl=$root/rtl_templates study=$flows/mac_study
out=${1:-build/mac_study} reports=${2:-reports}
export LUTRA=${LUTRA:-$root/build/lutra}
LIBS=${LIBS:-/usr/share/qflow/tech/osu018/osu018_stdcells.lib}

# ---- points ----
# A shipped configuration's array: NAME=lanes:weights:stages:ff
shipped=''
for c in ws16 ws8 ews16; do
    key() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$root/configs/$c.yaml"; }
    w=$(key wrf_depth)
    shipped="$shipped $c=$(key lanes):${w:-2}:$(key dot_stages):ff"
done
default_points() {
    local goal c stages
    for goal in balanced speed area; do
        for c in $shipped; do echo "trees:${c#*=}:$goal"; done
    done
    for goal in speed area; do
        for c in mesh mesh-yosys sum-yosys; do echo "$c:16:2:1:ff:$goal"; done
        echo "trees:16:2:1:latch:$goal"
        echo "trees:16:2:0:ff:$goal"
    done
    for stages in 2 3; do echo "trees:16:2:$stages:ff:speed"; done
    echo trees:16:2:2:latch:speed
    for stages in 1 2; do echo "trees:32:2:$stages:ff:speed"; done
}
case ${POINTS:-default} in
quick) POINTS='trees:16:2:1:ff:speed mesh:16:2:1:ff:speed mesh-yosys:16:2:1:ff:speed' ;;
default) POINTS=$(default_points) ;;
esac

mkdir -p "$out" "$reports"
out=$(cd "$out" && pwd)
csv=$reports/mac-study.csv
gcc -std=c11 -D_GNU_SOURCE -O2 -I"$root/gen" "$root/tests/rtl/csa_emit.c" "$root"/gen/emit/csa_*.c "$root/gen/base/buf.c" \
    "$root/gen/base/err.c" -o "$out/csa_emit"

# The sources of one point in FOLDER/rtl, with the parameters as defaults of the top; both file lists name them.
sources() { # folder form lanes weights stages storage
    local storage=$rtl name top=lutra_mac_study
    name=$(basename "$1")
    rm -rf "$1/rtl"
    mkdir -p "$1/rtl"
    [ "$6" = ff ] || { storage=$rtl/latch && cp "$rtl/latch/lutra_clkgate.v" "$1/rtl"; }
    cp "$storage"/lutra_weight_{pair,file,load}.v "$study/lutra_accumulate_lane.v" "$1/rtl"
    case $2 in
    trees)
        "$out/csa_emit" dot lutra_dot "$3" 8 8 "$5" >"$1/rtl/lutra_dot.v"
        "$out/csa_emit" recode lutra_recode "$3" 8 8 "$5" >"$1/rtl/lutra_recode.v"
        cp "$rtl"/lutra_{fa,ha,sel}.v "$1/rtl"
        ;;
    sum-yosys) cp "$rtl"/lutra_{dot,recode}.v "$1/rtl" ;;
    mesh*) top=lutra_mac_mesh && cp "$study/lutra_mac_pe.v" "$1/rtl" ;;
    esac
    [ $top = lutra_mac_mesh ] || cp "$rtl"/lutra_mac_{array,column}.v "$study/lutra_accumulate.v" "$1/rtl"
    sed -E "s/(LANES +=) 16/\1 $3/; s/(WRF_DEPTH +=) 2/\1 $4/; s/(DOT_STAGES +=) 1/\1 $5/" "$study/$top.v" >"$1/rtl/$top.v"
    (cd "$1" && printf '%s\n' rtl/*.v >"$name.synth.f" && cp "$name.synth.f" "$name.latch.f")
}

# ---- measurements ----
echo 'library,nand2_um2,form,lanes,weights,stages,storage,goal,config,area_um2,kge_per_mac,period_ns,gmac_s_mm2' >"$csv"
for liberty in $LIBS; do
    plain=$liberty
    case $liberty in
    *.gz)
        plain=$out/$(basename "$liberty" .gz)
        [ "$plain" -nt "$liberty" ] || { gunzip -c "$liberty" >"$plain.tmp" && mv "$plain.tmp" "$plain"; }
        ;;
    esac
    eval "$("$LUTRA" report lib "$plain" --node 0)"
    for point in $POINTS; do
        IFS=: read -r form lanes weights stages storage goal <<<"$point"
        config=''
        for c in $shipped; do [ "trees:${c#*=}" != "${point%:*}" ] || config=${c%%=*}; done
        arith=lutra top=lutra_mac_study
        case $form in
        trees) ;;
        mesh) top=lutra_mac_mesh ;;
        mesh-yosys) top=lutra_mac_mesh arith=yosys ;;
        sum-yosys) arith=yosys ;;
        *) echo "mac_study: form: got '$form', expected trees, mesh, mesh-yosys or sum-yosys" >&2; exit 2 ;;
        esac
        case $form:$weights:$storage in mesh*:2:ff | [!m]*) ;; *) echo "mac_study: $point: a mesh has weights 2, ff" >&2; exit 2 ;; esac
        dir=$out/${form}_${lanes}_${weights}_${stages}_$storage
        sources "$dir" "$form" "$lanes" "$weights" "$stages" "$storage"
        "$flows/synth.sh" --top $top --goal "$goal" --storage "$storage" --arith $arith --lib "$plain" "$dir" >"$dir/synth.log"
        result=$(sed -n 's/^synth: \(.*\)\/report.txt$/\1/p' "$dir/synth.log")
        area=$(awk '/^total/ { print $2 }' "$result/report.txt")
        period=$(sed -n 's/.*"min_period_ns": *\([0-9.]*\).*/\1/p' "$result/timing.json")
        case $form in mesh*) stages='' ;; esac
        awk -v OFS=, -v a="$area" -v t="$period" -v n="$LIB_NAND2_UM2" -v l="$lanes" \
            -v point="$LIB_NAME,$LIB_NAND2_UM2,$form,$lanes,$weights,$stages,$storage,$goal,$config" 'BEGIN {
            macs = l * l
            print point, sprintf("%.0f", a), sprintf("%.4f", a / n / macs / 1000), sprintf("%.3f", t),
                sprintf("%.1f", macs / t / (a * 1e-6))
        }' | tee -a "$csv"
    done
done

# ---- report ----
tools="$(yosys -V | sed 's/ (.*//'), OpenSTA $(dpkg-query -W -f '${Version}' opensta 2>/dev/null || echo unknown)"
names=$(for l in $LIBS; do basename "$l"; done | paste -sd' ')
status=0
awk -v tools="$tools" -v libs="$names" -v max_kge="${MAX_KGE:-0.85}" -v min_rate="${MIN_RATE:-1000}" -f "$study/report.awk" \
    "$csv" >"$reports/mac-study.md" || status=$?
if command -v gnuplot >/dev/null; then
    gnuplot -e "csv='$csv'; svg='$reports/mac-study.svg'; libraries='$(tail -n +2 "$csv" | cut -d, -f1 | uniq | paste -sd' ')'" \
        "$study/plot.gnuplot"
else
    echo 'mac_study: no gnuplot, no plot'
fi
sed -n '/^| required/,/^$/p' "$reports/mac-study.md"
echo "mac_study: $reports/mac-study.md"
[ "$status" = 0 ] || echo 'mac_study: a limit is not met' >&2
exit "$status"
