// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.Optional;

/** Where the parameters are, and when: the model takes each layer's weights on lease and never holds on to them. */
public interface ParameterStore extends AutoCloseable {
    /** [vocab, hidden]. */
    Weight embedding();

    /** [hidden]. */
    Optional<Tensor> embeddingNorm();

    /** Announces that a layer will be leased soon; no-op outside of the model's layers. */
    void prefetch(int layer);

    LayerLease lease(int layer);

    /** [hidden]. */
    Tensor finalNorm();

    /** [vocab, hidden]. */
    Weight head();

    @Override
    void close();
}
