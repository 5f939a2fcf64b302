// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.GradKernels.Left;
import io.telechat.core.backend.cpu.kernel.GradKernels.Rows;
import io.telechat.core.backend.cpu.kernel.PackedForm;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The three products of a linear layer in training: {@code y = x·Wᵀ}, {@code dx = dy·W}, {@code dW = dyᵀ·x}. The right-hand
 * matrix is packed a few megabytes at a time, all threads together; then they share the tiles of the result. How it is cut
 * depends on shapes only, and so do the results. Activations are F32 or BF16, gradients of parameters and sums F32.
 */
final class MatrixProducts implements AutoCloseable {
    /** Bytes that are packed at a time: 4 MiB. */
    private static final long PACKED = 1 << 22;
    /** Most rows of a tile of the result; more where the left matrix is read by columns. */
    private static final int TILE_ROWS = 84;

    private static final int TALL_TILE_ROWS = 168;
    /** Slivers that make the columns of a tile: the left matrix is packed anew for each tile. */
    private static final int TILE_SLIVERS = 16;

    private final WorkerTeam workers;
    private final GradKernels kernels;
    private final PackedForm form;
    private final Scratch packed = new Scratch();
    private final Scratch widened = new Scratch();
    private final Scratch[] tiles;

    /** @param form what both factors are brought into; rounds them where it is {@link PackedForm#PAIRS} */
    MatrixProducts(WorkerTeam workers, GradKernels kernels, PackedForm form) {
        this.workers = workers;
        this.kernels = kernels;
        this.form = form;
        this.tiles = Scratch.perThread(workers.size());
    }

    /** {@code y (+)= x·Wᵀ + bias}. */
    void forward(Tensor x, Weight w, Tensor y, boolean add) {
        long column = 0;
        for (Weight.Block part : w.blocks()) {
            Tensor block = part.matrix();
            long depth = block.columns();
            long step = rowsAtOnce(depth, block.dtype());
            for (long first = 0; first < block.rows(); first += step) {
                long end = Math.min(block.rows(), first + step);
                Matrix right = new Matrix(block.rows(first, end), true);
                Optional<Tensor> bias = rows(part.bias(), first, end);
                multiply(left(x, 0, depth), pack(right), new Into(y, column + first, bias, add));
            }
            column += block.rows();
        }
    }

    private static Optional<Tensor> rows(Optional<Tensor> bias, long first, long end) {
        return bias.map(b -> b.rows(first, end));
    }

    /** {@code dx (+)= dy·W}; {@code dx} is F32. */
    void inputGrad(Tensor dy, Weight w, Tensor dx, boolean add) {
        boolean more = add;
        long column = 0;
        for (Weight.Block part : w.blocks()) {
            Tensor block = part.matrix();
            long step = rowsAtOnce(block.columns(), block.dtype());
            for (long first = 0; first < block.rows(); first += step) {
                Matrix right = new Matrix(block.rows(first, Math.min(block.rows(), first + step)), false);
                multiply(left(dy, column + first, right.depth()), pack(right), Into.all(dx, more));
                more = true;
            }
            column += block.rows();
        }
    }

    /** {@code dW += dyᵀ·x}, without the bias. */
    void weightGrad(Tensor x, Tensor dy, Weight dW) {
        long step = rowsAtOnce(x.columns(), x.dtype());
        for (long token = 0; token < x.rows(); token += step) {
            Matrix right = new Matrix(x.rows(token, Math.min(x.rows(), token + step)), false);
            Packed b = pack(right);
            long column = 0;
            for (Weight.Block part : dW.blocks()) {
                Tensor block = part.matrix();
                MemorySegment first = at(dy, token, column);
                Left left = new Left(dy.dtype(), first, 1, dy.columns(), block.rows(), right.depth());
                multiply(left, b, Into.all(block, true));
                column += block.rows();
            }
        }
    }

    /**
     * What stands on the right of a product.
     *
     * @param matrix [depth, columns], or its transpose
     */
    private record Matrix(Tensor matrix, boolean transposed) {
        long depth() {
            return transposed ? matrix.columns() : matrix.rows();
        }

        long columns() {
            return transposed ? matrix.rows() : matrix.columns();
        }
    }

    /** @param sliverBytes of a sliver of it */
    private record Packed(MemorySegment memory, long sliverBytes, long columns) {}

    /**
     * Where a product goes.
     *
     * @param c [rows, at least column + the product's columns]
     * @param bias of each of the product's columns
     * @param add whether to add to what is there
     */
    private record Into(Tensor c, long column, Optional<Tensor> bias, boolean add) {
        static Into all(Tensor c, boolean add) {
            return new Into(c, 0, Optional.empty(), add);
        }
    }

