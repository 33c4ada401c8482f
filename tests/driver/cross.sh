#!/bin/sh
# The driver and its examples build for bare RISC-V and Arm microcontrollers, warnings as errors, and link without any
# library but libgcc. Usage: cross.sh FOLDER_WITH_lutra_hw.h [OUTPUT_FOLDER]
set -eu

if [ $# -lt 1 ] || [ ! -f "$1/lutra_hw.h" ]; then
    echo "usage: $0 FOLDER_WITH_lutra_hw.h [OUTPUT_FOLDER]" >&2
    exit 2
fi
hw=$(cd "$1" && pwd)
cd "$(dirname "$0")/../../sw_driver"
if [ $# -ge 2 ]; then
    mkdir -p "$2"
    out=$2
else
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi

sources="lutra.c lutra_image.c lutra_result.c examples/mem.c"
flags="-std=c11 -Os -ffreestanding -ffunction-sections -fdata-sections -Wall -Wextra -Wshadow -Wconversion -Werror"

# Only what a freestanding compiler has may be included.
if grep -hE '^#include <' lutra*.c lutra*.h | grep -vE '<(stdint|stddef|stdbool|string)\.h>'; then
    echo "cross: the driver includes more than a freestanding compiler offers" >&2
    exit 1
fi

# Any content links: what is tested is the firmware, not a network.
head -c 4096 /dev/zero >"$out/network.bin"

build() { # name prefix arch-flags...
    name=$1 prefix=$2
    shift 2
    command -v "$prefix-gcc" >/dev/null || { echo "cross: $prefix-gcc is missing" >&2; exit 1; }
    # shellcheck disable=SC2086 # lists of words
    "$prefix-gcc" $flags "$@" -I"$hw" -nostdlib -nostartfiles -Wl,--gc-sections -Wl,--fatal-warnings \
        -T "examples/$name.ld" $sources "examples/$name.c" \
        -DNETWORK="\"$out/network.bin\"" -DPICTURE="\"$out/network.bin\"" examples/network.S -lgcc -o "$out/$name.elf"
    if "$prefix-nm" -u "$out/$name.elf" | grep .; then
        echo "cross: $name has undefined symbols" >&2
        exit 1
    fi
    # the same sources must be clean on their own at other optimisation levels
    for o in -O0 -O2 -O3; do
        for s in lutra.c lutra_image.c lutra_result.c; do
            # shellcheck disable=SC2086
            "$prefix-gcc" $flags "$o" "$@" -I"$hw" -c "$s" -o "$out/part.o"
        done
    done
    echo "cross: $name: $("$prefix-size" "$out/$name.elf" | awk 'NR == 2 { print $1 " bytes of code and constants" }')"
}

build baremetal_riscv riscv64-unknown-elf -march=rv32imc -mabi=ilp32
build baremetal_arm arm-none-eabi -mcpu=cortex-m4 -mthumb
echo "cross: 2 passed, 0 failed"
