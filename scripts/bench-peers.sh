#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Times telechat beside peers that are already installed, on the same shapes and bits, in turns, and writes the medians to
# benchmarks/cpu-CPU-DATE.md. Fetches and builds nothing but telechat itself.
set -eu
usage() {
    cat << 'END'
usage: scripts/bench-peers.sh [OPTIONS]
  --shape NAME        a file of configs/ without .json (default: bench-s)
  --llama-lib DIR     folder of llama.cpp's shared libraries (or TELECHAT_LLAMA_LIB)
  --gguf DIR          folder of SHAPE-bf16.gguf, SHAPE-q8_0.gguf, SHAPE-q4_0.gguf for llama.cpp (or TELECHAT_GGUF)
  --torch PYTHON      a Python that has torch (or TELECHAT_TORCH); bf16 only
  --types LIST        of bf16, q8, q4 (default: all three)
  --rounds N          turns of each program (default: 3)
  --threads N         (default: 2)
  --depth N           context of the long measurement; 0 leaves it out (default: 3500)
  --out FILE          (default: benchmarks/cpu-CPU-DATE.md)
END
}
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
shape=bench-s types="bf16 q8 q4" rounds=3 threads=2 depth=3500 out=
llama=${TELECHAT_LLAMA_LIB:-} gguf=${TELECHAT_GGUF:-} torch=${TELECHAT_TORCH:-}
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit 0 ;;
        --shape | --llama-lib | --gguf | --torch | --types | --rounds | --threads | --depth | --out)
            [ $# -gt 1 ] || { echo "bench-peers: $1 needs a value" >&2; exit 2; }
            case "$1" in
                --shape) shape=$2 ;;
                --llama-lib) llama=$2 ;;
                --gguf) gguf=$2 ;;
                --torch) torch=$2 ;;
                --types) types=${2//,/ } ;;
                --rounds) rounds=$2 ;;
                --threads) threads=$2 ;;
                --depth) depth=$2 ;;
                --out) out=$2 ;;
            esac
            shift 2
            ;;
        *) echo "bench-peers: unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
