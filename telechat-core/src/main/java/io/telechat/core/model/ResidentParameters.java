// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All parameters in memory for as long as the model lives; mapped where the file's layout is the one we compute with. */
public final class ResidentParameters implements ParameterStore {
    private final Checkpoint checkpoint;
    private final TensorArena copies;
    private final TensorArena transposed = new HostArena();
    private final Weight embedding;
    private final Optional<Tensor> embeddingNorm;
    private final List<LayerLease> layers;
    private final Tensor finalNorm;
    private final Weight head;

    private record ResidentLayer(LayerWeights weights) implements LayerLease {
        @Override
        public void close() {
            // Resident weights stay.
        }
    }

    /** Takes over the checkpoint, and closes it with itself, unless this fails. Its tensors must have been checked before. */
    ResidentParameters(Checkpoint checkpoint, ModelConfig config, Backend backend) {
        this.checkpoint = checkpoint;
        this.copies = backend.newArena();
        Architecture architecture = config.architecture();
        try {
            this.embedding = backend.place(Weight.of(checkpoint.tensor(architecture.embeddingName(config))), copies);
            this.embeddingNorm = config.embeddingNorm()
                    ? Optional.of(backend.place(checkpoint.tensor(architecture.embeddingNormName(config)), copies))
                    : Optional.empty();
            this.layers = new ArrayList<>();
            Transposer source = new Transposer(checkpoint, transposed, backend.workers());
            for (int i = 0; i < config.layers(); i++) {
                layers.add(
                        new ResidentLayer(architecture.layer(config, i, source).placedOn(backend, copies)));
            }
            this.finalNorm = backend.place(checkpoint.tensor(architecture.finalNormName(config)), copies);
            this.head = config.tiedHead()
                    ? embedding
                    : backend.place(Weight.of(checkpoint.tensor(architecture.headName(config))), copies);
        } catch (RuntimeException | Error e) {
            copies.close();
            transposed.close();
            throw e;
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
        transposed.close();
        checkpoint.close();
    }
}
