#!/bin/bash
# Synthesis of one generated accelerator with a standard-cell library: area, Fmax, power (docs/synthesis.md).
#
#   flows/synth.sh [options] BUILD_DIR
#
# BUILD_DIR is what `lutra gen` wrote: NAME.synth.f lists the Verilog for a cell library, NAME.latch.f the same with weights in
# latches. Without these lists, NAME.f is read, and synth/*.v replaces files of the same name in it.
# Results: BUILD_DIR/synth/LIBRARY/{area.json,timing.json,report.txt}. Mapping runs again only if an input changed.
set -eu -o pipefail

usage() {
    cat <<'TEXT'
usage: flows/synth.sh [options] BUILD_DIR
  --lib FILE       Liberty file, plain or gzip (default: osu018 from the package qflow-tech-osu018)
  --node NM        node of a library that Lutra does not know (for the SRAM model)
  --top MODULE     top module (default lutra_top)
  --goal GOAL      area, balanced or speed (default balanced): the abc script
  --storage KIND   ff or latch (default ff): how small storage such as weights in the array is built
  --abc FILE       another abc script
  --period NS      target period that abc works towards (default: from the library's node)
  --arith KIND     lutra or yosys (default lutra): yosys leaves multipliers and adders to Yosys alone, for comparison
  --fpga FAMILY    ice40, ecp5 or xc7 instead of a library: flows/fpga.sh
  --area-only      no timing analysis
  --force          map again even if nothing changed
Environment: LUTRA (host program), FF_MEM_BITS and FF_MEM_TOTAL_BITS (memories that may become flip-flops).
TEXT
}

die() {
    echo "synth: $*" >&2
    exit 2
}

flows=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$flows")
LUTRA=${LUTRA:-$root/build/lutra}
lib=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
node=0 top=lutra_top goal=balanced storage=ff arith=lutra abc="" period="" timing=1 force=0 build="" lib_given="" fpga=""

while [ $# -gt 0 ]; do
    case $1 in
    --lib) lib=${2:?--lib needs a file} lib_given=$2; shift 2 ;;
    --node) node=${2:?--node needs a number}; shift 2 ;;
    --top) top=${2:?--top needs a module}; shift 2 ;;
    --goal) goal=${2:?--goal needs area, balanced or speed}; shift 2 ;;
    --storage) storage=${2:?--storage needs ff or latch}; shift 2 ;;
    --arith) arith=${2:?--arith needs lutra or yosys}; shift 2 ;;
    --abc) abc=${2:?--abc needs a file}; shift 2 ;;
    --period) period=${2:?--period needs a number}; shift 2 ;;
    --fpga) fpga=${2:?--fpga needs a family}; shift 2 ;;
    --area-only) timing=0; shift ;;
    --force) force=1; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; die "unknown option $1" ;;
    *) [ -z "$build" ] || die "only one folder, got $build and $1"; build=$1; shift ;;
    esac
done
[ -n "$build" ] || { usage >&2; exit 2; }
case $goal in area | balanced | speed) ;; *) die "--goal: got '$goal', expected area, balanced or speed" ;; esac
case $storage in ff | latch) ;; *) die "--storage: got '$storage', expected ff or latch" ;; esac
case $arith in lutra | yosys) ;; *) die "--arith: got '$arith', expected lutra or yosys" ;; esac
[ -d "$build" ] || die "$build: no such folder; run make gen first"
[ -z "$fpga" ] || exec env LUTRA="$LUTRA" "$flows/fpga.sh" --family "$fpga" --top "$top" "$build"
[ -r "$lib" ] || die "$lib: no such library; the default needs the package qflow-tech-osu018"
for tool in yosys "$LUTRA"; do
    command -v "$tool" >/dev/null || die "$tool: not found"
done

name=$(basename "$build")
list=$build/$name.f
[ ! -r "$build/$name.synth.f" ] || list=$build/$name.synth.f
[ "$storage" = ff ] || list=$build/$name.latch.f
[ -r "$list" ] || die "$list: no such file list; run make gen first"

