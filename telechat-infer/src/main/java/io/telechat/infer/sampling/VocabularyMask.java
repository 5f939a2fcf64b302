// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Arrays;

/**
 * Ids that the tokenizer does not have are never drawn: the model's vocabulary may be larger, and a tokenizer's may have gaps.
 *
 * @param size ids from here on are not drawn
 * @param gaps nor are these
 */
public record VocabularyMask(int size, int... gaps) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        for (int gap : gaps) {
            logits[gap] = Float.NEGATIVE_INFINITY;
        }
        if (size < logits.length) {
            Arrays.fill(logits, size, logits.length, Float.NEGATIVE_INFINITY);
        }
    }

    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        for (int gap : gaps) {
            int at = candidates.indexOf(gap);
            if (at >= 0) {
                candidates.values()[at] = Float.NEGATIVE_INFINITY;
            }
        }
        for (int i = candidates.size() - 1; i >= 0 && candidates.id(i) >= size; i--) {
            candidates.values()[i] = Float.NEGATIVE_INFINITY;
        }
        return true;
    }
}
