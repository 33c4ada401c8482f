#!/bin/sh
# Installs the Debian packages that Lutra needs and this machine lacks. With --list: prints all of them.
set -eu

packages='
build-essential pkg-config verilator iverilog yosys opensta nextpnr-ice40 fpga-icestorm qflow-tech-osu018 z3
protobuf-c-compiler libprotobuf-c-dev libonnx-dev libyaml-dev libjansson-dev libzip-dev zlib1g-dev libopenblas-dev libdnnl-dev
libcmocka-dev gnuplot-nox gcc-riscv64-unknown-elf gcc-arm-none-eabi
'

if [ "${1:-}" = --list ]; then
    printf '%s\n' $packages
    exit 0
fi

missing=
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

echo "installing:$missing"
if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null; then
    sudo=sudo
else
    echo "these packages are missing and neither root nor sudo is available:$missing" >&2
    exit 1
fi
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing
