// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;

/** Between the form that tensors are computed with, [out, in], and that of the checkpoint, which may be [in, out]. */
public final class StoredLayout {
    private static final int TILE = 64;

    private StoredLayout() {}

    /**
     * @param value in host memory, F32, matrices as [out, in]
     * @param to of the checkpoint's shape, any float type
     */
    public static void write(Tensor value, TensorSpec spec, Tensor to, WorkerTeam workers) {
        long rows = to.rows();
        long columns = to.columns();
        int tiles = Math.toIntExact((rows + TILE - 1) / TILE);
        workers.run(tiles, (tile, worker) -> {
            long first = (long) tile * TILE;
            long last = Math.min(rows, first + TILE);
            for (long start = 0; start < columns; start += TILE) {
                long end = Math.min(columns, start + TILE);
                for (long r = first; r < last; r++) {
                    for (long c = start; c < end; c++) {
                        long from = spec.transposed() ? c * rows + r : r * columns + c;
                        to.setFloat(r * columns + c, value.getFloat(from));
                    }
                }
            }
            to.rows(first, last).segment().unload(); // what is written stays with the system, not with us
        });
    }

    /**
     * Writes a range of the elements, in row-major order of [out, in].
     *
     * @param part in host memory, F32
     * @param from the first one's place
     */
    public static void writePart(Tensor part, long from, TensorSpec spec, Tensor to, WorkerTeam workers) {
        long out = spec.computedShape().dim(0);
        long in = spec.shape().elements() / out;
        eachRow(from, part.shape().elements(), in, workers, (at, row, column, count) -> {
            for (long i = 0; i < count; i++) {
                long place = spec.transposed() ? (column + i) * out + row : from + at + i;
                to.setFloat(place, part.getFloat(at + i));
            }
        });
    }

    /** Reads a range of the elements, see {@link #writePart}. */
    public static void readPart(Tensor stored, long from, TensorSpec spec, Tensor part, WorkerTeam workers) {
        long out = spec.computedShape().dim(0);
        long in = spec.shape().elements() / out;
        eachRow(from, part.shape().elements(), in, workers, (at, row, column, count) -> {
            for (long i = 0; i < count; i++) {
                long place = spec.transposed() ? (column + i) * out + row : from + at + i;
                part.setFloat(at + i, stored.getFloat(place));
            }
        });
    }

    /** A stretch of a row. */
    private interface Stretch {
        /**
         * @param at its first element in the range
         * @param row of the matrix
         * @param column its first one
         */
        void take(long at, long row, long column, long count);
    }

    private static void eachRow(long from, long elements, long in, WorkerTeam workers, Stretch stretch) {
        long firstRow = from / in;
        int rows = Math.toIntExact((from + elements - 1) / in - firstRow + 1);
        workers.run(rows, (index, worker) -> {
            long row = firstRow + index;
            long begin = Math.max(from, row * in);
            long end = Math.min(from + elements, (row + 1) * in);
            stretch.take(begin - from, row, begin - row * in, end - begin);
        });
    }
}
