// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.backend.cpu.kernel.Kernels.Product;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products with rows of floats of 32 or 16 bits: one vector of partial sums per output, along the row. A single token
 * multiplies bfloat16 where it lies; otherwise a row is widened once, and four tokens at a time share its loads.
 */
final class LinearKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int TOKENS = 4;

    private LinearKernel() {}

    static void run(DType type, Product p, MemorySegment scratch) {
        int columns = Math.toIntExact(p.columns());
        float[] sums = new float[TOKENS];
        for (int r = 0; r < p.rows(); r++) {
            if (type == DType.BF16 && p.tokens() == 1) {
                ProductOutput.put(p, 0, r, dotBf16(p.weights(), 2L * r * columns, p.x(), columns));
                continue;
            }
            MemorySegment row = p.weights();
            long offset = 4L * r * columns;
            if (type != DType.F32) {
                WidenKernel.toFloats(p.weights(), type, (long) r * columns, scratch, columns);
                row = scratch;
                offset = 0;
            }
            long t = 0;
            for (; t + TOKENS <= p.tokens(); t += TOKENS) {
                dots(row, offset, p.x(), 4 * t * columns, columns, sums);
                for (int i = 0; i < TOKENS; i++) {
                    ProductOutput.put(p, t + i, r, sums[i]);
                }
            }
            for (; t < p.tokens(); t++) {
                ProductOutput.put(p, t, r, dot(row, offset, p.x(), 4 * t * columns, columns));
            }
        }
    }

    private static float dot(MemorySegment w, long offset, MemorySegment x, long xOffset, int count) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            sum = load(w, offset + 4L * i).fma(load(x, xOffset + 4L * i), sum);
        }
        return tail(sum, w, offset, x, xOffset, body, count);
    }

    private static void dots(MemorySegment w, long offset, MemorySegment x, long xOffset, int count, float[] sums) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        long stride = 4L * count;
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            FloatVector row = load(w, offset + 4L * i);
            long at = xOffset + 4L * i;
            sum0 = row.fma(load(x, at), sum0);
            sum1 = row.fma(load(x, at + stride), sum1);
            sum2 = row.fma(load(x, at + 2 * stride), sum2);
            sum3 = row.fma(load(x, at + 3 * stride), sum3);
        }
        sums[0] = tail(sum0, w, offset, x, xOffset, body, count);
        sums[1] = tail(sum1, w, offset, x, xOffset + stride, body, count);
        sums[2] = tail(sum2, w, offset, x, xOffset + 2 * stride, body, count);
        sums[3] = tail(sum3, w, offset, x, xOffset + 3 * stride, body, count);
    }

    private static float tail(
            FloatVector lanes, MemorySegment w, long offset, MemorySegment x, long xOffset, int body, int count) {
        float sum = Lanes.sum(lanes);
        for (int i = body; i < count; i++) {
            sum = Math.fma(w.get(FLOAT, offset + 4L * i), x.get(FLOAT, xOffset + 4L * i), sum);
        }
        return sum;
    }

    private static float dotBf16(MemorySegment w, long offset, MemorySegment x, int count) {
        FloatVector lanes = FloatVector.zero(Lanes.FLOATS);
        int body = Lanes.FLOATS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            ShortVector bits = ShortVector.fromMemorySegment(Lanes.SHORTS, w, offset + 2L * i, Lanes.ORDER);
            IntVector wide = (IntVector) bits.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
            FloatVector row = wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            lanes = row.fma(load(x, 4L * i), lanes);
        }
        float sum = Lanes.sum(lanes);
        for (int i = body; i < count; i++) {
            float weight = Tensor.bf16ToFloat(w.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 2L * i));
            sum = Math.fma(weight, x.get(FLOAT, 4L * i), sum);
        }
        return sum;
    }

    private static FloatVector load(MemorySegment from, long offset) {
        return FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset, Lanes.ORDER);
    }
}
