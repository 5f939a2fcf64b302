// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** The gated activation of one row. */
public final class SwiGluKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private SwiGluKernel() {}

    /** {@code out = gate/(1 + e^−gate) · up}; offsets in bytes, count in elements. */
    public static void row(
            MemorySegment gateUp, long gateOffset, long upOffset, MemorySegment out, long outOffset, int count) {
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector gate = FloatVector.fromMemorySegment(Lanes.FLOATS, gateUp, gateOffset + 4L * i, Lanes.ORDER);
            FloatVector up = FloatVector.fromMemorySegment(Lanes.FLOATS, gateUp, upOffset + 4L * i, Lanes.ORDER);
            FloatVector silu = gate.div(ExpKernel.exp(gate.neg()).add(1f));
            silu.mul(up).intoMemorySegment(out, outOffset + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < count; i++) {
            float gate = gateUp.get(FLOAT, gateOffset + 4L * i);
            float up = gateUp.get(FLOAT, upOffset + 4L * i);
            out.set(FLOAT, outOffset + 4L * i, gate / (ExpKernel.exp(-gate) + 1f) * up);
        }
    }
}