# ---- sources ----
sources=() incdirs=() used=' '
# shellcheck disable=SC2094 # the list is only read
while read -r line; do
    case $line in
    '' | '//'* | '#'*) ;;
    +incdir+*) incdirs+=("$build/${line#+incdir+}") ;;
    *)
        base=$(basename "$line")
        if [ "$list" = "$build/$name.f" ] && [ -r "$build/synth/$base" ]; then
            line=synth/$base
        fi
        sources+=("$build/$line")
        used="$used$base "
        ;;
    esac
done <"$list"
if [ "$list" = "$build/$name.f" ]; then
    for f in "$build"/synth/*.v; do
        [ -r "$f" ] || continue
        case $used in *" $(basename "$f") "*) ;; *) sources+=("$f") ;; esac
    done
fi
[ ${#sources[@]} -gt 0 ] || die "$list: no Verilog files"
for f in "${sources[@]}"; do [ -r "$f" ] || die "$f: listed in $list but not there"; done

# ---- library: facts, uncompressed copy, techmap ----
facts=$("$LUTRA" report lib "$lib" --node "$node")
eval "$facts"
variant=$LIB_NAME
[ "$goal" = balanced ] || variant=$variant-$goal
[ "$storage" = ff ] || variant=$variant-$storage
[ "$arith" = lutra ] || variant=$variant-arith-$arith
out=$build/synth/$variant
mkdir -p "$out"
liberty=$lib
case $lib in
*.gz)
    liberty=$out/$(basename "$lib" .gz)
    [ "$liberty" -nt "$lib" ] || { gunzip -c "$lib" >"$liberty.tmp" && mv "$liberty.tmp" "$liberty"; }
    ;;
esac
techmaps=$flows/techmap/$LIB_NAME.v
if [ ! -r "$techmaps" ]; then
    techmaps=$out/techmap.v
    "$LUTRA" report lib "$liberty" --node "$node" --techmap "$techmaps" >/dev/null
fi

# ---- abc: script, target period, what drives and loads a module's ports ----
if [ -z "$period" ]; then
    # about 25 gate delays; the fan-out-of-4 delay is near 0.4 ps per nm of the node
    period=$(awk -v n="$LIB_NODE_NM" 'BEGIN { if (n <= 0) n = 180; print 25 * 0.0004 * n * 1.2 }')
fi
abc_args="-D $(awk -v p="$period" 'BEGIN { printf "%d", p * 1000 }')"
if [ -n "$LIB_BUF" ]; then
    printf 'set_driving_cell %s\nset_load %s [all_outputs]\n' "$LIB_BUF" \
        "$(awk -v f="$LIB_BUF_FF" 'BEGIN { print f / 8 }')" >"$out/abc.constr"
    abc_args="$abc_args -constr $out/abc.constr"
fi
[ -n "$abc" ] || abc=$flows/abc_$goal.script
[ ! -r "$abc" ] || abc_args="$abc_args -script $abc"

# ---- unchanged inputs: the mapped netlist is kept ----
yosys_version=$(yosys -V)
tools="$yosys_version"
hash=$({
    echo "$yosys_version $LIB_NAME $top $abc_args $arith ${FF_MEM_BITS:-} ${FF_MEM_TOTAL_BITS:-}"
    for d in "${incdirs[@]}"; do cat "$d"/*.vh "$d"/*.svh 2>/dev/null || true; done
    cat "${sources[@]}" "$liberty" "$techmaps" "$flows"/yosys_*.tcl "$flows"/techmap/{mul,fa}.v
    [ ! -r "$abc" ] || cat "$abc"
} | sha256sum | cut -c1-16)

export SOURCES="${sources[*]}" INCDIRS="${incdirs[*]}" TOP=$top OUT=$out LIBERTY=$liberty TECHMAPS=$techmaps FLOWS=$flows ARITH=$arith
export ABC_ARGS="$abc_args"

# Runs a tool with its output in a log; on failure shows what went wrong.
logged() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        grep -E '^(ERROR|Error|error)|Assertion' "$log" >&2 || tail -n 20 "$log" >&2
        die "$1 failed; see $log"
    fi
}

if [ "$force" = 1 ] || [ ! -r "$out/mapped.il" ] || [ "$(cat "$out/mapped.hash" 2>/dev/null)" != "$hash" ]; then
    rm -f "$out/mapped.hash"
    echo "synth: $name on $LIB_NAME: elaborating"
    logged "$out/elab.log" yosys -c "$flows/yosys_elab.tcl"
    "$LUTRA" report elab "$out/elab.json" "$out/elab.il" --liberty "$liberty" --node "$node" --top "$top" --out "$out" \
        --memory-bits "${FF_MEM_BITS:-1024}" --memory-total "${FF_MEM_TOTAL_BITS:-65536}" >"$out/elab.vars"
    rm -f "$out/elab.json" "$out/elab.il"
    echo "synth: $name on $LIB_NAME: mapping ($goal)"
    start=$(date +%s)
    logged "$out/map.log" yosys -c "$flows/yosys_map.tcl"
    echo "synth: mapped in $(($(date +%s) - start)) s"
    echo "$hash" >"$out/mapped.hash"
else
    echo "synth: $name on $LIB_NAME: inputs unchanged, netlist kept"
fi
FF_MEMORY_BITS=0
# shellcheck source=/dev/null
. "$out/elab.vars"
[ "$FF_MEMORY_BITS" = 0 ] || echo "synth: $FF_MEMORY_BITS memory bits are flip-flops ($out/memories.txt)"

# ---- fan-out, netlist for timing, reports ----
"$LUTRA" report buffer "$out/mapped.il" "$out/netlist.il" --liberty "$liberty" --node "$node" --top "$top" >"$out/buffer.vars"
report=(--liberty "$liberty" --node "$node" --top "$top" --config "$name" --hash "$hash" --ff-memory-bits "$FF_MEMORY_BITS")
command="make synth CONFIG=$name${lib_given:+ LIB=$(basename "$lib_given")}"
[ "$goal" = balanced ] || command="$command GOAL=$goal"
[ "$storage" = ff ] || command="$command STORAGE=$storage"
fingerprint=
[ ! -r "$build/$name.json" ] || fingerprint=$(sed -n 's/.*"fingerprint": *"\([0-9a-fx]*\)".*/\1/p' "$build/$name.json" | head -n 1)
[ -z "$fingerprint" ] || report+=(--fingerprint "$fingerprint")
if [ "$timing" = 1 ]; then
    command -v sta >/dev/null || die "sta: not found (package opensta); --area-only works without it"
    tools="$tools; OpenSTA $(dpkg-query -W -f '${Version}' opensta 2>/dev/null || echo unknown)"
    {
        echo "set libs {$liberty $out/rams.lib}"
        echo "set netlist $out/netlist.v"
        echo "set top $top"
        echo "set period $(awk -v p="$period" -v t="$LIB_TIME_NS" 'BEGIN { print p / t }')"
        echo "set activity 0.1"
        echo "source $flows/sta.tcl"
    } >"$out/sta_run.tcl"
    sta_hash=$(cat "$out/netlist.il" "$out/rams.lib" "$out/sta_run.tcl" "$flows/sta.tcl" "$liberty" | sha256sum | cut -c1-16)
    if [ "$force" = 1 ] || [ ! -r "$out/sta.log" ] || [ "$(cat "$out/sta.hash" 2>/dev/null)" != "$sta_hash" ]; then
        rm -f "$out/sta.hash"
        logged "$out/netlist.log" yosys -p "read_rtlil $out/netlist.il; write_verilog -noattr -noexpr -nohex $out/netlist.v"
        logged "$out/sta.log" sta -no_splash -exit "$out/sta_run.tcl"
        echo "$sta_hash" >"$out/sta.hash"
    fi
else
    report+=(--no-timing)
fi
"$LUTRA" report synth "$out" "${report[@]}" --command "$command" --tools "$tools"
sed -n '1,8p' "$out/report.txt"
grep '^Fmax' "$out/report.txt"
echo "synth: $out/report.txt"
