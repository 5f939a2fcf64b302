// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.architecture.WeightSource;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;

/**
 * Tensors of a checkpoint as they are, or transposed into memory of our own.
 *
 * @param arena for transposed copies
 * @param scan sees every tensor that is taken
 */
public record CheckpointTensors(Checkpoint checkpoint, TensorArena arena, WorkerTeam workers, WeightScan scan)
        implements WeightSource {
    @Override
    public Tensor get(String name) {
        Tensor tensor = checkpoint.tensor(name, arena);
        scan.see(name, tensor);
        return tensor;
    }

    @Override
    public Tensor transposed(String name) {
        return transposed(get(name), arena, workers);
    }

    /** @param arena for the copy */
    static Tensor transposed(Tensor from, TensorArena arena, WorkerTeam workers) {
        if (from.dtype().isQuantized()) {
            return from; // was transposed before
        }
        Tensor to = arena.allocate(from.dtype(), from.columns(), from.rows());
        Transposition.copy(from, to, workers);
        from.leaveMemory();
        return to;
    }
}
