// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/**
 * Makes every id that occurred before less likely: logits above 0 are divided by the penalty, others multiplied (Keskar et
 * al. 2019, arXiv:1909.05858).
 */
public record RepetitionPenalty(float penalty) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        for (int id : history.seen()) {
            if (id < logits.length) {
                logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
            }
        }
    }
}
