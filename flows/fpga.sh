#!/bin/bash
# FPGA resources of one generated accelerator, and for small ones on an iCE40 HX8K the clock after place and route.
#
#   flows/fpga.sh --family ice40|ecp5|xc7 [--top MODULE] BUILD_DIR
#
# Result: BUILD_DIR/synth/FAMILY/fpga.json (docs/formats.md). Debian has place and route for the iCE40 only; what does not fit
# the HX8K (7680 LUTs, 32 block RAMs), and the other families, have no clock: n/a.
set -eu -o pipefail

die() {
    echo "fpga: $*" >&2
    exit 2
}

flows=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$flows")
LUTRA=${LUTRA:-$root/build/lutra}
family="" top=lutra_top build=""
while [ $# -gt 0 ]; do
    case $1 in
    --family) family=${2:?--family needs ice40, ecp5 or xc7}; shift 2 ;;
    --top) top=${2:?--top needs a module}; shift 2 ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) [ -z "$build" ] || die "only one folder, got $build and $1"; build=$1; shift ;;
    esac
done
case $family in ice40 | ecp5 | xc7) ;; *) die "--family: got '$family', expected ice40, ecp5 or xc7" ;; esac
[ -d "$build" ] || die "$build: no such folder; run make gen first"
name=$(basename "$build")
list=$build/$name.f
[ -r "$list" ] || die "$list: no such file list; run make gen first"
for tool in yosys "$LUTRA"; do command -v "$tool" >/dev/null || die "$tool: not found"; done

files=() incs=()
while read -r line; do
    case $line in
    '' | '//'* | '#'*) ;;
    +incdir+*) incs+=("-I$build/${line#+incdir+}") ;;
    *) files+=("$build/$line") ;;
    esac
done <"$list"
[ ${#files[@]} -gt 0 ] || die "$list: no Verilog files"
for f in "${files[@]}"; do [ -r "$f" ] || die "$f: listed in $list but not there"; done

out=$build/synth/$family
mkdir -p "$out"
tools=$(yosys -V)
hash=$({ echo "$tools $top"; cat "${files[@]}" "$0"; for i in "${incs[@]}"; do cat "${i#-I}"/*.vh 2>/dev/null || true; done; } |
    sha256sum | cut -c1-16)

# Runs a tool with its output in a log; on failure shows what went wrong.
logged() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        grep -E '^(ERROR|Error)' "$log" >&2 || tail -n 20 "$log" >&2
        die "$1 failed; see $log"
    fi
}

read="read_verilog ${incs[*]} ${files[*]}"
if [ ! -r "$out/stat.json" ] || [ "$(cat "$out/inputs.hash" 2>/dev/null)" != "$hash" ]; then
    rm -f "$out/inputs.hash" "$out/pnr.json"
    case $family in
    ice40) synth="synth_ice40 -top $top" ;;
    ecp5) synth="synth_ecp5 -top $top" ;;
    xc7) synth="synth_xilinx -family xc7 -flatten -noiopad -top $top" ;;
    esac
    echo "fpga: $name on $family: synthesising"
    logged "$out/synth.log" yosys -p "$read; $synth; tee -q -o $out/stat.json stat -json"
    echo "$hash" >"$out/inputs.hash"
else
    echo "fpga: $name on $family: inputs unchanged"
fi

# Number of a cell type in the counts of the whole design.
count() {
    sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$out/stat.json" | tail -n 1 | grep . || echo 0
}

report=()
if [ "$family" != ice40 ]; then
    report+=(--no-fmax "no place and route for $family in Debian")
elif [ "$(count SB_LUT4)" -gt 7680 ] || [ "$(count SB_RAM40_4K)" -gt 32 ] || [ "$(count SB_MAC16)" -gt 0 ]; then
    report+=(--no-fmax "does not fit an iCE40 HX8K (7680 LUTs, 32 block RAMs)")
elif ! command -v nextpnr-ice40 >/dev/null; then
    report+=(--no-fmax "nextpnr-ice40 is not installed")
else
    tools="$tools; $(nextpnr-ice40 --version 2>&1 | head -n 1)"
    if [ ! -r "$out/pnr.json" ]; then
        echo "fpga: $name on $family: placing"
        logged "$out/ports.log" yosys -p "$read; hierarchy -top $top; proc; write_json $out/ports.json"
        "$LUTRA" report harness "$out/ports.json" "$out/harness.v" --top "$top" >"$out/harness.vars"
        logged "$out/harness.log" yosys -p "$read $out/harness.v; synth_ice40 -top lutra_harness -json $out/harness.json"
        if ! nextpnr-ice40 --hx8k --package ct256 --json "$out/harness.json" --report "$out/pnr.json" --seed 1 --freq 50 \
            --pcf-allow-unconstrained --quiet >"$out/pnr.log" 2>&1; then
            rm -f "$out/pnr.json"
        fi
    fi
    if [ -r "$out/pnr.json" ]; then
        report+=(--pnr "$out/pnr.json")
    else
        report+=(--no-fmax "nextpnr did not place it: $(grep -m 1 '^ERROR' "$out/pnr.log" | cut -c1-200)")
    fi
fi
fingerprint=
[ ! -r "$build/$name.json" ] ||
    fingerprint=$(sed -n 's/.*"fingerprint": *"\([0-9a-fx]*\)".*/\1/p' "$build/$name.json" | head -n 1)
[ -z "$fingerprint" ] || report+=(--fingerprint "$fingerprint")
"$LUTRA" report fpga "$out/stat.json" "$out/fpga.json" --family "$family" --top "$top" --config "$name" \
    --command "make synth CONFIG=$name FPGA=$family" --tools "$tools" "${report[@]}"
echo "fpga: $out/fpga.json"
