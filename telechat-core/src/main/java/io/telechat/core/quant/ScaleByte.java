// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.quant;

/**
 * A scale in one byte: sign, four bits of exponent (bias 15), three of mantissa. These are the bits of a float16 but its top
 * exponent bit and its last seven bits of mantissa, so the values reach from 2⁻¹⁷ to 1.875, in steps of an eighth of the
 * power of two.
 */
public final class ScaleByte {
    /** The largest value. */
    public static final float MAX = 1.875f;

    private static final int SIGN = 0x80;
    private static final int TOP = 0x7f;
    /** Bits of a float16's mantissa that a scale does without. */
    private static final int DROPPED = 7;

    private static final float[] VALUES = new float[256];

    static {
        for (int code = 0; code < VALUES.length; code++) {
            float magnitude = Float.float16ToFloat((short) ((code & TOP) << DROPPED));
            VALUES[code] = (code & SIGN) == 0 ? magnitude : -magnitude;
        }
    }

    private ScaleByte() {}

    /** The value of a code; only its lowest eight bits count. */
    public static float value(int code) {
        return VALUES[code & 0xff];
    }

    /** The code of the smallest value that is not below {@code scale}, from 0 to {@link #MAX}. */
    static int ceiling(float scale) {
        // A float16 has more mantissa, so rounding to it first must not round down.
        short half = Float.floatToFloat16(scale);
        int bits = half + (Float.float16ToFloat(half) < scale ? 1 : 0);
        return Math.min(TOP, (bits + (1 << DROPPED) - 1) >> DROPPED);
    }

    /** The code of the negative of a positive code's value. */
    static int negated(int code) {
        return code | SIGN;
    }
}
