// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import java.util.Arrays;

/**
 * 256 numbers from −1 or 0 to 1 that stand for all others there: the dynamic tree code of Dettmers 2015 (arXiv:1511.04561), as
 * the 8-bit optimizers of Dettmers et al. 2022 use it (arXiv:2110.02861, section 1.3; the table is that of their library,
 * {@code create_dynamic_map}). In each decade below 1 the numbers are the middles of equal parts of [0.1, 1], half as many as
 * in the decade above it: with a sign 64, 32, … 1, without 128, 64, … 2; then 0 and 1.
 *
 * <p>A number x of the decade (10^−(k+1), 10^−k], where there are n numbers, is met within {@code 0.45/n · 10^−k}.
 */
public final class DynamicCode {
    /** For numbers of both signs. */
    public static final DynamicCode SIGNED = new DynamicCode(true);
    /** For numbers that are not negative. */
    public static final DynamicCode UNSIGNED = new DynamicCode(false);

    private static final int VALUES = 256;
    private static final int DECADES = 7;
    private static final double LOWEST = 0.1;
    private static final int HALF = 16;

    /** In rising order; a code is the place of its value. */
    private final float[] values = new float[VALUES];
    /** For each code but the last, the largest number that is not nearer to the next one. */
    private final float[] ends = new float[VALUES];
    /**
     * By the upper half of a number's bits, the code of the smallest number that has them. No two ends share these bits, so
     * that the code of every such number is this or the next.
     */
    private final byte[] starts = new byte[1 << HALF];

    private DynamicCode(boolean signed) {
        int count = 0;
        for (int decade = 0; decade < DECADES; decade++) {
            int parts = (signed ? 1 : 2) << (DECADES - 1 - decade);
            double part = (1 - LOWEST) / parts;
            for (int i = 0; i < parts; i++) {
                float middle = (float) (Math.pow(LOWEST, decade) * (LOWEST + (i + 0.5) * part));
                values[count++] = middle;
                if (signed) {
                    values[count++] = -middle;
                }
            }
        }
        values[count] = 1; // and one is left 0
        Arrays.sort(values);
        for (int code = 0; code < VALUES - 1; code++) {
            double middle = ((double) values[code] + values[code + 1]) / 2;
            float end = (float) middle;
            ends[code] = end > middle ? Math.nextDown(end) : end;
        }
        ends[VALUES - 1] = Float.POSITIVE_INFINITY;
        for (int half = 0; half < starts.length; half++) {
            int bits = half << HALF;
            starts[half] = (byte) search(Float.intBitsToFloat(bits < 0 ? bits | (1 << HALF) - 1 : bits));
        }
    }

    /** The value of each code, in rising order. */
    public float[] values() {
        return values.clone();
    }

    /** For each code, the largest number that it stands for; infinity for the last. */
    public float[] ends() {
        return ends.clone();
    }

    private int search(float x) {
        int code = 0;
        while (x > ends[code]) {
            code++;
        }
        return code;
    }

    /** {@code to[i] = scale · the value of codes[i]} for the first {@code count}. */
    public void decode(byte[] codes, float scale, float[] to, int count) {
        float[] all = values;
        for (int i = 0; i < count; i++) {
            to[i] = scale * all[codes[i] & 0xff];
        }
    }

    /** The codes of the values nearest to the first {@code count} numbers, the lower one of two that are as near. */
    public void encode(float[] from, byte[] codes, int count) {
        byte[] first = starts;
        float[] last = ends;
        for (int i = 0; i < count; i++) {
            float x = from[i];
            int start = first[Float.floatToRawIntBits(x) >>> HALF] & 0xff;
            // One more if x is beyond the end: by the sign of the difference, for a branch would be guessed wrong too
            // often.
            codes[i] = (byte) (start + (Float.floatToRawIntBits(last[start] - x) >>> 31));
        }
    }
}
