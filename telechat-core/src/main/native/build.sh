#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh FOLDER [all|host [JAR]]
#
# Compiles the native kernels into the folder, for all instruction sets or for the best of this CPU alone, if there is a C
# compiler; without one, telechat works all the same, with kernels in Java. If JAR has kernels of the same sources, they are
# taken from there. Called by Maven. CC names another compiler, TARGET_ARCH the architecture that it compiles for (x86_64 or
# aarch64), if that is not this machine's.
set -eu
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
out=$1 tiers=${2:-all} jar=${3:-}
native=$out
compiler=
for candidate in "${CC:-}" cc gcc clang; do
    if [ -n "$candidate" ] && command -v "$candidate" > /dev/null; then
        compiler=$candidate
        break
    fi
done
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
# Which platforms the folder has kernels for, once this script is through.
say_missing() {
    local platform missing=
    for platform in linux-amd64 linux-aarch64 mac-aarch64; do
        [ -n "$(find "$native/$platform" -name 'libtelechat_kernels.*' 2> /dev/null)" ] || missing="$missing $platform"
    done
    [ -z "$missing" ] || echo "kernels in C are missing for:$missing; there, those in Java compute"
}
trap say_missing EXIT
# What a library was made of, and for which instruction sets; beside it in the jar.
made_of=$out/sources.txt
sources=$(cat ./*.c ./*.h build.sh | { sha256sum 2> /dev/null || shasum -a 256; } | cut -d ' ' -f 1)
# From an installed jar of the same sources.
take() {
    local there
    there=$(mktemp -d)
    (cd "$there" && "${JAVA_HOME:+$JAVA_HOME/bin/}jar" xf "$jar" "native/$system-$architecture") 2> /dev/null || true
    if [ -f "$there/native/$system-$architecture/$library" ] &&
        [ "$(cat "$there/native/$system-$architecture/sources.txt" 2> /dev/null)" = "$sources all" ]; then
        cp "$there/native/$system-$architecture/"* "$out/"
        echo "kernels in C: taken from $jar, which has them of the same sources"
        rm -rf "$there"
        return 0
    fi
    rm -rf "$there"
    return 1
}
if [ -n "$jar" ] && [ -f "$jar" ]; then
    if [ -f "$out/$library" ] && [ "$(cat "$made_of" 2> /dev/null)" = "$sources all" ] || take; then
        exit 0
    fi
fi
if [ -z "$compiler" ]; then
    echo "no C compiler: the CPU backend will use its Java kernels"
    exit 0
fi
# Without contraction, a product and a sum are rounded apart, as the Java kernels round them.
flags="-std=gnu11 -O2 -fPIC -ffp-contract=off -Wall -Wextra -Werror"
# The few loops that are not over vectors of ours are made so. What -O3 does beyond takes three times as long and gains nothing:
# it writes variants of loops that are unrolled already.
vectorizing="-ftree-vectorize -fvect-cost-model=dynamic"
# shellcheck disable=SC2086 # flags are several words
if "$compiler" -Werror $vectorizing -S -o /dev/null -x c /dev/null 2> /dev/null; then
    flags="$flags $vectorizing"
fi
objects=() jobs=
compile() { # SOURCE FLAG…; in the background
    local object
    object=$out/.${1%.c}.o
    # shellcheck disable=SC2086 # flags are several words
    { "$compiler" $flags "${@:2}" -c -o "$object" "$1" || { echo "$compiler cannot compile $1" && false; }; } &
    jobs="$jobs $!"
    objects+=("$object")
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
            [ -z "$amx" ] || ! wanted 4 || compile amx.c $avx512 -mavx512bf16 -mamx-tile -mamx-bf16 -mamx-int8
            [ -z "$bf16" ] || ! wanted 3 || compile avx512_bf16.c $avx512 -mavx512bf16
            ! wanted 2 || compile avx512.c $avx512
            ! wanted 1 || compile avx2.c -mavx2 -mfma -mf16c
        }
        ;;
    aarch64 | arm64) compile neon.c -march=armv8.2-a+dotprod ;;
esac
failed=
for job in $jobs; do
    wait "$job" || failed=yes
done
if [ -n "$failed" ]; then
    rm -f "$out/$library" "$stamp.new" "${objects[@]}" # the library is what an earlier build left
    echo "the CPU backend will use its Java kernels"
    exit 0
fi
temporary=$out/.$library.tmp
"$compiler" -shared -o "$temporary" "${objects[@]}" -lm
rm -f "${objects[@]}"
mv "$temporary" "$out/$library"
echo "$sources $tiers" > "$made_of"
mv "$stamp.new" "$stamp"
