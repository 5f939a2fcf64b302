// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * All weights of a model, or tensors of the same shapes, such as their gradients. D = hidden, V = vocabulary.
 *
 * @param embedding [V, D]
 * @param embeddingNorm [D], where the architecture has one
 * @param layers the decoder layers in order
 * @param finalNorm [D], behind the last layer
 * @param head [V, D]; the embedding itself where the two are tied
 */
public record ModelWeights(
        Weight embedding, Optional<Tensor> embeddingNorm, List<LayerWeights> layers, Tensor finalNorm, Weight head) {
    public ModelWeights {
        layers = List.copyOf(layers);
    }

    /** The matrix of this name. */
    public Weight matrix(WeightId id) {
        return switch (id.part()) {
            case EMBEDDING -> embedding;
            case HEAD -> head;
            case QKV -> layers.get(id.layer()).qkv();
            case ATTN_OUT -> layers.get(id.layer()).attnOut();
            case GATE_UP -> layers.get(id.layer()).gateUp();
            case DOWN -> layers.get(id.layer()).down();
            case EMBEDDING_NORM, ATTN_NORM, FFN_NORM, FINAL_NORM, NONE ->
                throw new IllegalArgumentException(id + " is no matrix of the model");
        };
    }

    /** The weight of the norm of this name. */
    public Tensor norm(WeightId id) {
        return switch (id.part()) {
            case EMBEDDING_NORM -> embeddingNorm.orElseThrow();
            case ATTN_NORM -> layers.get(id.layer()).attnNorm();
            case FFN_NORM -> layers.get(id.layer()).ffnNorm();
            case FINAL_NORM -> finalNorm;
            case EMBEDDING, QKV, ATTN_OUT, GATE_UP, DOWN, HEAD, NONE ->
                throw new IllegalArgumentException(id + " is no norm of the model");
        };
    }
}
