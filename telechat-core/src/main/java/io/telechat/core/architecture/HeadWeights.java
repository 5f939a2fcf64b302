// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * What stands behind the layers. D = hidden, V = vocabulary.
 *
 * @param norm [D]
 * @param matrix [V, D]; the embedding table itself where the two are tied
 */
public record HeadWeights(Tensor norm, Weight matrix) {
    /** The same with other tensors in place of these. */
    public HeadWeights map(UnaryOperator<Tensor> tensors) {
        return new HeadWeights(tensors.apply(norm), matrix.map(tensors));
    }
}
