// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * {@code e^x} in float, to about one unit in the last place: {@code 2^n · P(r)} with {@code x = n·ln 2 + r} and the
 * polynomial of the Cephes library's expf. Written out, because the vector API's own function may give other bits before
 * and after compilation, and results must not depend on that. The scalar and the vector form agree bit by bit.
 */
final class ExpKernel {
    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** Adding it rounds a float to an integer and leaves that integer in its lowest bits. */
    private static final float ROUND = 12582912f;

    private static final float MIN = -87.3f;
    private static final float MAX = 88.3f;

    private static final float P0 = 1.9875691500e-4f;
    private static final float P1 = 1.3981999507e-3f;
    private static final float P2 = 8.3334519073e-3f;
    private static final float P3 = 4.1665795894e-2f;
    private static final float P4 = 1.6666665459e-1f;
    private static final float P5 = 5.0000001201e-1f;

    private ExpKernel() {}

    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(MIN).min(MAX);
        FloatVector shifted =
                clamped.fma(FloatVector.broadcast(Lanes.FLOATS, LOG2_E), FloatVector.broadcast(Lanes.FLOATS, ROUND));
        FloatVector n = shifted.sub(ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(Lanes.FLOATS, -LN2_HIGH), clamped);
        r = n.fma(FloatVector.broadcast(Lanes.FLOATS, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(Lanes.FLOATS, P0);
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P1));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P2));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P3));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P4));
        p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P5));
        p = p.fma(r.mul(r), r).add(1f);
        return p.reinterpretAsInts()
                .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
                .reinterpretAsFloats();
    }

    static float exp(float x) {
        float clamped = Math.min(Math.max(x, MIN), MAX);
        float shifted = Math.fma(clamped, LOG2_E, ROUND);
        float n = shifted - ROUND;
        float r = Math.fma(n, -LN2_HIGH, clamped);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(P0, r, P1);
        p = Math.fma(p, r, P2);
        p = Math.fma(p, r, P3);
        p = Math.fma(p, r, P4);
        p = Math.fma(p, r, P5);
        p = Math.fma(p, r * r, r) + 1f;
        return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
    }
}
