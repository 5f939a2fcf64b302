// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A published architecture: how its config.json reads, what its tensors are called, and how they make up a layer. */
public interface Architecture {
    /** For people and {@code telechat info}. */
    String name();

    /** Whether a checkpoint with this configuration and these tensor names is of this architecture. */
    boolean matches(ConfigFile config, Set<String> tensorNames);

    /**
     * @param tensorNames names in the checkpoint; empty for a model that is yet to be made
     * @throws io.telechat.core.InvalidModelException if a value is missing or impossible
     */
    ModelConfig readConfig(ConfigFile config, Set<String> tensorNames);

    /** Every tensor of the model, in the order of the computation. */
    List<TensorSpec> tensors(ModelConfig config);

    /** Whether a tensor that {@link #tensors} does not list is known to be of no use, and may be passed over. */
    boolean ignores(String tensorName);

    /** Name of the embedding table, [vocab, hidden]. */
    String embeddingName(ModelConfig config);

    /** Name of the norm on embeddings, [hidden]; asked for only where the configuration has one. */
    default String embeddingNormName(ModelConfig config) {
        throw new IllegalStateException(name() + " does not normalise embeddings");
    }

    /** Name of the norm behind the last layer, [hidden]. */
    String finalNormName(ModelConfig config);

    /** Name of the head, [vocab, hidden]; the embedding's where the two are tied. */
    default String headName(ModelConfig config) {
        return config.tiedHead() ? embeddingName(config) : "lm_head.weight";
    }

    /** What stands behind the layers: the norm, and the head, unless it is the embedding table. */
    default List<TensorSpec> headTensors(ModelConfig config) {
        TensorSpec norm = TensorSpec.ones(finalNormName(config), config.hidden());
        return config.tiedHead()
                ? List.of(norm)
                : List.of(
                        norm,
                        TensorSpec.normal(
                                headName(config), config.initializerRange(), config.vocabSize(), config.hidden()));
    }

    /** The weights of a layer, assembled from the tensors of the checkpoint. */
    LayerWeights layer(ModelConfig config, int layer, WeightSource tensors);

    /** All weights, assembled from the tensors of the checkpoint in the order of the computation. */
    default ModelWeights assemble(ModelConfig config, WeightSource tensors) {
        EmbeddingWeights embedding = embedding(config, tensors);
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            layers.add(layer(config, i, tensors));
        }
        return new ModelWeights(embedding, layers, head(config, tensors, embedding));
    }

    /** What stands before the layers. */
    default EmbeddingWeights embedding(ModelConfig config, WeightSource tensors) {
        Weight table = tensors.matrix(WeightId.EMBEDDING, tensors.get(embeddingName(config)));
        return new EmbeddingWeights(
                table,
                config.embeddingNorm() ? Optional.of(tensors.norm(embeddingNormName(config))) : Optional.empty());
    }

    /** What stands behind the layers, which may share the table of the embedding. */
    default HeadWeights head(ModelConfig config, WeightSource tensors, EmbeddingWeights embedding) {
        Tensor norm = tensors.norm(finalNormName(config));
        return new HeadWeights(
                norm,
                config.tiedHead() ? embedding.table() : tensors.matrix(WeightId.HEAD, tensors.get(headName(config))));
    }
}
