#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh FOLDER [all|none [JAR]]
#
# Compiles each source file into FOLDER/NAME.fatbin, with machine code for sm_80, sm_90a and sm_100 and PTX for what comes later, if
# NVIDIA's compiler is there; without it, or with "none", telechat compiles the sources where it runs. If JAR has kernels of the same
# sources, they are taken from there. Called by Maven. Ends with 1 if a kernel spills registers, or has none of the instructions
# that it is about.
set -eu
mkdir -p "$1"
out=$(cd -- "$1" && pwd) what=${2:-all} jar=${3:-}
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
[ "$what" != none ] || exit 0
digest=$(cat ./*.cu ./*.cuh build.sh | { sha256sum 2> /dev/null || shasum -a 256; } | cut -d ' ' -f 1)
made_of=$out/made_of.txt
if [ "$(cat "$made_of" 2> /dev/null)" = "$digest" ]; then
    exit 0
fi
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
export nvcc logs out
compile() {
    "$nvcc" -std=c++17 -O3 -fatbin -compress-mode=size -Xptxas -v \
        -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90a,code=sm_90a -gencode arch=compute_100,code=sm_100 \
        -gencode arch=compute_80,code=compute_80 "$1.cu" -o "$out/$1.fatbin.new" > "$logs/$1" 2>&1 ||
        { cat "$logs/$1" >&2; exit 1; }
    if grep 'spill stores' "$logs/$1" | grep -qv ', 0 bytes spill stores'; then
        echo "$1.cu: a kernel spills registers:" >&2
        grep -B1 'spill stores' "$logs/$1" | grep -v ', 0 bytes spill stores' >&2
        exit 1
    fi
    mv "$out/$1.fatbin.new" "$out/$1.fatbin"
}
export -f compile
# The longest first.
sources=$(ls -S ./*.cu | sed 's,^./,,; s,[.]cu$,,' | grep -v '^telechat$')
echo "$sources" | xargs -P "$(nproc 2> /dev/null || echo 2)" -n 1 bash -c 'compile "$0"'
echo "$digest" > "$made_of"
