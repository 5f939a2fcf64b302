// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;
import java.util.List;

/**
 * All weights of a model, or tensors of the same shapes, such as their gradients.
 *
 * @param layers the decoder layers in order
 */
public record ModelWeights(EmbeddingWeights embedding, List<LayerWeights> layers, HeadWeights head) {
    public ModelWeights {
        layers = List.copyOf(layers);
    }

    /** The matrix of this name. */
    public Weight matrix(WeightId id) {
        return switch (id.part()) {
            case EMBEDDING -> embedding.table();
            case HEAD -> head.matrix();
            default -> layers.get(id.layer()).matrix(id.part());
        };
    }

    /** The weight of the norm of this name. */
    public Tensor norm(WeightId id) {
        return switch (id.part()) {
            case EMBEDDING_NORM -> embedding.norm().orElseThrow();
            case FINAL_NORM -> head.norm();
            default -> layers.get(id.layer()).norm(id.part());
        };
    }
}
