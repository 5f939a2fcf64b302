// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** RMSNorm of one row. */
public final class RmsNormKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private RmsNormKernel() {}

    /**
     * {@code y = x · rstd · weight}; offsets in bytes.
     *
     * @return rstd
     */
    public static float row(MemorySegment x, long xOffset, float[] weight, float eps, MemorySegment y, long yOffset) {
        int count = weight.length;
        int body = Lanes.FLOATS.loopBound(count);
        FloatVector squares = FloatVector.zero(Lanes.FLOATS);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector v = FloatVector.fromMemorySegment(Lanes.FLOATS, x, xOffset + 4L * i, Lanes.ORDER);
            squares = v.fma(v, squares);
        }
        float sum = squares.reduceLanes(VectorOperators.ADD);
        for (int i = body; i < count; i++) {
            float v = x.get(FLOAT, xOffset + 4L * i);
            sum = Math.fma(v, v, sum);
        }
        float rstd = (float) (1 / Math.sqrt(sum / count + eps));
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector v = FloatVector.fromMemorySegment(Lanes.FLOATS, x, xOffset + 4L * i, Lanes.ORDER);
            v.mul(rstd)
                    .mul(FloatVector.fromArray(Lanes.FLOATS, weight, i))
                    .intoMemorySegment(y, yOffset + 4L * i, Lanes.ORDER);
        }
        for (int i = body; i < count; i++) {
            y.set(FLOAT, yOffset + 4L * i, x.get(FLOAT, xOffset + 4L * i) * rstd * weight[i]);
        }
        return rstd;
    }
}
