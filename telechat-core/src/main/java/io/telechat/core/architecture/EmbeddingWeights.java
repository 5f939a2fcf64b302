// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What stands before the layers. D = hidden, V = vocabulary.
 *
 * @param table [V, D]
 * @param norm [D], where the architecture has one
 */
public record EmbeddingWeights(Weight table, Optional<Tensor> norm) {
    /** The same with other tensors in place of these. */
    public EmbeddingWeights map(UnaryOperator<Tensor> tensors) {
        return new EmbeddingWeights(table.map(tensors), norm.map(tensors));
    }
}
