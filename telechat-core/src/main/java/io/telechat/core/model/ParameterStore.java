// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.LayerWeights;

/** Where the parameters are, and when: the model takes each section's weights on lease and never holds on to them. */
public interface ParameterStore extends AutoCloseable {
    Lease<EmbeddingWeights> embedding();

    Lease<LayerWeights> layer(int index);

    Lease<HeadWeights> head();

    /** Announces that a section will be leased soon. */
    void prefetch(Section section);

    @Override
    void close();
}
