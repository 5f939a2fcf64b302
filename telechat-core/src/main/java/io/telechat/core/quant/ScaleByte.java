// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

import io.telechat.core.tensor.DType;

/**
 * A scale in one byte: part of the bits of a float16. For weights of 8 bits, which need no sign, the lower three bits of its
 * exponent and the upper five of its mantissa: steps of a thirty-second, over a range of 2⁷ and, with wider steps, beyond. For
 * weights of 4 bits the sign, the lower four bits of the exponent and the upper three of the mantissa.
 */
public enum ScaleByte {
    FOR_Q8(5, 0xff),
    FOR_Q4(7, 0x7f);

    private static final int SIGN = 0x80;

    /** Bits of a float16's mantissa that a scale does without. */
    private final int dropped;
    /** The code of the largest value. */
    private final int top;

    private final float[] values = new float[256];

    ScaleByte(int dropped, int top) {
        this.dropped = dropped;
        this.top = top;
        for (int code = 0; code < values.length; code++) {
            float magnitude = Float.float16ToFloat((short) ((code & top) << dropped));
            values[code] = code > top ? -magnitude : magnitude;
        }
    }

    public static ScaleByte of(DType weights) {
        return weights == DType.Q8 ? FOR_Q8 : FOR_Q4;
    }

    /** The value of a code; only its lowest eight bits count. */
    public float value(int code) {
        return values[code & 0xff];
    }

    /** The largest value. */
    float max() {
        return values[top];
    }

    /** The code of the largest value. */
    int top() {
        return top;
    }

    /** The code of the smallest value that is not below {@code scale}, from 0 to {@link #max}. */
    int ceiling(float scale) {
        // A float16 has more mantissa, so rounding to it first must not round down.
        short half = Float.floatToFloat16(scale);
        int bits = half + (Float.float16ToFloat(half) < scale ? 1 : 0);
        return Math.min(top, (bits + (1 << dropped) - 1) >> dropped);
    }

    /** The code of the negative of a positive code's value; for weights of 4 bits. */
    static int negated(int code) {
        return code | SIGN;
    }
}
