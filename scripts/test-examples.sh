#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the artifacts into the local repository of Maven, builds examples/ against them, and runs each with the demonstration
# model. Needs what the build needs, and curl and unzip.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/launch.sh
. scripts/launch.sh
find_jdk
work=$(mktemp -d)
service=
cleanup() {
    [ -z "$service" ] || kill "$service" 2> /dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

tell() { echo "examples: $*"; }

expect() { # WHAT PATTERN FILE
    grep -q -- "$2" "$3" || { echo "examples: $1 said:" >&2 && cat "$3" >&2 && exit 1; }
    tell "$1 is well"
}

tell "installing"
mvn -B -q -DskipTests -Dformat.phase=none -Dnative.tiers=host -Dcuda.kernels=none install
unzip -q -d "$work" telechat-cli/target/telechat-cli-*-SNAPSHOT.jar 'demo/*'
tell "building"
mvn -B -q -f examples package dependency:build-classpath -Dmdep.outputFile=target/classpath

# A plain chat needs neither linear algebra libraries nor somebody's logging.
if tr ':' '\n' < examples/chat/target/classpath | grep -E 'nd4j|bytedeco|slf4j-simple|logback'; then
    echo "examples: that does not belong to the class path of a plain chat" >&2
    exit 1
fi

# Becomes the program: to be called in a process of its own.
become() { # PROJECT MAIN ARGUMENT…
    exec "$jdk/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -cp "examples/$1/target/classes:$(cat "examples/$1/target/classpath")" "${@:2}"
}

(become chat Chat "$work/demo" "中国的首都是哪里？" "Hello! Who are you?") > "$work/chat" 2> "$work/chat.err"
expect chat 北京 "$work/chat"
(become djl DjlChat "$work/demo" "中国的首都是哪里？") > "$work/djl" 2> "$work/djl.err"
expect djl 北京 "$work/djl"
(become fine-tune FineTune "$work/demo" datas/single_turn.jsonl "$work/tuned" 3) > "$work/fine-tune" 2> "$work/fine-tune.err"
expect fine-tune "step 3: loss" "$work/fine-tune"
become service Service "$work/demo" 0 > "$work/service" 2> "$work/service.err" &
service=$!
for _ in $(seq 100); do
    grep -q "listening" "$work/service" && break
    sleep 0.2
done
port=$(grep -oE '[0-9]+$' "$work/service")
curl -s -G --data-urlencode "q=Hello! Who are you?" "http://127.0.0.1:$port/ask" > "$work/answer"
expect service . "$work/answer"
