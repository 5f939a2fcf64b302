#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh FOLDER CUBINS [all|none|ARCHITECTURE,… [JAR]]
#
# Compiles each source file into FOLDER/NAME.fatbin, with machine code for sm_80, sm_90a and sm_100, or for some of them, and PTX for
# all others, if NVIDIA's compiler is there; without it, or with "none", telechat compiles the sources where it runs. What goes into a fat binary
# stays in CUBINS, for the test that looks at the instructions. If JAR has kernels of the same sources, they are taken from there.
# Called by Maven. Ends with 1 if a kernel spills registers, but for a few bytes.
set -eu
mkdir -p "$1" "$2"
out=$(cd -- "$1" && pwd) cubins=$(cd -- "$2" && pwd) what=${3:-all} jar=${4:-}
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
[ "$what" != all ] || what=sm_80,sm_90a,sm_100
digest=$({ cat ./*.cu ./*.cuh build.sh; echo "$what"; } | { sha256sum 2> /dev/null || shasum -a 256; } | cut -d ' ' -f 1)
made_of=$out/made_of.txt
if [ "$(cat "$made_of" 2> /dev/null)" = "$digest" ]; then
    exit 0
fi
rm -f "$out"/*.fatbin "$made_of"
[ "$what" != none ] || exit 0
if [ -n "$jar" ] && [ -f "$jar" ]; then
    there=$(mktemp -d)
    (cd "$there" && "${JAVA_HOME:+$JAVA_HOME/bin/}jar" xf "$jar" cuda) 2> /dev/null || true
    if [ "$(cat "$there/cuda/made_of.txt" 2> /dev/null)" = "$digest" ]; then
        cp "$there"/cuda/*.fatbin "$there/cuda/made_of.txt" "$out/"
        rm -rf "$there"
        echo "CUDA kernels: taken from $jar, which has them of the same sources"
        exit 0
    fi
    rm -rf "$there"
fi
nvcc=
for candidate in "${NVCC:-}" nvcc /usr/local/cuda/bin/nvcc; do
    if [ -n "$candidate" ] && command -v "$candidate" > /dev/null; then
        nvcc=$candidate
        break
    fi
done
if [ -z "$nvcc" ]; then
    echo "no nvcc: the jar will have no machine code for GPUs; NVRTC compiles the kernels where they run"
    exit 0
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
fatbinary=$(dirname "$(command -v "$nvcc")")/fatbinary
[ -x "$fatbinary" ] || fatbinary=$(dirname "$(readlink -f "$(command -v "$nvcc")")")/fatbinary
# What sm_100 spills in the gradient of attention, outside of the inner loops; elsewhere nothing is spilled (MachineCodeTest).
MOST_SPILLED=32
export nvcc logs cubins MOST_SPILLED
# One source file for one architecture.
compile() {
    local name=$1 architecture=$2 kind=-cubin file=$cubins/$1.$2.cubin
    if [ "$architecture" = ptx ]; then
        kind=-ptx architecture=compute_80 file=$cubins/$name.ptx
    fi
    "$nvcc" -std=c++17 -O3 "$kind" -arch="$architecture" -Xptxas -v "$name.cu" -o "$file.new" > "$logs/$name.$2" 2>&1 ||
        { cat "$logs/$name.$2" >&2; exit 1; }
    if awk '/bytes spill stores/ && $5 > most { bad = 1 } END { exit !bad }' most="$MOST_SPILLED" "$logs/$name.$2"; then
        echo "$name.cu: a kernel spills more than $MOST_SPILLED bytes of registers on $architecture:" >&2
        grep -B1 'spill stores' "$logs/$name.$2" | grep -v ', 0 bytes spill stores' >&2
        exit 1
    fi
    mv "$file.new" "$file"
}
export -f compile
# The longest first.
sources=$(ls -S ./*.cu | sed 's,^./,,; s,[.]cu$,,' | grep -v '^telechat$')
for source in $sources; do
    for architecture in ${what//,/ } ptx; do
        echo "$source $architecture"
    done
done | xargs -P "$(nproc 2> /dev/null || echo 2)" -n 2 bash -c 'compile "$0" "$1"'
# Compressed as drivers of CUDA 12 can read it.
for source in $sources; do
    images=(--image3=kind=ptx,sm=80,file="$cubins/$source.ptx")
    for architecture in ${what//,/ }; do
        images+=(--image3=kind=elf,sm="${architecture#sm_}",file="$cubins/$source.$architecture.cubin")
    done
    "$fatbinary" --create="$out/$source.fatbin" -64 --compress-mode=speed "${images[@]}"
done
echo "$digest" > "$made_of"
