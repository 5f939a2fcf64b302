// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tensors of a checkpoint as they are, or transposed into memory of our own.
 *
 * @param arena for transposed copies
 * @param scan sees every tensor that is taken
 */
record CheckpointTensors(Checkpoint checkpoint, TensorArena arena, WorkerTeam workers, WeightScan scan)
        implements Architecture.TensorSource {
    /** Rows and columns per tile: 64 rows of 64 floats fit the first-level cache twice. */
    private static final int TILE = 64;

    @Override
    public Tensor get(String name) {
        Tensor tensor = checkpoint.tensor(name);
        scan.see(name, tensor);
        return tensor;
    }

    @Override
    public Tensor transposed(String name) {
        Tensor from = get(name);
        if (from.dtype().isQuantized()) {
            return from; // was transposed before
        }
        Tensor to = arena.allocate(from.dtype(), from.columns(), from.rows());
        int tiles = Math.toIntExact((to.rows() + TILE - 1) / TILE);
        boolean wide = from.dtype().bytes() == 4;
        workers.run(tiles, (tile, worker) -> {
            long first = (long) tile * TILE;
            long last = Math.min(to.rows(), first + TILE);
            for (long column = 0; column < to.columns(); column += TILE) {
                long end = Math.min(to.columns(), column + TILE);
                if (wide) {
                    copyInts(from.segment(), to.segment(), first, last, column, end, to.rows(), to.columns());
                } else {
                    copyShorts(from.segment(), to.segment(), first, last, column, end, to.rows(), to.columns());
                }
            }
        });
        release(from);
        return to;
    }

    /** Lets the file's pages go, where a copy is what we compute with. */
    static void release(Tensor tensor) {
        if (tensor.segment().isMapped()) {
            tensor.segment().unload();
        }
    }

    private static void copyInts(
            MemorySegment from, MemorySegment to, long r0, long r1, long c0, long c1, long rows, long columns) {
        for (long r = r0; r < r1; r++) {
            for (long c = c0; c < c1; c++) {
                to.set(
                        ValueLayout.JAVA_INT,
                        (r * columns + c) * 4,
                        from.get(ValueLayout.JAVA_INT_UNALIGNED, (c * rows + r) * 4));
            }
        }
    }

    private static void copyShorts(
            MemorySegment from, MemorySegment to, long r0, long r1, long c0, long c1, long rows, long columns) {
        for (long r = r0; r < r1; r++) {
            for (long c = c0; c < c1; c++) {
                to.set(
                        ValueLayout.JAVA_SHORT,
                        (r * columns + c) * 2,
                        from.get(ValueLayout.JAVA_SHORT_UNALIGNED, (c * rows + r) * 2));
            }
        }
    }
}
