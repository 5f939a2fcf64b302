// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** The rotation of one head at one position. */
public final class RopeKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private RopeKernel() {}

    /**
     * {@code (x[i], x[i+half]) ← (x[i]·cos − x[i+half]·sin, x[i+half]·cos + x[i]·sin)}.
     *
     * @param offset of the head, in bytes
     * @param at where the position's angles begin in {@code cos} and {@code sin}
     */
    public static void head(MemorySegment x, long offset, int half, float[] cos, float[] sin, int at) {
        long second = offset + 4L * half;
        int body = Lanes.FLOATS.loopBound(half);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector a = FloatVector.fromMemorySegment(Lanes.FLOATS, x, offset + 4L * i, Lanes.ORDER);
            FloatVector b = FloatVector.fromMemorySegment(Lanes.FLOATS, x, second + 4L * i, Lanes.ORDER);
            FloatVector c = FloatVector.fromArray(Lanes.FLOATS, cos, at + i);
            FloatVector s = FloatVector.fromArray(Lanes.FLOATS, sin, at + i);
            a.mul(c).sub(b.mul(s)).intoMemorySegment(x, offset + 4L * i, Lanes.ORDER);
            b.mul(c).add(a.mul(s)).intoMemorySegment(x, second + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < half; i++) {
            float a = x.get(FLOAT, offset + 4L * i);
            float b = x.get(FLOAT, second + 4L * i);
            x.set(FLOAT, offset + 4L * i, a * cos[at + i] - b * sin[at + i]);
            x.set(FLOAT, second + 4L * i, b * cos[at + i] + a * sin[at + i]);
        }
    }
}
