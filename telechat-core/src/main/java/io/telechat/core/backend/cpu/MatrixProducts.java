// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.GradKernels.Left;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The three products of a linear layer in training: {@code y = x·Wᵀ}, {@code dx = dy·W}, {@code dW = dyᵀ·x}. The right-hand
 * matrix is packed a few megabytes at a time, all threads together; then they share the tiles of the result. How it is cut
 * depends on shapes only, and so do the results.
 */
final class MatrixProducts implements AutoCloseable {
    /** Floats that are packed at a time: 4 MiB. */
    private static final long PACKED = 1 << 20;
    /** Most rows of a tile of the result; more where the left matrix is read by columns. */
    private static final int TILE_ROWS = 84;

    private static final int TALL_TILE_ROWS = 168;
    /** Slivers that make the columns of a tile: the left matrix is packed anew for each tile. */
    private static final int TILE_SLIVERS = 16;

    private final WorkerTeam workers;
    private final GradKernels kernels;
    private final Scratch packed = new Scratch();
    private final Scratch widened = new Scratch();

    MatrixProducts(WorkerTeam workers, GradKernels kernels) {
        this.workers = workers;
        this.kernels = kernels;
    }

    /** {@code y (+)= x·Wᵀ}, without the bias. */
    void forward(Tensor x, Weight w, Tensor y, boolean add) {
        long column = 0;
        for (Weight.Block part : w.blocks()) {
            Tensor block = part.matrix();
            long depth = block.columns();
            long step = columnsAtOnce(depth, block.dtype());
            for (long first = 0; first < block.rows(); first += step) {
                Right right = new Right(block.rows(first, Math.min(block.rows(), first + step)), true);
                multiply(left(x, 0, depth), right, y, column + first, add);
            }
            column += block.rows();
        }
    }

    /** {@code dx (+)= dy·W}. */
    void inputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        boolean more = add;
        long column = 0;
        for (Weight.Block part : w.blocks()) {
            Tensor block = part.matrix();
            long step = columnsAtOnce(block.columns(), block.dtype());
            for (long first = 0; first < block.rows(); first += step) {
                Right right = new Right(block.rows(first, Math.min(block.rows(), first + step)), false);
                multiply(left(dy, column + first, right.depth()), right, dx, 0, more);
                more = true;
            }
            column += block.rows();
        }
    }

    /** {@code dW += dyᵀ·x}, without the bias. */
    void weightGrad(Tensor x, Tensor dy, Weight dW) {
        long step = columnsAtOnce(x.columns(), DType.F32);
        for (long token = 0; token < x.rows(); token += step) {
            Right right = new Right(x.rows(token, Math.min(x.rows(), token + step)), false);
            Packed b = pack(right);
            long column = 0;
            for (Weight.Block part : dW.blocks()) {
                Tensor block = part.matrix();
                MemorySegment first = dy.segment().asSlice(4 * (token * dy.columns() + column));
                multiply(new Left(first, 1, dy.columns(), block.rows(), right.depth()), b, block, 0, true);
                column += block.rows();
            }
        }
    }

    /**
     * What stands on the right of a product.
     *
     * @param matrix [depth, columns], or its transpose
     */
    private record Right(Tensor matrix, boolean transposed) {
        long depth() {
            return transposed ? matrix.columns() : matrix.rows();
        }

        long columns() {
            return transposed ? matrix.rows() : matrix.columns();
        }
    }

    private record Packed(MemorySegment memory, long depth, long columns) {}

    /** Rows of a matrix that fit what is packed at a time; whole panels where it is quantized. */
    private long columnsAtOnce(long width, DType dtype) {
        int unit = dtype.isQuantized() ? QuantizedLayout.PANEL : kernels.sliver();
        return Math.max(1, PACKED / width / unit) * unit;
    }

    private static Left left(Tensor a, long column, long depth) {
        return new Left(a.segment().asSlice(4 * column), a.columns(), 1, a.rows(), depth);
    }

    private void multiply(Left a, Right right, Tensor c, long column, boolean add) {
        multiply(a, pack(right), c, column, add);
    }

    private Packed pack(Right right) {
        Tensor matrix = floats(right.matrix());
        int sliver = kernels.sliver();
        long depth = right.depth();
        long slivers = (right.columns() + sliver - 1) / sliver;
        MemorySegment to = packed.floats(slivers * sliver * depth);
        int bytes = matrix.dtype().bytes();
        workers.run(Math.toIntExact(slivers), (index, worker) -> {
            long first = (long) index * sliver;
            long at = right.transposed() ? first * matrix.columns() : first;
            kernels.packMatrix(
                    matrix.dtype(),
                    matrix.segment().asSlice(bytes * at),
                    matrix.columns(),
                    right.transposed(),
                    depth,
                    Math.min(sliver, right.columns() - first),
                    to.asSlice(4 * first * depth));
        });
        return new Packed(to, depth, right.columns());
    }

    /** Quantized rows are widened first. */
    private Tensor floats(Tensor matrix) {
        if (!matrix.dtype().isQuantized()) {
            return matrix;
        }
        long columns = matrix.columns();
        MemorySegment to = widened.floats(matrix.shape().elements());
        workers.run(Math.toIntExact(matrix.rows()), (row, worker) -> {
            float[] values = new float[Math.toIntExact(columns)];
            FloatRows.copy(matrix, row, values);
            MemorySegment.copy(values, 0, to, ValueLayout.JAVA_FLOAT, 4 * row * columns, values.length);
        });
        return Tensor.over(to.asSlice(0, 4 * matrix.shape().elements()), DType.F32, matrix.rows(), columns);
    }

    private void multiply(Left a, Packed b, Tensor c, long column, boolean add) {
        long tileColumns = (long) TILE_SLIVERS * kernels.sliver();
        int tileRows = a.rowStride() == 1 ? TALL_TILE_ROWS : TILE_ROWS;
        int down = Math.toIntExact((a.rows() + tileRows - 1) / tileRows);
        int across = Math.toIntExact((b.columns() + tileColumns - 1) / tileColumns);
        workers.run(down * across, (index, worker) -> {
            long row = a.rows() * (index / across) / down;
            long first = index % across * tileColumns;
            Left rows = new Left(
                    a.first().asSlice(4 * row * a.rowStride()),
                    a.rowStride(),
                    a.step(),
                    a.rows() * (index / across + 1) / down - row,
                    a.depth());
            kernels.matrixProduct(
                    rows,
                    b.memory().asSlice(4 * first * b.depth()),
                    Math.min(tileColumns, b.columns() - first),
                    c.segment().asSlice(4 * (row * c.columns() + column + first)),
                    c.columns(),
                    add);
        });
    }

    @Override
    public void close() {
        packed.close();
        widened.close();
    }
}
