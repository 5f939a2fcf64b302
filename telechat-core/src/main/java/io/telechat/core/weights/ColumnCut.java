// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static io.telechat.core.tensor.QuantizedLayout.BLOCK;
import static io.telechat.core.tensor.QuantizedLayout.GROUP;
import static io.telechat.core.tensor.QuantizedLayout.HEADER;
import static io.telechat.core.tensor.QuantizedLayout.PANEL;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;

/** Copies some columns of a matrix, also of a quantized one, whose groups of 32 columns stay as they are. */
record ColumnCut(ModelPart.Range columns, WorkerTeam workers) {
    /** @throws InvalidRequestException if the columns of a quantized matrix are not whole groups */
    Tensor copy(Tensor matrix, TensorArena arena) {
        Tensor to = arena.allocate(matrix.dtype(), matrix.rows(), columns.size());
        if (matrix.dtype().isQuantized()) {
            requireWholeGroups(matrix);
            int panels = Math.toIntExact(QuantizedLayout.panels(matrix.rows()));
            workers.run(panels, (panel, worker) -> copyPanel(matrix, to, panel));
        } else {
            long width = matrix.dtype().bytes();
            long bytes = columns.size() * width;
            workers.run(
                    Math.toIntExact(matrix.rows()),
                    (row, worker) -> MemorySegment.copy(
                            matrix.segment(),
                            (row * matrix.columns() + columns.from()) * width,
                            to.segment(),
                            row * bytes,
                            bytes));
        }
        return to;
    }

    private void requireWholeGroups(Tensor matrix) {
        if (columns.from() % GROUP != 0 || columns.to() % GROUP != 0 && columns.to() != matrix.columns()) {
            throw new InvalidRequestException(
                    "columns %d to %d of a matrix of %s cannot be cut out: they are not whole groups of %d; cut the"
                            + " model into fewer parts, or use weights that are not quantized",
                    columns.from(), columns.to(), matrix.dtype(), GROUP);
        }
    }

    private void copyPanel(Tensor matrix, Tensor to, int panel) {
        DType dtype = matrix.dtype();
        long fromBytes = QuantizedLayout.panelBytes(dtype, matrix.columns());
        long toBytes = QuantizedLayout.panelBytes(dtype, columns.size());
        MemorySegment source = matrix.segment().asSlice(panel * fromBytes, fromBytes);
        MemorySegment target = to.segment().asSlice(panel * toBytes, toBytes);
        MemorySegment.copy(source, 0, target, 0, HEADER);
        for (int column = 0; column < columns.size(); column += GROUP) {
            int from = columns.from() + column;
            MemorySegment.copy(source, scales(dtype, from), target, scales(dtype, column), PANEL);
            long bytes = QuantizedLayout.groupBytes(dtype);
            MemorySegment.copy(source, weights(dtype, from), target, weights(dtype, column), bytes);
        }
    }

    /** Where the scales of the group that begins at a column are within a panel. */
    private static long scales(DType dtype, int column) {
        return QuantizedLayout.scaleOffset(dtype, 0, column);
    }

    /** Likewise its weights. */
    private static long weights(DType dtype, int column) {
        long block = (long) column / BLOCK * QuantizedLayout.blockBytes(dtype);
        return HEADER
                + block
                + (long) QuantizedLayout.GROUPS * PANEL
                + (long) column % BLOCK / GROUP * QuantizedLayout.groupBytes(dtype);
    }
}
