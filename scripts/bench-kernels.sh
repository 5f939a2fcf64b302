#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# JMH benchmarks of single kernels. Arguments go to JMH, for example:
#   scripts/bench-kernels.sh Linear -p tier=AVX512,AVX2 -p type=Q8 -p tokens=1
# Tiers that this machine lacks are reported as failed.
set -eu
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
"$home/telechat" version > /dev/null # builds what is stale, and says so where there is no JDK 25
(cd "$home" && mvn -B -q -Pbench -DskipTests -Dformat.phase=none -pl telechat-bench -am package)
java=$("$home/telechat" doctor --json 2> /dev/null | sed -n 's/.*"java":"[^"]*, \([^"]*\)".*/\1/p')/bin/java
exec "$java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    -cp "$home/telechat-bench/target/classes:$home/telechat-bench/target/lib/*" org.openjdk.jmh.Main "$@"
