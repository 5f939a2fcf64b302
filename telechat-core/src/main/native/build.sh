#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh FOLDER [all|host]
#
# Compiles the native kernels into the folder, for all instruction sets or for the best of this CPU alone, if there is a C
# compiler; without one, telechat works all the same, with kernels in Java. Called by Maven. CC names another compiler,
# TARGET_ARCH the architecture that it compiles for (x86_64 or aarch64), if that is not this machine's.
set -eu
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
out=$1 tiers=${2:-all}
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
machine=${TARGET_ARCH:-$(uname -m)}
case "$machine" in
    x86_64) architecture=amd64 ;;
    arm64) architecture=aarch64 ;;
    *) architecture=$machine ;;
esac
[ "$system-$architecture" != mac-amd64 ] || architecture=x86_64
out=$out/$system-$architecture
mkdir -p "$out"
# Without contraction, a product and a sum are rounded apart, as the Java kernels round them.
flags="-std=gnu11 -O3 -fPIC -ffp-contract=off -Wall -Wextra -Werror"
objects= jobs=
compile() { # SOURCE FLAG…; in the background
    local object
    object=$out/.${1%.c}.o
    # shellcheck disable=SC2086 # flags are several words
    { "$compiler" $flags "${@:2}" -c -o "$object" "$1" || { echo "$compiler cannot compile $1" && false; }; } &
    jobs="$jobs $!"
    objects="$objects $object"
}
bf16=
if [ "$machine" = x86_64 ] && "$compiler" -mavx512bf16 -E -x c /dev/null > /dev/null 2>&1; then
    bf16=-DHAS_BF16_TIER # gcc 10, clang 9
fi
amx=
if [ "$system-$machine" = linux-x86_64 ] && "$compiler" -mamx-int8 -E -x c /dev/null > /dev/null 2>&1; then
    amx=-DHAS_AMX_TIER # gcc 11, clang 11
fi
# The CPU's own answer, by the code that asks it at run time.
best_tier() {
    local program=$out/.best-tier code=0
    # shellcheck disable=SC2086
    echo 'int telechat_best_tier(void); int main(void) { return telechat_best_tier(); }' |
        "$compiler" $flags -Wno-missing-prototypes $bf16 $amx -o "$program" -x c - dispatch.c 2> /dev/null || { echo all; return; }
    "$program" || code=$?
    rm -f "$program"
    echo "$code"
}
[ "$tiers" = all ] || tiers=$(best_tier)
wanted() { [ "$tiers" = all ] || [ "$tiers" = "$1" ]; } # NUMBER, of dispatch.c
# What the library that is there was made of. One for all instruction sets will do for each.
stamp=$out/.stamp inputs=$("$compiler" --version | head -n 1)
for made in "$inputs $tiers" "$inputs all"; do
    if [ -f "$out/$library" ] && [ "$(cat "$stamp" 2> /dev/null)" = "$made" ] && [ -z "$(find . -newer "$stamp" -print -quit)" ]; then
        exit 0
    fi
done
rm -f "$stamp"
echo "$inputs $tiers" > "$stamp.new" # now: what is edited meanwhile is newer
compile dispatch.c $bf16 $amx
case "$machine" in
    x86_64)
        avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c"
        # shellcheck disable=SC2086 # flags are several words
        {
            ! wanted 1 || compile avx2.c -mavx2 -mfma -mf16c
            ! wanted 2 || compile avx512.c $avx512
            [ -z "$bf16" ] || ! wanted 3 || compile avx512_bf16.c $avx512 -mavx512bf16
            [ -z "$amx" ] || ! wanted 4 || compile amx.c $avx512 -mavx512bf16 -mamx-tile -mamx-bf16 -mamx-int8
        }
        ;;
    aarch64 | arm64) compile neon.c -march=armv8.2-a+dotprod ;;
esac
failed=
for job in $jobs; do
    wait "$job" || failed=yes
done
if [ -n "$failed" ]; then
    # shellcheck disable=SC2086 # objects are several words
    rm -f "$out/$library" "$stamp.new" $objects # the library is what an earlier build left
    echo "the CPU backend will use its Java kernels"
    exit 0
fi
temporary=$out/.$library.tmp
# shellcheck disable=SC2086 # objects are several words
"$compiler" -shared -o "$temporary" $objects -lm
rm -f $objects
mv "$temporary" "$out/$library"
mv "$stamp.new" "$stamp"
