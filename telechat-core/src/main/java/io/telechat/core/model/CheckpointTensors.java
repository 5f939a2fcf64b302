// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

/**
 * Tensors of a checkpoint as they are, or transposed into memory of our own.
 *
 * @param arena for transposed copies
 * @param scan sees every tensor that is taken
 */
record CheckpointTensors(Checkpoint checkpoint, TensorArena arena, WorkerTeam workers, WeightScan scan)
        implements Architecture.TensorSource {
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
        Transposition.copy(from, to, workers);
        release(from);
        return to;
    }

    /** Lets the file's pages go, where a copy is what we compute with. */
    static void release(Tensor tensor) {
        if (tensor.segment().isMapped()) {
            tensor.segment().unload();
        }
    }
}
