// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

import java.util.Arrays;

/**
 * Keeps the smallest set of ids whose probabilities reach {@code p} (Holtzman et al. 2019, arXiv:1904.09751): sorted by
 * rising probability, ids are dropped while what has been dropped stays at or below {@code 1 − p}; the likeliest stays.
 */
public record TopP(float p) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        long[] order = new long[logits.length];
        int count = 0;
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] != Float.NEGATIVE_INFINITY) {
                order[count++] = (long) sortable(logits[i]) << 32 | i;
            }
        }
        if (count == 0) {
            return;
        }
        Arrays.sort(order, 0, count);
        float max = logits[(int) order[count - 1]];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp(logits[(int) order[i]] - max);
        }
        double cumulative = 0;
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
