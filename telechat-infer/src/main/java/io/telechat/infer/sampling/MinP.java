// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/** Keeps ids that are at least {@code p} times as probable as the likeliest (Nguyen et al. 2024, arXiv:2407.01082). */
public record MinP(float p) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double threshold = max + Math.log(p);
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] < threshold) {
                logits[i] = Float.NEGATIVE_INFINITY;
            }
        }
    }
}
