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
                logits[id] = penalised(logits[id]);
            }
        }
    }

    /** The penalty keeps order, so no other one comes above what the limit comes to; a penalty below 1 raises it. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        float[] values = candidates.values();
        for (int i = 0; i < values.length; i++) {
            if (history.hasSeen(candidates.id(i))) {
                values[i] = penalised(values[i]);
            }
        }
        candidates.raiseLimit(penalised(candidates.limit()));
        return true;
    }

    private float penalised(float logit) {
        return logit < 0 ? logit * penalty : logit / penalty;
    }
}
