// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** All parameters in memory for as long as the model lives, so that their leases are free. */
public final class ResidentParameters implements ParameterStore {
    private final ModelWeights weights;
    private final List<Runnable> releases;

    /** @param releases free what the weights lie in, run in this order when the store is closed */
    public ResidentParameters(ModelWeights weights, Runnable... releases) {
        this.weights = weights;
        this.releases = List.of(releases);
    }

    /** The lease of a layer that stays where it is. */
    private record ResidentLayer(LayerWeights weights) implements LayerLease {
        @Override
        public void close() {
            // Resident weights stay.
        }
    }

    @Override
    public Weight embedding() {
        return weights.embedding();
    }

    @Override
    public Optional<Tensor> embeddingNorm() {
        return weights.embeddingNorm();
    }

    @Override
    public void prefetch(int layer) {
        // Nothing is ever away.
    }

    @Override
    public LayerLease lease(int layer) {
        return new ResidentLayer(weights.layers().get(layer));
    }

    @Override
    public Tensor finalNorm() {
        return weights.finalNorm();
    }

    @Override
    public Weight head() {
        return weights.head();
    }

    @Override
    public void close() {
        releases.forEach(Runnable::run);
    }
}
