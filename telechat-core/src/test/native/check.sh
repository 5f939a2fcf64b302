#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks the kernels for 64-bit Arm on another machine: compiles them with a cross compiler and runs check_kernels.c under
# qemu's user-mode emulation. Exits with 77 where one of the two is missing.
set -eu
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
out=$1
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}
emulator=${AARCH64_EMULATOR:-qemu-aarch64}
for tool in "$compiler" "$emulator"; do
    command -v "$tool" > /dev/null || { echo "no $tool here"; exit 77; }
done
mkdir -p "$out"
"$compiler" -std=gnu11 -O3 -ffp-contract=off -Wall -Wextra -Werror -march=armv8.2-a+dotprod -static \
    -DRUN=telechat_neon_run -o "$out/check_neon" check_kernels.c ../../main/native/neon.c -lm
"$emulator" -cpu max "$out/check_neon"
