// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All parameters in memory for as long as the model lives; mapped where the file's layout is the one we compute with, and
 * otherwise copied, whereupon the file's pages are let go.
 */
public final class ResidentParameters implements ParameterStore {
    private final Checkpoint checkpoint;
    private final TensorArena copies;
    private final TensorArena host = new HostArena();
    private final Weight embedding;
    private final Optional<Tensor> embeddingNorm;
    private final List<LayerLease> layers;
    private final Tensor finalNorm;
    private final Weight head;

    /**
     * Takes over the checkpoint, and closes it with itself, unless this fails. Its tensors must have been checked before.
     *
     * @param quantization the type to round matrices to that are not quantized yet
     */
    ResidentParameters(
            Checkpoint checkpoint, ModelConfig config, Backend backend, Optional<DType> quantization, WeightScan scan) {
        this.checkpoint = checkpoint;
        this.copies = backend.newArena();
        Architecture architecture = config.architecture();
        Placement placement = new Placement(
                backend, quantization.map(dtype -> new WeightQuantizer(dtype, backend.workers())), copies, host);
        try {
            CheckpointTensors whole = new CheckpointTensors(checkpoint, host, backend.workers(), scan);
            this.embedding = placement.place(Weight.of(whole.get(architecture.embeddingName(config))));
            this.embeddingNorm = config.embeddingNorm()
                    ? Optional.of(backend.place(whole.get(architecture.embeddingNormName(config)), copies))
                    : Optional.empty();
            this.layers = new ArrayList<>();
            for (int i = 0; i < config.layers(); i++) {
                try (HostArena temporary = new HostArena()) {
                    // What is transposed only to be quantized is done with after its layer.
                    TensorArena transposed = quantization.isPresent() ? temporary : host;
                    CheckpointTensors source = new CheckpointTensors(checkpoint, transposed, backend.workers(), scan);
                    layers.add(new ResidentLayer(
                            architecture.layer(config, i, source).map(placement::place, placement::place)));
                }
            }
            this.finalNorm = placement.place(whole.get(architecture.finalNormName(config)));
            this.head = config.tiedHead()
                    ? embedding
                    : placement.place(Weight.of(whole.get(architecture.headName(config))));
        } catch (RuntimeException | Error e) {
            copies.close();
            host.close();
            throw e;
        }
    }

    /** Brings tensors into the form that they are computed with. */
    private record Placement(
            Backend backend, Optional<WeightQuantizer> quantizer, TensorArena copies, TensorArena host) {
        Tensor place(Tensor vector) {
            return backend.place(vector, copies);
        }

        Weight place(Weight weight) {
            if (quantizer.isEmpty()) {
                return backend.place(weight, copies);
            }
            Weight quantized = quantizer.get().quantize(weight, host);
            for (Tensor block : weight.blocks()) {
                if (!block.dtype().isQuantized()) {
                    CheckpointTensors.release(block);
                }
            }
            return backend.place(quantized, copies);
        }
    }

    @Override
    public Weight embedding() {
        return embedding;
    }

    @Override
    public Optional<Tensor> embeddingNorm() {
        return embeddingNorm;
    }

    @Override
    public void prefetch(int layer) {
        // Nothing is ever away.
    }

    @Override
    public LayerLease lease(int layer) {
        return layers.get(layer);
    }

    @Override
    public Tensor finalNorm() {
        return finalNorm;
    }

    @Override
    public Weight head() {
        return head;
    }

    @Override
    public void close() {
        copies.close();
        host.close();
        checkpoint.close();
    }
}
