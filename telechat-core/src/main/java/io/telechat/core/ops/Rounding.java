// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
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

    private static final int LOWER_HALF = 0xffff;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The bfloat16 of one element, as bits.
     *
     * @param seed of the tensor and step
     * @param place of the element, in row-major order
     */
    public short bf16(float value, long seed, long place) {
        return this == NEAREST || !Float.isFinite(value)
                ? Tensor.floatToBf16(value)
                : (short) (Float.floatToRawIntBits(value) + (int) (SplitMix.seed(seed, place) & LOWER_HALF) >>> 16);
    }
}
