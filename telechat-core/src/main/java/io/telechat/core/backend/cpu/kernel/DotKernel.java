// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Inner products of one weight row, where it lies in memory, with one row of activations. Four accumulators hide the latency
 * of the multiply-adds.
 */
public final class DotKernel {
    private static final int HIGH_HALF = 0xffff0000;

    private DotKernel() {}

    /**
     * A row of floats.
     *
     * @param offset of the weight row, in bytes
     */
    public static float f32(MemorySegment weights, long offset, float[] x, int xIndex, int count) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int step = 4 * Lanes.COUNT;
        int i = 0;
        for (; i <= count - step; i += step) {
            sum0 = load(weights, offset, i).fma(load(x, xIndex + i), sum0);
            sum1 = load(weights, offset, i + Lanes.COUNT).fma(load(x, xIndex + i + Lanes.COUNT), sum1);
            sum2 = load(weights, offset, i + 2 * Lanes.COUNT).fma(load(x, xIndex + i + 2 * Lanes.COUNT), sum2);
            sum3 = load(weights, offset, i + 3 * Lanes.COUNT).fma(load(x, xIndex + i + 3 * Lanes.COUNT), sum3);
        }
        for (; i <= count - Lanes.COUNT; i += Lanes.COUNT) {
            sum0 = load(weights, offset, i).fma(load(x, xIndex + i), sum0);
        }
        float sum = sum0.add(sum1).add(sum2.add(sum3)).reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            sum = Math.fma(weights.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + 4L * i), x[xIndex + i], sum);
        }
        return sum;
    }

    /**
     * A row of bfloat16. One load of ints brings two weights per lane: the one in the upper half is a float once the lower half
     * is masked off, the other one once it is shifted up. So nothing is ever widened, if the activations lie in that order.
     *
     * @param offset of the weight row, in bytes
     * @param paired activations, as {@link #pair} arranges them
     */
    public static float bf16(MemorySegment weights, long offset, float[] paired, int xIndex, int count) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int group = 2 * Lanes.COUNT;
        int i = 0;
        for (; i <= count - 2 * group; i += 2 * group) {
            IntVector first = ints(weights, offset + 2L * i);
            IntVector second = ints(weights, offset + 2L * (i + group));
            sum0 = low(first).fma(load(paired, xIndex + i), sum0);
            sum1 = high(first).fma(load(paired, xIndex + i + Lanes.COUNT), sum1);
            sum2 = low(second).fma(load(paired, xIndex + i + group), sum2);
            sum3 = high(second).fma(load(paired, xIndex + i + group + Lanes.COUNT), sum3);
        }
        for (; i <= count - group; i += group) {
            IntVector bits = ints(weights, offset + 2L * i);
            sum0 = low(bits).fma(load(paired, xIndex + i), sum0);
            sum1 = high(bits).fma(load(paired, xIndex + i + Lanes.COUNT), sum1);
        }
        float sum = sum0.add(sum1).add(sum2.add(sum3)).reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            float weight = Tensor.bf16ToFloat(weights.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 2L * i));
            sum = Math.fma(weight, paired[xIndex + i], sum);
        }
        return sum;
    }

    /** Arranges rows for {@link #bf16}: in every two vectors' worth of elements, the even ones before the odd ones. */
    public static float[] pair(float[] x, int rowLength) {
        float[] paired = x.clone();
        int group = 2 * Lanes.COUNT;
        for (int row = 0; row < x.length; row += rowLength) {
            for (int start = row; start <= row + rowLength - group; start += group) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    paired[start + lane] = x[start + 2 * lane];
                    paired[start + Lanes.COUNT + lane] = x[start + 2 * lane + 1];
                }
            }
        }
        return paired;
    }

    private static IntVector ints(MemorySegment weights, long offset) {
        return IntVector.fromMemorySegment(Lanes.INTS, weights, offset, Lanes.ORDER);
    }

    private static FloatVector low(IntVector bits) {
        return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static FloatVector high(IntVector bits) {
        return bits.and(HIGH_HALF).reinterpretAsFloats();
    }

    private static FloatVector load(MemorySegment weights, long offset, int index) {
        return FloatVector.fromMemorySegment(Lanes.FLOATS, weights, offset + 4L * index, Lanes.ORDER);
    }

    private static FloatVector load(float[] values, int index) {
        return FloatVector.fromArray(Lanes.FLOATS, values, index);
    }
}
