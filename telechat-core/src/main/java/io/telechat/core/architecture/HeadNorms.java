// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * Norms of single heads, in front of the rotation.
 *
 * @param query [headDim]
 * @param key [headDim]
 */
public record HeadNorms(Tensor query, Tensor key) {
    /** The same with other tensors in place of these. */
    HeadNorms map(UnaryOperator<Tensor> tensors) {
        return new HeadNorms(tensors.apply(query), tensors.apply(key));
    }
}
