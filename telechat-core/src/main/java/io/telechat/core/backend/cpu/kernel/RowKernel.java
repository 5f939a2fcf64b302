// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** The formulas between the products, row by row. Offsets are in bytes, counts in elements. */
final class RowKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private RowKernel() {}

    /**
     * {@code y = x · rstd · weight} for one row.
     *
     * @return rstd
     */
    static float rmsNorm(MemorySegment x, MemorySegment weight, float eps, MemorySegment y, long offset, int count) {
        int body = Lanes.FLOATS.loopBound(count);
        FloatVector squares = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector v = load(x, offset + 4L * i);
            squares = v.fma(v, squares);
        }
        float sum = Lanes.sum(squares);
        for (int i = body; i < count; i++) {
            float v = x.get(FLOAT, offset + 4L * i);
            sum = Math.fma(v, v, sum);
        }
        float rstd = (float) (1 / Math.sqrt(sum / count + eps));
        for (int i = 0; i < body; i += Lanes.COUNT) {
            load(x, offset + 4L * i)
                    .mul(rstd)
                    .mul(load(weight, 4L * i))
                    .intoMemorySegment(y, offset + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < count; i++) {
            y.set(FLOAT, offset + 4L * i, x.get(FLOAT, offset + 4L * i) * rstd * weight.get(FLOAT, 4L * i));
        }
        return rstd;
    }

    /**
     * {@code (x[i], x[i+half]) ← (x[i]·cos − x[i+half]·sin, x[i+half]·cos + x[i]·sin)} for one head.
     *
     * @param at where the position's angles begin in {@code cos} and {@code sin}
     */
    static void rope(MemorySegment x, long offset, int half, MemorySegment cos, MemorySegment sin, long at) {
        long second = offset + 4L * half;
        int body = Lanes.FLOATS.loopBound(half);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector a = load(x, offset + 4L * i);
            FloatVector b = load(x, second + 4L * i);
            FloatVector c = load(cos, at + 4L * i);
            FloatVector s = load(sin, at + 4L * i);
            a.mul(c).sub(b.mul(s)).intoMemorySegment(x, offset + 4L * i, Lanes.ORDER);
            b.mul(c).add(a.mul(s)).intoMemorySegment(x, second + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < half; i++) {
            float a = x.get(FLOAT, offset + 4L * i);
            float b = x.get(FLOAT, second + 4L * i);
            float c = cos.get(FLOAT, at + 4L * i);
            float s = sin.get(FLOAT, at + 4L * i);
            x.set(FLOAT, offset + 4L * i, a * c - b * s);
            x.set(FLOAT, second + 4L * i, b * c + a * s);
        }
    }

    /** {@code out = gate/(1 + e^−gate) · up} for one row. */
    static void swiGlu(
            MemorySegment gateUp, long gateOffset, long upOffset, MemorySegment out, long outOffset, int count) {
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector gate = load(gateUp, gateOffset + 4L * i);
            FloatVector silu = gate.div(ExpKernel.exp(gate.neg()).add(1f));
            silu.mul(load(gateUp, upOffset + 4L * i)).intoMemorySegment(out, outOffset + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < count; i++) {
            float gate = gateUp.get(FLOAT, gateOffset + 4L * i);
            float up = gateUp.get(FLOAT, upOffset + 4L * i);
            out.set(FLOAT, outOffset + 4L * i, gate / (ExpKernel.exp(-gate) + 1f) * up);
        }
    }

    /** {@code x = factor · x}. */
    static void scale(MemorySegment x, float factor, long count) {
        long body = count / Lanes.COUNT * Lanes.COUNT;
        for (long i = 0; i < body; i += Lanes.COUNT) {
            load(x, 4 * i).mul(factor).intoMemorySegment(x, 4 * i, Lanes.ORDER);
        }
        for (long i = body; i < count; i++) {
            x.set(FLOAT, 4 * i, x.get(FLOAT, 4 * i) * factor);
        }
    }

    private static FloatVector load(MemorySegment from, long offset) {
        return FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset, Lanes.ORDER);
    }
}
