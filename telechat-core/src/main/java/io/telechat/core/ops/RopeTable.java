// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

/**
 * Cosines and sines for a run of positions. Computed for each call: it costs microseconds, and the scaling may change
 * with every token.
 */
public final class RopeTable {
    private final RopeScaling scaling;
    private final int first;
    private final int half;
    private final float[] cos;
    private final float[] sin;

    private RopeTable(RopeScaling scaling, int first, int half, float[] cos, float[] sin) {
        this.scaling = scaling;
        this.first = first;
        this.half = half;
        this.cos = cos;
        this.sin = sin;
    }

    /**
     * Angles are float32 products of position and frequency, as in the reference: at position 4,500 computing
     * them in double moves logits by 5e-5.
     *
     * @param first first position
     * @param count number of positions
     */
    public static RopeTable of(RopeScaling scaling, int headDim, int first, int count) {
        int half = headDim / 2;
        float[] frequencies = scaling.frequencies().frequencies(scaling.theta(), headDim);
        float[] cos = new float[count * half];
        float[] sin = new float[count * half];
        for (int p = 0; p < count; p++) {
            for (int i = 0; i < half; i++) {
                float angle = (first + p) * frequencies[i];
                cos[p * half + i] = element(Math.cos(angle), scaling);
                sin[p * half + i] = element(Math.sin(angle), scaling);
            }
        }
        return new RopeTable(scaling, first, half, cos, sin);
    }

    private static float element(double value, RopeScaling scaling) {
        if (!scaling.halfPrecision()) {
            return (float) (value * scaling.magnitude());
        }
        float rounded = half((float) value);
        return scaling.magnitude() == 1 ? rounded : half(half((float) scaling.magnitude()) * rounded);
    }

    private static float half(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    /** The angles with the opposite sign, which turn gradients back. */
    public RopeTable reversed() {
        float[] negative = new float[sin.length];
        for (int i = 0; i < sin.length; i++) {
            negative[i] = -sin[i];
        }
        return new RopeTable(scaling, first, half, cos, negative);
    }

    public RopeScaling scaling() {
        return scaling;
    }

    public int first() {
        return first;
    }

    public int count() {
        return cos.length / half;
    }

    /** The factor on the query of the {@code i}-th of these positions, behind its rotation. */
    public float queryFactor(int i) {
        return scaling.queryFactor(first + i);
    }

    /** Whether a query of the first {@code count} of these positions has a factor. */
    public boolean sharpensAny(int count) {
        return queryFactor(count - 1) != 1;
    }

    /** Pairs per head: headDim/2. */
    public int half() {
        return half;
    }

    /** Cosines [count, half]. Not to be written to. */
    public float[] cos() {
        return cos;
    }

    /** Sines [count, half]. Not to be written to. */
    public float[] sin() {
        return sin;
    }
}
