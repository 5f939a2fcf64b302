// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/** Divides logits: below 1 the likely become likelier. */
public record Temperature(float temperature) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        for (int i = 0; i < logits.length; i++) {
            logits[i] /= temperature;
        }
    }

    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        apply(candidates.values(), history);
        candidates.setLimit(candidates.limit() / temperature);
        return true;
    }
}
