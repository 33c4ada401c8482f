#!/bin/bash
# Which tools Lutra uses, which of them are here, and what is missing.
set -u

missing=0
tool() { # name, what it is for, command that prints the version
    if ! command -v "$1" >/dev/null; then
        printf '%-30s missing   (%s)\n' "$1" "$2"
        missing=1
    else
        printf '%-30s %s\n' "$1" "$(eval "$3" 2>&1 | grep -m1 -E '[0-9]+\.[0-9]+')"
    fi
}

tool gcc 'host program' 'gcc --version'
tool protoc-c 'ONNX import' 'protoc-c --version'
tool verilator simulation 'verilator --version'
tool iverilog 'lint, tests' 'iverilog -V'
tool yosys synthesis 'yosys -V'
tool sta timing 'sta -version'
tool nextpnr-ice40 'FPGA results' 'nextpnr-ice40 --version'
tool z3 'property proofs' 'z3 --version'
tool gnuplot plots 'gnuplot --version'
tool riscv64-unknown-elf-gcc 'driver cross-build test' 'riscv64-unknown-elf-gcc --version'
tool arm-none-eabi-gcc 'driver cross-build test' 'arm-none-eabi-gcc --version'
for p in $("$(dirname "$0")/deps.sh" --list); do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' && continue
    echo "package $p is missing"
    missing=1
done
printf '%-30s %s cores, %s\n' machine "$(nproc)" "$(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo)"
printf '%-30s %s\n' DATA "${DATA:-not set: built-in network and images}"
[ $missing = 0 ] && echo 'nothing is missing' || echo 'make deps installs what is missing'
