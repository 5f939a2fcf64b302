// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;

/** From the form that tensors are computed with back to that of the checkpoint. */
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
}
