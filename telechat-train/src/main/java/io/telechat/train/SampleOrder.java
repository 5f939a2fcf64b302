// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.tensor.SplitMix;
import java.util.SplittableRandom;

/**
 * Which sample comes when: a pure function of the seed and of how many came before, so that a resumed run goes on where it was.
 */
final class SampleOrder {
    private final int samples;
    private final boolean shuffled;
    private final long seed;
    private long epoch = -1;
    private int[] order = new int[0];

    SampleOrder(int samples, boolean shuffled, long seed) {
        this.samples = samples;
        this.shuffled = shuffled;
        this.seed = seed;
    }

    /** The sample that comes after {@code before} others. */
    int sample(long before) {
        if (before / samples != epoch) {
            epoch = before / samples;
            order = order(epoch);
        }
        return order[(int) (before % samples)];
    }

    private int[] order(long ofEpoch) {
        int[] result = new int[samples];
        for (int i = 0; i < samples; i++) {
            result[i] = i;
        }
        if (shuffled) {
            SplittableRandom random = new SplittableRandom(SplitMix.seed(seed, ofEpoch));
            for (int i = samples - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                int swapped = result[i];
                result[i] = result[j];
                result[j] = swapped;
            }
        }
        return result;
    }
}