    /** Rows of a matrix that fit what is packed at a time; whole panels where it is quantized. */
    private long rowsAtOnce(long width, DType dtype) {
        int unit = dtype.isQuantized() ? QuantizedLayout.PANEL : kernels.sliver();
        long bytes = form == PackedForm.PAIRS ? DType.BF16.bytes() : DType.F32.bytes();
        return Math.max(1, PACKED / bytes / width / unit) * unit;
    }

    private static MemorySegment at(Tensor matrix, long row, long column) {
        return matrix.segment().asSlice(matrix.dtype().bytes() * (row * matrix.columns() + column));
    }

    private static Left left(Tensor a, long column, long depth) {
        return new Left(a.dtype(), at(a, 0, column), a.columns(), 1, a.rows(), depth);
    }

    private Packed pack(Matrix right) {
        Tensor matrix = floats(right.matrix());
        int sliver = kernels.sliver();
        long slivers = (right.columns() + sliver - 1) / sliver;
        long sliverBytes = 4 * sliver * kernels.packedSteps(form, right.depth());
        MemorySegment to = packed.bytes(slivers * sliverBytes);
        workers.run(Math.toIntExact(slivers), (index, worker) -> {
            long first = (long) index * sliver;
            MemorySegment from = right.transposed() ? at(matrix, first, 0) : at(matrix, 0, first);
            kernels.packMatrix(
                    form,
                    new GradKernels.Right(matrix.dtype(), from, matrix.columns(), right.transposed()),
                    right.depth(),
                    Math.min(sliver, right.columns() - first),
                    to.asSlice(index * sliverBytes));
        });
        return new Packed(to, sliverBytes, right.columns());
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

    private void multiply(Left a, Packed b, Into into) {
        long tileColumns = (long) TILE_SLIVERS * kernels.sliver();
        int tileRows = a.rowStride() == 1 ? TALL_TILE_ROWS : TILE_ROWS;
        int down = Math.toIntExact((a.rows() + tileRows - 1) / tileRows);
        int across = Math.toIntExact((b.columns() + tileColumns - 1) / tileColumns);
        workers.run(down * across, (index, worker) -> {
            long row = a.rows() * (index / across) / down;
            long first = index % across * tileColumns;
            Left rows = new Left(
                    a.type(),
                    a.first().asSlice(a.type().bytes() * row * a.rowStride()),
                    a.rowStride(),
                    a.step(),
                    a.rows() * (index / across + 1) / down - row,
                    a.depth());
            MemorySegment slivers = b.memory().asSlice(index % across * TILE_SLIVERS * b.sliverBytes());
            long columns = Math.min(tileColumns, b.columns() - first);
            tile(rows, slivers, columns, at(into.c(), row, into.column() + first), first, into, tiles[worker]);
        });
    }

    /**
     * One tile of a product. Its sums are floats in the thread's own memory where the result is narrower.
     *
     * @param c the tile's first element
     * @param column of the product that is the tile's first
     */
    private void tile(Left a, MemorySegment b, long columns, MemorySegment c, long column, Into into, Scratch memory) {
        DType type = into.c().dtype();
        Rows to = new Rows(c, into.c().columns());
        if (type == DType.F32) {
            boolean add = addBias(to, a.rows(), columns, column, into);
            kernels.matrixProduct(form, a, b, columns, c, to.stride(), add);
            return;
        }
        Rows sums = new Rows(memory.floats(a.rows() * columns), columns);
        if (into.add()) {
            kernels.widenRows(type, to, sums, a.rows(), columns);
        }
        boolean add = addBias(sums, a.rows(), columns, column, into);
        kernels.matrixProduct(form, a, b, columns, sums.first(), columns, add);
        kernels.narrowRows(type, sums, to, a.rows(), columns);
    }

    /** Returns whether there is something in {@code c} now that the product is to be added to. */
    private boolean addBias(Rows c, long rows, long columns, long column, Into into) {
        if (into.bias().isEmpty()) {
            return into.add();
        }
        MemorySegment bias = into.bias().get().segment().asSlice(4 * column);
        for (long row = 0; row < rows; row++) {
            MemorySegment to = c.first().asSlice(4 * row * c.stride());
            if (into.add()) {
                kernels.columnSums(bias, 0, 1, columns, to);
            } else {
                MemorySegment.copy(bias, 0, to, 0, 4 * columns);
            }
        }
        return true;
    }

    @Override
    public void close() {
        packed.close();
        widened.close();
        for (Scratch one : tiles) {
            one.close();
        }
    }
}
