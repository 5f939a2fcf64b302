// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Arrays;

/**
 * Keeps the smallest set of ids whose probabilities reach {@code p} (Holtzman et al. 2019, arXiv:1904.09751): sorted by
 * rising probability, ids are dropped while what has been dropped stays at or below {@code 1 − p}; the likeliest stays.
 */
public record TopP(float p) implements LogitsProcessor {
    /** How far below the highest logit those are looked for that stay; if that is too near, all are. */
    private static final float[] NEAR = {8, 16, Float.POSITIVE_INFINITY};

    @Override
    public void apply(float[] logits, TokenHistory history) {
        float max = logits[Sampler.argmax(logits)];
        if (max == Float.NEGATIVE_INFINITY) {
            return;
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        for (float near : NEAR) {
            double below = 0;
            for (float logit : logits) {
                below += logit < max - near ? Math.exp(logit - max) / sum : 0;
            }
            if (below <= 1 - p) {
                cut(logits, max, near, below, sum);
                return;
            }
        }
    }

    /** The sum of all is known only where the others are out of the question already: behind top-k, say. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        if (candidates.areAll()) {
            apply(candidates.values(), history);
        }
        return candidates.areAll();
    }

    /** All that is further below than {@code near} goes, and as much of the rest as may. */
    private void cut(float[] logits, float max, float near, double below, double sum) {
        long[] order = new long[logits.length];
        int count = 0;
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] < max - near) {
                logits[i] = Float.NEGATIVE_INFINITY;
            } else if (logits[i] != Float.NEGATIVE_INFINITY) {
                order[count++] = (long) sortable(logits[i]) << 32 | i;
            }
        }
        Arrays.sort(order, 0, count);
        double cumulative = below;
        for (int i = 0; i < count - 1; i++) {
            int id = (int) order[i];
            cumulative += Math.exp(logits[id] - max) / sum;
            if (cumulative > 1 - p) {
                break;
            }
            logits[id] = Float.NEGATIVE_INFINITY;
        }
    }

    /** An int that orders as the float does. */
    private static int sortable(float value) {
        int bits = Float.floatToIntBits(value);
        return bits ^ (bits >> 31 & 0x7fffffff);
    }
}
