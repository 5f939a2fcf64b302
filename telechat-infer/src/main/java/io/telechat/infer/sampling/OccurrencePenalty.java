// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/**
 * Subtracts from the logits of ids in the answer: {@code presence} once, {@code frequency} for each occurrence (as the
 * OpenAI API defines them).
 */
public record OccurrencePenalty(float presence, float frequency) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        history.generatedCounts().forEach((id, count) -> logits[id] -= presence + frequency * count);
    }
}
