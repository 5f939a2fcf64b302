// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Inner products of one weight row with rows of activations. */
public final class DotKernel {
    private DotKernel() {}

    /** {@code Σ a[aIndex + i] · b[bIndex + i]}. Four accumulators hide the latency of the multiply-adds. */
    public static float dot(float[] a, int aIndex, float[] b, int bIndex, int count) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int step = 4 * Lanes.COUNT;
        int i = 0;
        for (; i <= count - step; i += step) {
            sum0 = load(a, aIndex + i, 0).fma(load(b, bIndex + i, 0), sum0);
            sum1 = load(a, aIndex + i, 1).fma(load(b, bIndex + i, 1), sum1);
            sum2 = load(a, aIndex + i, 2).fma(load(b, bIndex + i, 2), sum2);
            sum3 = load(a, aIndex + i, 3).fma(load(b, bIndex + i, 3), sum3);
        }
        for (; i <= count - Lanes.COUNT; i += Lanes.COUNT) {
            sum0 = load(a, aIndex + i, 0).fma(load(b, bIndex + i, 0), sum0);
        }
        float sum = sum0.add(sum1).add(sum2.add(sum3)).reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            sum = Math.fma(a[aIndex + i], b[bIndex + i], sum);
        }
        return sum;
    }

    private static FloatVector load(float[] values, int index, int vector) {
        return FloatVector.fromArray(Lanes.FLOATS, values, index + vector * Lanes.COUNT);
    }
}
