// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.backend.cpu.kernel.Kernels.Product;
import io.telechat.core.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products with rows of floats of 32 or 16 bits: one vector of partial sums per output, along the row. A single token
 * multiplies bfloat16 where it lies; otherwise a row is widened once, and four tokens at a time share its loads.
 */
final class LinearKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final int TOKENS = 4;
    private static final int HIGH_HALF = 0xffff0000;

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
                float[] wide = new float[columns];
                WidenKernel.toFloats(p.weights(), type, (long) r * columns, wide, 0, columns);
                if (type == DType.BF16) {
                    pair(wide);
                }
                MemorySegment.copy(wide, 0, scratch, FLOAT, 0, columns);
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

    /** One load of ints brings two weights per lane: the upper half is a float once the lower is masked off, and shifted up so is the lower. */
    private static float dotBf16(MemorySegment w, long offset, MemorySegment x, int count) {
        FloatVector lanes = FloatVector.zero(Lanes.FLOATS);
        int step = 2 * Lanes.COUNT;
        int body = count / step * step;
        for (int i = 0; i < body; i += step) {
            IntVector pairs = IntVector.fromMemorySegment(Lanes.INTS, w, offset + 2L * i, Lanes.ORDER);
            FloatVector first = pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector second = pairs.and(HIGH_HALF).reinterpretAsFloats();
            lanes = first.fma(load(x, 4L * i), lanes);
            lanes = second.fma(load(x, 4L * (i + Lanes.COUNT)), lanes);
        }
        float[] rest = new float[count - body];
        WidenKernel.toFloats(w, DType.BF16, offset / 2 + body, rest, 0, rest.length);
        int i = 0;
        for (; i + Lanes.COUNT <= rest.length; i += Lanes.COUNT) {
            lanes = FloatVector.fromArray(Lanes.FLOATS, rest, i).fma(load(x, 4L * (body + i)), lanes);
        }
        float sum = Lanes.sum(lanes);
        for (; i < rest.length; i++) {
            sum = Math.fma(rest[i], x.get(FLOAT, 4L * (body + i)), sum);
        }
        return sum;
    }

    /** Of every two vectors of elements those with even indices, then those with odd ones. */
    static void pair(float[] row) {
        int step = 2 * Lanes.COUNT;
        float[] odd = new float[Lanes.COUNT];
        for (int start = 0; start + step <= row.length; start += step) {
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                odd[lane] = row[start + 2 * lane + 1];
                row[start + lane] = row[start + 2 * lane];
            }
            System.arraycopy(odd, 0, row, start + Lanes.COUNT, Lanes.COUNT);
        }
    }

    private static FloatVector load(MemorySegment from, long offset) {
        return FloatVector.fromMemorySegment(Lanes.FLOATS, from, offset, Lanes.ORDER);
    }
}
