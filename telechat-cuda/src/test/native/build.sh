#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the emulated kernels and the stand-ins for NVIDIA's libraries; with "check", the check programs as well, and runs them.
#   build.sh OUT_DIR [check]
# Compiles only what has changed. Without a C++ compiler there is nothing to do.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 OUT_DIR [check [NAME...]]" >&2; exit 2; }
command -v g++ > /dev/null || { echo "no g++: the emulation of a GPU is not built, its tests are skipped"; exit 0; }
mkdir -p "$1"
OUT=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")"
CUDA=../../main/cuda

# fma: nvcc, too, contracts a multiplication and an addition.
MACHINE=
if grep -qw avx2 /proc/cpuinfo 2> /dev/null && grep -qw fma /proc/cpuinfo; then
    MACHINE="-mavx2 -mfma"
fi
COMMON="-std=c++17 -O2 -fPIC -fvisibility=hidden -Wall -Wno-unknown-pragmas -Wno-parentheses -U_FORTIFY_SOURCE $MACHINE"
KERNELS=$(sed -n 's/^#include "\(.*\)\.cu".*/\1/p' $CUDA/telechat.cu)
# CUDA's own header, where there is one, has the compiler check the driver's signatures.
INCLUDE=
for header in "${CUDA_HOME:-/usr/local/cuda}"/include/cuda.h /usr/local/cuda-*/include/cuda.h; do
    if [ -f "$header" ]; then
        INCLUDE="-isystem $(dirname "$header")"
        break
    fi
done

JOBS=$OUT/jobs
: > "$JOBS"
# need TARGET COMMAND FILE...: has the command make the target unless it has been made of the same files by the same command.
need() {
    target=$1 command=$2
    shift 2
    digest=$( { echo "$command"; g++ -dumpfullversion; cat "$@"; } | sha256sum | cut -d ' ' -f 1)
    if [ ! -f "$target" ] || [ "$(cat "$target.digest" 2> /dev/null)" != "$digest" ]; then
        mkdir -p "$(dirname "$target")"
        rm -f "$target.digest"
        echo "$command -o $target.new && mv -f $target.new $target && echo $digest > $target.digest" >> "$JOBS"
    fi
}
run() { # the jobs so far, two at a time
    [ ! -s "$JOBS" ] || xargs -P 2 -d '\n' -n 1 sh -c < "$JOBS" || { echo "$0: compilation failed" >&2; exit 1; }
    : > "$JOBS"
}

EMULATION="cuda_emulation.h $(echo emulation/*.h)"
FORCED="-x c++ -include cuda_emulation.h"
COMPILE="g++ $COMMON -c $FORCED"
HEADERS="$EMULATION $(echo $CUDA/*.cuh)"

# Objects of the kernels, the largest files first.
OBJECTS=$OUT/objects/module.o
for source in $(cd $CUDA && ls -S $(for k in $KERNELS; do echo "$k.cu"; done)); do
    need "$OUT/objects/${source%.cu}.o" "$COMPILE $CUDA/$source" $HEADERS "$CUDA/$source"
    OBJECTS="$OBJECTS $OUT/objects/${source%.cu}.o"
done
need "$OUT/objects/module.o" "$COMPILE module.cpp" $HEADERS module.cpp
STANDIN="g++ $COMMON -O1 $INCLUDE -shared"
need "$OUT/libcuda.so.1" "$STANDIN -Wl,-soname,libcuda.so.1 standin_cuda.cpp -ldl -lpthread" standin/*.h standin_cuda.cpp
run
need "$OUT/kernels-emulated.so" "g++ -shared $OBJECTS" $OBJECTS
for library in libcublasLt.so.13:standin_cublaslt.cpp libnccl.so.2:standin_nccl.cpp; do
    name=${library%:*} source=${library#*:}
    if [ -f "$source" ]; then
        need "$OUT/$name" "$STANDIN -Wl,-soname,$name $source $OUT/libcuda.so.1 '-Wl,-rpath,\$ORIGIN' -lpthread" \
            standin/*.h "$source" "$OUT/libcuda.so.1"
    fi
done
run
[ "${1:-}" = check ] || exit 0
shift

# The check programs: one of each file check_*.cpp, with the detectors of races and of accesses beyond arrays; that of the
# emulation, which has mistakes for each, plain as well.
CHECKS=${*:-$(ls check_*.cpp | sed 's/^check_//; s/\.cpp$//')}
checks_in() { # MODE
    case $1 in plain) echo "$CHECKS" | tr ' ' '\n' | grep -x emulation || true ;; *) echo "$CHECKS" ;; esac
}
for mode in plain thread address; do
    case $mode in
        plain) flags="-O2" ;;
        thread) flags="-O1 -g -fsanitize=thread" ;;
        address) flags="-O1 -g -fsanitize=address -fno-omit-frame-pointer" ;;
    esac
    for check in $(checks_in $mode); do
        only=-DONLY_LAUNCHED_KERNELS
        [ "$check" != emulation ] || only= # which looks at their names
        need "$OUT/check/$mode/$check" "g++ $COMMON $flags $only $FORCED check_$check.cpp check.cpp -x none -lpthread" \
            $HEADERS $CUDA/*.cu check.h check.cpp planted.cu "check_$check.cpp"
    done
done
# And one of the stand-ins, with a module of the planted mistakes.
if [ $# = 0 ]; then
    need "$OUT/check/planted.so" "g++ $COMMON -shared $FORCED planted.cu module.cpp" $HEADERS planted.cu module.cpp
    LIBRARIES="$OUT/libcublasLt.so.13 $OUT/libnccl.so.2 $OUT/libcuda.so.1"
    need "$OUT/check/standins" "g++ $COMMON -O1 $INCLUDE standins_check.cpp $LIBRARIES '-Wl,-rpath,\$ORIGIN/..' -lpthread" \
        standin/*.h standins_check.cpp $LIBRARIES
fi
run
# The race detector wants addresses where it expects them.
RESTRICT=
if command -v setarch > /dev/null && setarch -R true 2> /dev/null; then
    RESTRICT="setarch -R"
fi
failed=0
if [ $# = 0 ]; then
    log=$OUT/check/standins.log
    if TELECHAT_STANDIN_DEVICES=3 timeout 300 "$OUT/check/standins" "$OUT/check/planted.so" > "$log" 2>&1; then
        echo "check of the stand-ins: $(tail -n 1 "$log")"
    else
        failed=1
        echo "check of the stand-ins FAILED:" >&2
        tail -n 40 "$log" >&2
    fi
fi
export OUT RESTRICT
for mode in plain thread address; do
    for check in $(checks_in $mode); do
        echo "$mode $check"
    done
done > "$JOBS"
# Two at a time; how each ended is in a file beside its log.
xargs -P 2 -L 1 sh -c 'at=$OUT/check/$0/$1; timeout 400 $RESTRICT "$at" > "$at.log" 2>&1; echo $? > "$at.code"' < "$JOBS"
while read -r mode check; do
    at=$OUT/check/$mode/$check
    if [ "$(cat "$at.code")" = 0 ]; then
        echo "check $check ($mode): $(tail -n 1 "$at.log")"
    else
        failed=1
        echo "check $check ($mode) FAILED:" >&2
        tail -n 40 "$at.log" >&2
    fi
done < "$JOBS"
exit $failed
