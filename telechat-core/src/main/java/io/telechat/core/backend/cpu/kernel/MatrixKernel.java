// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.backend.cpu.kernel.GradKernels.Left;
import io.telechat.core.backend.cpu.kernel.GradKernels.Right;
import io.telechat.core.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** Products of large matrices: slivers of two vectors of columns, four rows at a time, as matrix_products.h has them in C. */
final class MatrixKernel {
    static final int SLIVER = 2 * Lanes.COUNT;
    private static final int ROWS = 4;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private MatrixKernel() {}

    static void pack(Right b, long depth, long columns, MemorySegment to) {
        boolean transposed = b.transposed();
        int rows = Math.toIntExact(transposed ? columns : depth);
        int width = Math.toIntExact(transposed ? depth : columns);
        float[] row = new float[width];
        for (int r = 0; r < rows; r++) {
            WidenKernel.toFloats(b.first(), b.type(), r * b.stride(), row, 0, width);
            for (int c = 0; c < width; c++) {
                long i = transposed ? c : r;
                long j = transposed ? r : c;
                long at = j / SLIVER * SLIVER * depth + i * SLIVER + j % SLIVER;
                to.set(FLOAT, 4 * at, row[c]);
            }
        }
        for (long j = columns; j % SLIVER != 0; j++) {
            for (long i = 0; i < depth; i++) {
                to.set(FLOAT, 4 * (j / SLIVER * SLIVER * depth + i * SLIVER + j % SLIVER), 0);
            }
        }
    }

    static void product(Left left, MemorySegment packed, long columns, MemorySegment c, long stride, boolean add) {
        Left a = left.type() == DType.F32 ? left : floats(left);
        float[] tile = new float[ROWS * SLIVER];
        for (long j = 0; j < columns; j += SLIVER) {
            int width = (int) Math.min(SLIVER, columns - j);
            for (long r = 0; r < a.rows(); r += ROWS) {
                int rows = (int) Math.min(ROWS, a.rows() - r);
                tile(a, r, rows, packed, 4 * j * a.depth(), tile);
                for (int i = 0; i < rows; i++) {
                    put(tile, i * SLIVER, c, 4 * ((r + i) * stride + j), width, add);
                }
            }
        }
    }

    /** The same matrix, row by row. */
    private static Left floats(Left a) {
        int rows = Math.toIntExact(a.rows());
        int depth = Math.toIntExact(a.depth());
        float[] all = new float[rows * depth];
        float[] line = new float[a.step() == 1 ? depth : rows];
        for (int i = 0; i < all.length / Math.max(1, line.length); i++) {
            long stride = a.step() == 1 ? a.rowStride() : a.step();
            WidenKernel.toFloats(a.first(), a.type(), i * stride, line, 0, line.length);
            for (int j = 0; j < line.length; j++) {
                all[a.step() == 1 ? i * depth + j : j * depth + i] = line[j];
            }
        }
        return new Left(DType.F32, MemorySegment.ofArray(all), depth, 1, rows, depth);
    }

    private static void put(float[] tile, int from, MemorySegment c, long at, int width, boolean add) {
        for (int j = 0; j < width; j++) {
            float before = add ? c.get(FLOAT, at + 4L * j) : 0;
            c.set(FLOAT, at + 4L * j, before + tile[from + j]);
        }
    }

    /** Rows beyond the last repeat it, so that there is one loop for all. */
    private static void tile(Left a, long first, int rows, MemorySegment packed, long sliver, float[] tile) {
        long row0 = 4 * first * a.rowStride();
        long row1 = 4 * (first + Math.min(1, rows - 1)) * a.rowStride();
        long row2 = 4 * (first + Math.min(2, rows - 1)) * a.rowStride();
        long row3 = 4 * (first + Math.min(3, rows - 1)) * a.rowStride();
        FloatVector left0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector left1 = left0;
        FloatVector left2 = left0;
        FloatVector left3 = left0;
        FloatVector right0 = left0;
        FloatVector right1 = left0;
        FloatVector right2 = left0;
        FloatVector right3 = left0;
        for (long i = 0; i < a.depth(); i++) {
            long at = sliver + 4 * i * SLIVER;
            FloatVector left = FloatVector.fromMemorySegment(Lanes.FLOATS, packed, at, Lanes.ORDER);
            FloatVector right = FloatVector.fromMemorySegment(Lanes.FLOATS, packed, at + 4L * Lanes.COUNT, Lanes.ORDER);
            long step = 4 * i * a.step();
            FloatVector x0 = FloatVector.broadcast(Lanes.FLOATS, a.first().get(FLOAT, row0 + step));
            FloatVector x1 = FloatVector.broadcast(Lanes.FLOATS, a.first().get(FLOAT, row1 + step));
            FloatVector x2 = FloatVector.broadcast(Lanes.FLOATS, a.first().get(FLOAT, row2 + step));
            FloatVector x3 = FloatVector.broadcast(Lanes.FLOATS, a.first().get(FLOAT, row3 + step));
            left0 = x0.fma(left, left0);
            right0 = x0.fma(right, right0);
            left1 = x1.fma(left, left1);
            right1 = x1.fma(right, right1);
            left2 = x2.fma(left, left2);
            right2 = x2.fma(right, right2);
            left3 = x3.fma(left, left3);
            right3 = x3.fma(right, right3);
        }
        left0.intoArray(tile, 0);
        right0.intoArray(tile, Lanes.COUNT);
        left1.intoArray(tile, SLIVER);
        right1.intoArray(tile, SLIVER + Lanes.COUNT);
        left2.intoArray(tile, 2 * SLIVER);
        right2.intoArray(tile, 2 * SLIVER + Lanes.COUNT);
        left3.intoArray(tile, 3 * SLIVER);
        right3.intoArray(tile, 3 * SLIVER + Lanes.COUNT);
    }
}
