// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/** How float32 parameters become the bfloat16 ones that are computed with. */
public enum Rounding {
    /** To the nearest, ties to even. */
    NEAREST,
    /**
     * Up or down at random, so that on average nothing is lost (Gupta et al. 2015, arXiv:1502.02551). The random numbers are a
     * function of seed, step and place.
     */
    STOCHASTIC;

    private static final int CHUNK = 1 << 14;
    private static final int LOWER_HALF = 0xffff;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @param from F32, in host memory
     * @param to BF16 of the same shape
     * @param seed of this tensor and step
     */
    void round(Tensor from, Tensor to, long seed, WorkerTeam workers) {
        MemorySegment floats = from.segment();
        MemorySegment halves = to.segment();
        workers.runRanges(from.shape().elements(), CHUNK, (first, count) -> {
            for (long i = first; i < first + count; i++) {
                float value = floats.get(ValueLayout.JAVA_FLOAT, 4 * i);
                short rounded = this == NEAREST || !Float.isFinite(value)
                        ? Tensor.floatToBf16(value)
                        : (short) (Float.floatToRawIntBits(value) + (int) (SplitMix.seed(seed, i) & LOWER_HALF) >>> 16);
                halves.set(ValueLayout.JAVA_SHORT, 2 * i, rounded);
            }
        });
    }
}
