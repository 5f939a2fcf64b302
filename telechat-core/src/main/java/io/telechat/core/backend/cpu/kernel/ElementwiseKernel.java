// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** Scaling of a run of floats. */
public final class ElementwiseKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private ElementwiseKernel() {}

    /** {@code x = factor · x}; offset in bytes, count in elements. */
    public static void scale(MemorySegment x, long offset, float factor, int count) {
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector.fromMemorySegment(Lanes.FLOATS, x, offset + 4L * i, Lanes.ORDER)
                    .mul(factor)
                    .intoMemorySegment(x, offset + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < count; i++) {
            x.set(FLOAT, offset + 4L * i, x.get(FLOAT, offset + 4L * i) * factor);
        }
    }
}
