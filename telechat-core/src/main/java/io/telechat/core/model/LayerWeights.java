// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * The parameters of one decoder layer. D = hidden, F = ffn.
 *
 * @param attnNorm [D]
 * @param qkv [queries + 2·keys, D]: queries | keys | values, heads in order within each
 * @param attnOut [D, queries]
 * @param ffnNorm [D]
 * @param gateUp [2·F, D]: gate | up
 * @param down [D, F]
 */
public record LayerWeights(Tensor attnNorm, Weight qkv, Weight attnOut, Tensor ffnNorm, Weight gateUp, Weight down) {

    /** These weights, each turned into something else. */
    LayerWeights map(UnaryOperator<Tensor> vectors, UnaryOperator<Weight> matrices) {
        return new LayerWeights(
                vectors.apply(attnNorm),
                matrices.apply(qkv),
                matrices.apply(attnOut),
                vectors.apply(ffnNorm),
                matrices.apply(gateUp),
                matrices.apply(down));
    }

    long bytes() {
        return attnNorm.bytes() + qkv.bytes() + attnOut.bytes() + ffnNorm.bytes() + gateUp.bytes() + down.bytes();
    }
}
