#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# check.sh FOLDER TIER
#
# Checks the kernels of an instruction set that this machine need not have: compiles them and check_kernels.c into the folder and
# runs that. neon: with a cross compiler, under qemu's user-mode emulation. avx512, avx512_bf16, amx: on any x86-64 with AVX2, on
# top of emulated intrinsics (emulation/immintrin.h); avx2: as it is. Exits with 77 where a tool is missing.
# With EMULATION_FLAGS=-fsanitize=address,undefined ASAN_OPTIONS=detect_leaks=0 it also finds what reads beyond its operands.
set -eu
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
out=$1 tier=$2
kernels=../../main/native/$tier.c program=$out/check_$tier
needs() {
    command -v "$1" > /dev/null || { echo "no $1 here"; exit 77; }
}
mkdir -p "$out"
flags="-std=gnu11 -ffp-contract=off -DRUN=telechat_${tier}_run"
# shellcheck disable=SC2086 # flags are several words
case "$tier" in
    neon)
        compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc} emulator=${AARCH64_EMULATOR:-qemu-aarch64}
        needs "$compiler"
        needs "$emulator"
        "$compiler" $flags -O1 -Wall -Wextra -Werror -march=armv8.2-a+dotprod -static -o "$program" check_kernels.c "$kernels" -lm
        "$emulator" -cpu max "$program"
        ;;
    avx2 | avx512 | avx512_bf16 | amx)
        needs gcc
        grep -q '\<avx2\>' /proc/cpuinfo 2> /dev/null || { echo "no AVX2 here"; exit 77; }
        flags="$flags -O1 -mavx2 -mfma -mf16c"
        [ "$tier" = avx2 ] || flags="$flags -I emulation -DSPLIT_X"
        # What is inlined or not, and so found suspicious, is not what build.sh compiles.
        gcc $flags -w -Wno-psabi -Werror=implicit-function-declaration ${EMULATION_FLAGS:-} -o "$program" check_kernels.c "$kernels" -lm
        "$program"
        ;;
    *) echo "no instruction set $tier" && exit 2 ;;
esac
