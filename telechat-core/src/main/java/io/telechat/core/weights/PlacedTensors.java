// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.architecture.WeightSource;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.workers.WorkerTeam;
import java.util.List;
import java.util.Optional;

/**
 * Tensors of a checkpoint in the form that a backend computes with: mapped where the file's layout is that form, and otherwise
 * copied, whereupon the file's pages are let go. What is transposed only to be quantized is gone when its matrix is.
 */
final class PlacedTensors implements WeightSource, AutoCloseable {
    private final Checkpoint checkpoint;
    private final DeviceMemory memory;
    private final WorkerTeam workers;
    private final WeightScan scan;
    private final Optional<WeightQuantizer> quantizer;
    private final TensorArena device;
    private final TensorArena host;
    private HostArena temporary = new HostArena();

    /**
     * @param quantization the type to round matrices to that are not quantized yet
     * @param device for copies in the backend's memory
     * @param host for those that stay in this process's
     */
    PlacedTensors(
            Checkpoint checkpoint,
            DeviceMemory memory,
            WorkerTeam workers,
            Optional<DType> quantization,
            WeightScan scan,
            TensorArena device,
            TensorArena host) {
        this.checkpoint = checkpoint;
        this.memory = memory;
        this.workers = workers;
        this.scan = scan;
        this.quantizer = quantization.map(dtype -> new WeightQuantizer(dtype, workers));
        this.device = device;
        this.host = host;
    }

    @Override
    public Tensor get(String name) {
        return new CheckpointTensors(checkpoint, host, workers, scan).get(name);
    }

    @Override
    public Tensor transposed(String name) {
        return new CheckpointTensors(checkpoint, quantizer.isPresent() ? temporary : host, workers, scan)
                .transposed(name);
    }

    @Override
    public Tensor norm(String name) {
        return memory.place(get(name), device);
    }

    @Override
    public Weight matrix(WeightId id, List<Weight.Block> blocks) {
        Weight stored = new Weight(id, blocks);
        if (quantizer.isEmpty()) {
            return memory.place(stored, device);
        }
        Weight quantized = quantizer.get().quantize(stored, host);
        for (Weight.Block block : stored.blocks()) {
            if (!block.matrix().dtype().isQuantized()) {
                CheckpointTensors.release(block.matrix());
            }
        }
        temporary.close();
        temporary = new HostArena();
        return memory.place(quantized, device);
    }

    @Override
    public void close() {
        temporary.close();
    }
}
