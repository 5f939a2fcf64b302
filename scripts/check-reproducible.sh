#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the last commit twice, in different folders, and compares what comes out: jars, native kernels, the release's archive.
set -euo pipefail
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The local repository's jar would be asked for its kernels (build.sh): each build is to make its own.
build() { # FOLDER
    mkdir -p "$(dirname -- "$1")"
    git clone -q "$home" "$1"
    (cd "$1" && mvn -B -q -DskipTests -Dformat.phase=none -Dnative.installed=none package)
    (cd "$1" && find . -path '*/target/*' \( -name '*.jar' -o -name '*.zip' \) ! -path '*/lib/*' -print0 | sort -z |
        xargs -0 sha256sum)
}
build "$work/one/telechat" > "$work/one.txt"
build "$work/another place/telechat" > "$work/two.txt"
cat "$work/one.txt"
if ! diff "$work/one.txt" "$work/two.txt"; then
    echo "these differ from build to build" >&2
    exit 1
fi
echo "the same bytes in both builds"
