#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Verifies and times the backend "cuda" on a machine with a GPU, which needs nothing but NVIDIA's driver: Java, jars and kernels are
# packed where telechat is built.
set -eu
usage() {
    cat << 'END'
usage: scripts/gpu-check.sh pack [FILE]    on the machine that builds: everything needed, in one file of about 60 MB
                                           (default: telechat-cuda/target/gpu-check.tgz)
       scripts/gpu-check.sh run [FILE]     on the machine with the GPU, in the same folder of a checkout: ten minutes at most
environment of run:
  OUT        folder for the page gpu-DEVICE-DATE.md and the logs (default: benchmarks)
  PARTS      which parts, of: contract memcheck speed peer profile (default: all)
  SHAPE      a file of configs/ without .json to time (default: bench-7b)
  JAVA_OPTS  more options for Java
END
}
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
case "${1:-}" in pack | run) ;; *) usage; exit 2 ;; esac
packed=${2:-$home/telechat-cuda/target/gpu-check.tgz}
parts="facts doctor ${PARTS:-contract memcheck speed peer profile}"
cd "$home"
# What telechat, Jackson and JUnit use; no windows.
MODULES=java.base,java.instrument,java.logging,java.management,java.naming,java.net.http,java.sql,java.xml
MODULES=$MODULES,jdk.crypto.ec,jdk.httpserver,jdk.incubator.vector,jdk.management,jdk.unsupported
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pack() {
    local there=$work jdk
    jdk=$(./telechat doctor --json 2> /dev/null | sed -n 's/.*"java":"[^"]*, \([^"]*\)".*/\1/p')
    mvn -B -q -Dformat.phase=none -Dcuda.kernels=all -DskipTests package >&2
    "$jdk/bin/jlink" --add-modules "$MODULES" --compress zip-9 \
        --strip-java-debug-attributes --no-header-files --no-man-pages --output "$there/jre"
    mkdir "$there/lib" "$there/tests"
    # Without ND4J and OpenBLAS, which take 150 MB, and serve the CPU.
    for jar in telechat-cli/target/lib/*.jar telechat-cli/target/telechat-cli-*[0-9T].jar; do
        case "${jar##*/}" in
            nd4j* | openblas* | javacpp* | protobuf* | guava* | commons-math* | zstd* | snappy* | netty* | *prometheus*) ;;
            *) cp "$jar" "$there/lib/" ;;
        esac
    done
    cp telechat-core/target/telechat-core-*-tests.jar "$there/tests/"
    (cd telechat-cuda/target/test-classes && "$jdk/bin/jar" cf "$there/tests/telechat-cuda-tests.jar" .)
    mvn -B -q -N dependency:copy -Dartifact=org.junit.platform:junit-platform-console-standalone:1.14.4 \
        -DoutputDirectory="$there/tests" >&2
    mkdir -p "${packed%/*}"
    tar czf "$packed" -C "$there" .
    ls -l "$packed"
}

# NAME SECONDS COMMAND…: a part of the run, with a log of its own; the others go on whatever becomes of it.
part() {
    local name=$1 limit=$2 code=0 start=$SECONDS
    shift 2
    case " $parts " in *" ${name%%-*} "*) ;; *) return 0 ;; esac
    echo "$name ..." >&2
    timeout "$limit" "$@" > "$logs/$name.txt" 2>&1 || code=$?
    results="$results$name|$code|$((SECONDS - start))
"
    echo "$name: ended with $code after $((SECONDS - start)) s" >&2
}

run() {
    local out device
    mkdir -p "${OUT:-benchmarks}"
    out=$(cd -- "${OUT:-benchmarks}" && pwd) results=
    logs=$out/gpu-logs
    mkdir -p "$logs"
    tar xzf "$packed" -C "$work"
    device=$(nvidia-smi --query-gpu=name --format=csv,noheader 2> /dev/null | head -1 || true)
    device=${device:-unknown}
    java=("$work/jre/bin/java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED
        --sun-misc-unsafe-memory-access=allow)
    # shellcheck disable=SC2206
    java+=(${JAVA_OPTS:-})
    local all=$work/lib/\*
    local junit=$work/tests/junit-platform-console-standalone-1.14.4.jar
    local tests=$work/tests/telechat-cuda-tests.jar:$(ls "$work"/tests/telechat-core-*-tests.jar):$(ls "$work"/lib/*.jar | tr '\n' ':')
    contract=("${java[@]}" -Dtelechat.gpu=real -jar "$junit" execute --disable-banner --details=summary -cp "$tests")
    telechat=("${java[@]}" -cp "$all" io.telechat.cli.TelechatCli)

    part facts 20 nvidia-smi
    part doctor 30 "${telechat[@]}" doctor
    # The tests run in the module's folder, from which they find the golden models.
    cd telechat-cuda
    part contract 120 "${contract[@]}" -c io.telechat.cuda.CudaOpsTest -c io.telechat.cuda.CudaGradOpsTest \
        -c io.telechat.cuda.CudaGoldenModelTest
    if command -v compute-sanitizer > /dev/null; then
        for tool in memcheck racecheck; do
            part "memcheck-$tool" 40 compute-sanitizer --tool "$tool" --error-exitcode 9 "${contract[@]}" \
                -c io.telechat.cuda.CudaOpsTest
        done
    fi
    cd ..
    local shape=${SHAPE:-bench-7b}
    case " $parts " in
        *" speed "* | *" profile "*)
            echo "making $shape with random weights ..." >&2
            timeout 60 "${telechat[@]}" init --config "configs/$shape.json" --out "$work/model" --byte-tokenizer \
                > "$logs/init.txt" 2>&1 || echo "no model: see $logs/init.txt" >&2
            ;;
    esac
    for type in bf16 q8 q4; do
        weights=()
        [ $type = bf16 ] || weights=(--weights $type)
        part "speed-$type" 60 "${telechat[@]}" bench "$work/model" --backend cuda --kv-cache bf16 --prompt 2048 \
            --context-length 4096 --generate 64 --batch 1,8 --runs 3 --json "${weights[@]}"
    done
    if python3 -c 'import torch' 2> /dev/null; then
        part peer 60 python3 scripts/peers/torch_decoder.py "configs/$shape.json" bf16 2048 64 64 1 cuda 3
    fi
    if command -v ncu > /dev/null; then
        part profile 40 ncu --clock-control none -k regex:few_ -c 6 --section SpeedOfLight "${telechat[@]}" bench "$work/model" \
            --backend cuda --prompt 16 --generate 2 --runs 1
    fi
    page "$out/gpu-$(echo "$device" | tr 'A-Z ' 'a-z-')-$(date +%F).md" "$device"
    # What failed is the exit code.
    ! echo "$results" | grep -v '|0|' | grep -q '|'
}

page() {
    {
        echo "# telechat on $2, $(date +%F)"
        echo
        echo "Written by \`scripts/gpu-check.sh\`; commit $(git rev-parse --short HEAD 2> /dev/null || echo unknown)."
        echo
        echo "| part | exit code | seconds |"
        echo "| --- | --- | --- |"
        echo "$results" | sed -n 's/\(..*\)|\(.*\)|\(.*\)/| \1 | \2 | \3 |/p'
        for log in "$logs"/*.txt; do
            echo
            echo "## ${log##*/}"
            echo
            echo '```'
            tail -n 40 "$log" | cut -c 1-400
            echo '```'
        done
    } > "$1"
    echo "$1" >&2
}
"$1"
