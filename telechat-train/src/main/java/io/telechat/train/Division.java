// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Who computes which samples. The samples of a step are the same whatever the number of ranks: they are dealt out evenly, in order,
 * and a rank computes its own some at a time. All ranks make the same number of passes, because they gather parameters together; a
 * pass is filled up with samples that weigh nothing.
 *
 * @param rank of this one
 * @param ranks how many there are
 * @param atOnce samples of a pass at most
 */
record Division(int rank, int ranks, int atOnce) {
    /**
     * Samples that are computed at once.
     *
     * @param weights of each one's tokens in the loss; 0 for what fills the pass up
     */
    record Pass(int[] samples, double[] weights) {}

    /** Samples in each pass of a step of so many. */
    int perPass(int samples) {
        return Math.min(atOnce, Math.ceilDiv(samples, ranks));
    }

    /**
     * This rank's passes over its share of these samples.
     *
     * @param perPass samples of each pass
     */
    List<Pass> of(int[] samples, double[] weights, int perPass) {
        int begin = (int) ((long) samples.length * rank / ranks);
        int end = (int) ((long) samples.length * (rank + 1) / ranks);
        int passes = Math.ceilDiv(Math.ceilDiv(samples.length, ranks), perPass);
        List<Pass> all = new ArrayList<>();
        for (int p = 0; p < passes; p++) {
            int from = Math.min(end, begin + p * perPass);
            int to = Math.min(end, from + perPass);
            int[] chosen = new int[perPass];
            Arrays.fill(chosen, samples[samples.length - 1]);
            System.arraycopy(samples, from, chosen, 0, to - from);
            double[] weighs = new double[perPass];
            System.arraycopy(weights, from, weighs, 0, to - from);
            all.add(new Pass(chosen, weighs));
        }
        return all;
    }
}
