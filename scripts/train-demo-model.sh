#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Trains the demonstration model from nothing: its vocabulary and its weights come from datas/ alone. Writes a quantized
# checkpoint of about 3 MB, the one that `telechat chat` without a directory talks to.
set -eu
usage() {
    cat << 'END'
usage: scripts/train-demo-model.sh [--out DIR] [--work DIR]
  --out DIR     where to put the model (default: telechat-cli/src/main/resources/demo)
  --work DIR    for what is made on the way; kept (default: a temporary directory, removed)
END
}
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
out=$home/telechat-cli/src/main/resources/demo work=
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit 0 ;;
        --out | --work)
            [ $# -gt 1 ] || { echo "train-demo-model: $1 needs a value" >&2; exit 2; }
            if [ "$1" = --out ]; then out=$2; else work=$2; fi
            shift 2
            ;;
        *) echo "train-demo-model: unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
done
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
telechat=$home/telechat
cd "$home"
"$telechat" train-tokenizer datas/single_turn.jsonl datas/multi_turn.jsonl --vocab-size 3072 --out "$work/start"
"$telechat" init --config configs/demo.json --out "$work/start" --seed 1
# Rows are filled with dialogs in ever new company, so that in the first stage, where they see each other, the model learns to
# answer whatever was said before; in the second they are apart, as at the beginning of a conversation.
for stage in 1 2; do
    "$telechat" process-data --data-path configs/data.json --tokenizer-path "$work/start" --data-output-path "$work/data$stage" \
        --max-seq-len 512 --answers all --seed "$stage" --num-samples $((stage == 1 ? 2400 : 1600))
done
train() { # STAGE MODEL RATE ATTENTION
    "$telechat" train --model-path "$2" --data-path "$work/data$1" --output-dir "$work/run$1" --per-device-train-batch-size 4 \
        --learning-rate "$3" --weight-decay 0.01 --warmup-proportion 0.05 --packed-attention "$4" --save-total-limit 1
}
train 1 "$work/start" 2e-3 reference
train 2 "$(echo "$work"/run1/checkpoint-*)" 1e-3 isolated
trained=$(echo "$work"/run2/checkpoint-*)
rm -rf "$work/demo"
"$telechat" quantize "$trained" --to q4 --out "$work/demo" > /dev/null
cp "$work/start/tokenizer.model" "$work/demo/"
cat > "$work/demo/generation_config.json" << 'END'
{"do_sample": false, "repetition_penalty": 1.0, "eos_token_id": 2, "max_new_tokens": 96}
END
mkdir -p "$out"
cp "$work/demo/config.json" "$work/demo/model.safetensors" "$work/demo/tokenizer.model" "$work/demo/generation_config.json" "$out/"
echo "$out: $(du -sk "$out" | cut -f 1) KB"
