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

    /** Rounding keeps order, so no other one comes above what the limit comes to; a negative penalty raises it. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        float limit = candidates.limit();
        history.generatedCounts().forEach((id, count) -> {
            float penalty = presence + frequency * count;
            int at = candidates.indexOf(id);
            if (at >= 0) {
                candidates.values()[at] -= penalty;
            } else {
                candidates.raiseLimit(limit - penalty);
            }
        });
        return true;
    }
}
