#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Compiles the native kernels into the folder that is given, if there is a C compiler; without one, telechat works all the
# same, with kernels in Java. Called by Maven.
set -eu
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
out=$1
compiler=
for candidate in "${CC:-}" cc gcc clang; do
    if [ -n "$candidate" ] && command -v "$candidate" > /dev/null; then
        compiler=$candidate
        break
    fi
done
if [ -z "$compiler" ]; then
    echo "no C compiler: the CPU backend will use its Java kernels"
    exit 0
fi
# The folder is named as Java names system and architecture.
case "$(uname -s)" in
    Darwin) system=mac library=libtelechat_kernels.dylib ;;
    *) system=linux library=libtelechat_kernels.so ;;
esac
case "$(uname -m)" in
    x86_64) architecture=amd64 ;;
    arm64) architecture=aarch64 ;;
    *) architecture=$(uname -m) ;;
esac
[ "$system-$architecture" != mac-amd64 ] || architecture=x86_64
out=$out/$system-$architecture
mkdir -p "$out"
temporary=$out/.$library.tmp
if ! "$compiler" -std=gnu11 -O3 -fPIC -shared -Wall -Wextra -Werror -o "$temporary" dot_kernels.c; then
    rm -f "$temporary"
    echo "$compiler cannot compile the native kernels: the CPU backend will use its Java kernels"
    exit 0
fi
mv "$temporary" "$out/$library"
