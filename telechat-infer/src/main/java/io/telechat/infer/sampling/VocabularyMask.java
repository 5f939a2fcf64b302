// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Arrays;

/** Ids from {@code size} on are never drawn: the model's vocabulary may be larger than the tokenizer's. */
public record VocabularyMask(int size) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        if (size < logits.length) {
            Arrays.fill(logits, size, logits.length, Float.NEGATIVE_INFINITY);
        }
    }
}
