// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.PriorityQueue;

/** Keeps the {@code k} highest logits, and all that tie with the last of them. */
public record TopK(int k) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        if (k >= logits.length) {
            return;
        }
        PriorityQueue<Float> highest = new PriorityQueue<>(k + 1);
        for (float logit : logits) {
            if (highest.size() < k) {
                highest.add(logit);
            } else if (logit > highest.peek()) {
                highest.poll();
                highest.add(logit);
            }
        }
        float threshold = highest.peek();
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] < threshold) {
                logits[i] = Float.NEGATIVE_INFINITY;
            }
        }
    }
}
