// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/** Keeps ids that are at least {@code p} times as probable as the likeliest (Nguyen et al. 2024, arXiv:2407.01082). */
public record MinP(float p) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        double threshold = threshold(logits);
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] < threshold) {
                logits[i] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** The threshold is that of the whole row, unless another one is higher than all of these, and so above the threshold. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        if (candidates.areAll()) {
            apply(candidates.values(), history);
            return true;
        }
        return candidates.keepFrom(threshold(candidates.values()));
    }

    private double threshold(float[] logits) {
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        return max + Math.log(p);
    }
}
