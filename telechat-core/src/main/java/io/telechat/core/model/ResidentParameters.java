// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelWeights;
import java.util.List;

/** All parameters in memory for as long as the model lives, so that their leases are free. */
public final class ResidentParameters implements ParameterStore {
    private final Lease<EmbeddingWeights> embedding;
    private final List<Lease<LayerWeights>> layers;
    private final Lease<HeadWeights> head;
    private final List<Runnable> releases;

    /** @param releases free what the weights lie in, run in this order when the store is closed */
    public ResidentParameters(ModelWeights weights, Runnable... releases) {
        this.embedding = Lease.resident(weights.embedding());
        this.layers = weights.layers().stream().map(Lease::resident).toList();
        this.head = Lease.resident(weights.head());
        this.releases = List.of(releases);
    }

    @Override
    public Lease<EmbeddingWeights> embedding() {
        return embedding;
    }

    @Override
    public Lease<LayerWeights> layer(int index) {
        return layers.get(index);
    }

    @Override
    public Lease<HeadWeights> head() {
        return head;
    }

    @Override
    public void prefetch(Section section) {
        // Nothing is ever away.
    }

    @Override
    public void close() {
        releases.forEach(Runnable::run);
    }
}
