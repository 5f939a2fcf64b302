// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;

/**
 * What stands behind the layers. D = hidden, V = vocabulary.
 *
 * @param norm [D]
 * @param matrix [V, D]; the embedding table itself where the two are tied
 */
public record HeadWeights(Tensor norm, Weight matrix) {}