done
config=$home/configs/$shape.json
[ -f "$config" ] || { echo "bench-peers: there is no $config" >&2; exit 2; }
gguf_of() { # TYPE; of as many bits in llama.cpp's formats
    case "$1" in q*) echo "$gguf/$shape-$1_0.gguf" ;; *) echo "$gguf/$shape-$1.gguf" ;; esac
}
if [ -n "$llama" ]; then
    for type in $types; do
        [ -f "$(gguf_of "$type")" ] || { echo "bench-peers: --gguf: there is no $(gguf_of "$type")" >&2; exit 2; }
    done
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$home"
./telechat version >&2 # builds what is stale
java=$(./telechat doctor --json 2> /dev/null | sed -n 's/.*"java":"[^"]*, \([^"]*\)".*/\1/p')/bin/java
[ -z "$llama" ] || mvn -B -q -Pbench -DskipTests -Dformat.phase=none -pl telechat-bench -am package >&2
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2> /dev/null | head -n 1)
[ -n "$cpu" ] || cpu=$(uname -m)
flags=$(grep -m 1 -o -w -E 'amx_tile|avx512_bf16|avx512_vnni|avx2|asimddp' /proc/cpuinfo 2> /dev/null | head -n 5 | sort -u | tr '\n' ' ')
[ -n "$out" ] || out=benchmarks/cpu-$(tr -cs 'A-Za-z0-9' '-' <<< "$cpu" | tr 'A-Z' 'a-z' | sed 's/^-*//; s/-*$//')-$(date +%F).md
field() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" | tail -n 1; } # of a line of JSON
median() { sort -g "$1" 2> /dev/null | awk '{ v[NR] = $1 } END { if (NR == 0) print "-"; else printf "%.4g", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
note() { # PROGRAM WORK VALUE
    [ -z "$3" ] || echo "$3" >> "$work/$1.$2"
}
telechat() { # TYPE WORK PROMPT GENERATE DEPTH BATCH
    local line
    line=$(./telechat bench "$work/$1" --json --quiet --threads "$threads" --kv-cache f16 --runs 3 --prompt "$3" --generate "$4" --depth "$5" --batch "$6" | tail -n 1)
    note telechat "$1.$2.decode" "$(field decode_tok_s <<< "${line%%\"batches\"*}")"
    note telechat "$1.$2.prefill" "$(field prefill_tok_s <<< "$line")"
    note telechat "$1.$2.rss" "$(field peak_rss_mib <<< "$line")"
    note telechat "$1.$2.mbu" "$(field mbu <<< "${line%%\"batches\"*}")"
    note telechat "read" "$(field read_gb_s_limit <<< "$line")"
    note telechat "fma" "$(field fma_gflops_limit <<< "$line")"
    echo "telechat $1 $2: $(field prefill_tok_s <<< "$line") and $(field decode_tok_s <<< "${line%%\"batches\"*}") tokens/s" >&2
}
peer() { # PROGRAM TYPE WORK LINE
    note "$1" "$2.$3.decode" "$(field decode_tok_s <<< "$4")"
    note "$1" "$2.$3.prefill" "$(field prefill_tok_s <<< "$4")"
    note "$1" "$2.$3.rss" "$(field peak_rss_mib <<< "$4")"
    echo "$1 $2 $3: $(field prefill_tok_s <<< "$4") and $(field decode_tok_s <<< "$4") tokens/s" >&2
}
all() { # TYPE WORK PROMPT GENERATE DEPTH BATCH
    telechat "$@"
    if [ -n "$llama" ]; then
        peer llama "$1" "$2" "$("$java" --enable-native-access=ALL-UNNAMED -cp telechat-bench/target/classes io.telechat.bench.LlamaCpp \
            "$llama" "$(gguf_of "$1")" "$3" "$4" "$5" "$6" "$threads" 3 2> /dev/null | tail -n 1)"
    fi
    if [ -n "$torch" ] && [ "$1" = bf16 ] && [ "$2" != deep ]; then
        peer torch "$1" "$2" "$("$torch" scripts/peers/torch_decoder.py "$config" bf16 "$3" "$4" "$5" "$6" "$threads" 2 | tail -n 1)"
    fi
}
./telechat init --quiet --config "$config" --out "$work/bf16" > /dev/null
for type in $types; do
    [ "$type" = bf16 ] || ./telechat quantize "$work/bf16" --quiet --to "$type" --out "$work/$type" > /dev/null
done
for ((round = 1; round <= rounds; round++)); do
    for type in $types; do
        all "$type" one 512 48 64 1
        [ "$type" != q8 ] || all "$type" sixteen 64 24 64 16
        [ "$type" != q8 ] || [ "$depth" = 0 ] || all "$type" deep 64 16 "$depth" 1
    done
done
row() { # LABEL TYPE WORK MEASURE
    local ours theirs torchs
    ours=$(median "$work/telechat.$2.$3.$4") theirs=$(median "$work/llama.$2.$3.$4") torchs=$(median "$work/torch.$2.$3.$4")
    [ "$ours" != - ] || return 0
    awk -v label="$1" -v a="$ours" -v b="$theirs" -v c="$torchs" -v less="$([ "$4" = rss ] && echo 1)" 'BEGIN {
        best = b == "-" || c != "-" && (less ? c + 0 < b + 0 : c + 0 > b + 0) ? c : b
        printf "| %s | %s | %s | %s | %s |\n", label, a, b, c, best == "-" ? "-" : sprintf("%.2f", a / best) }'
}
mkdir -p "$(dirname -- "$out")"
{
    echo "# $shape, $threads threads, $(date +%F)"
    echo
    echo "$cpu ($flags), reads $(median "$work/telechat.read") GB/s and does $(median "$work/telechat.fma") GFLOPS of float multiply-adds"
    echo "at most (medians of what \`telechat bench\` measured beside its own work). Random weights; key/value cache in float16;"
    echo "medians of $rounds rounds in turns, each a median of 3 runs (PyTorch: 2). telechat $(./telechat version | cut -d ' ' -f 2)."
    echo "The last column is telechat over the best of the others; memory is the peak of the process, and less is better."
    echo
    echo "| work | telechat | llama.cpp | PyTorch eager | ratio |"
    echo "|---|---|---|---|---|"
    for type in $types; do
        row "prefill 512, $type, tokens/s" "$type" one prefill
        row "decode at depth 64, $type, tokens/s" "$type" one decode
        [ ! -s "$work/telechat.$type.one.mbu" ] || echo "| its share of the read bandwidth | $(median "$work/telechat.$type.one.mbu") | | | |"
        row "decode, batch 16, $type, tokens/s over all" "$type" sixteen decode
        row "decode at depth $depth, $type, tokens/s" "$type" deep decode
        row "peak memory, $type, MiB" "$type" one rss
    done
    echo
    echo "    scripts/bench-peers.sh --shape $shape --types \"$types\" --rounds $rounds --threads $threads --depth $depth"
} > "$work/report.md"
mv "$work/report.md" "$out"
cat "$out"
