#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# From dialogs to a fine-tuned TeleChat-52B: process-data, then train. MODEL and DATA may be set in the environment; options
# behind the script's name go to train, for example --lora-dim 8 --gradient-accumulation-steps 4.
set -eu
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
model=${MODEL:?set MODEL to the directory of a TeleChat-52B checkpoint}
data=${DATA:-$home/configs/data.json}
run=${RUN:-run}
"$home/telechat" process-data --data-path "$data" --tokenizer-path "$model" --data-output-path "$run/data" \
    --max-seq-len "${MAX_SEQ_LEN:-4096}" --num-workers "${NUM_WORKERS:-2}" --seed 42
exec "$home/telechat" train --config "$home/configs/finetune.yaml" --model-path "$model" --data-path "$run/data" \
    --output-dir "$run" "$@"
