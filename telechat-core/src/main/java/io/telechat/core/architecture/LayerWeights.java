// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import java.util.List;

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
    /** The matrices in the order of the computation. */
    public List<Weight> matrices() {
        return List.of(qkv, attnOut, gateUp, down);
    }

    public long bytes() {
        return attnNorm.bytes() + qkv.bytes() + attnOut.bytes() + ffnNorm.bytes() + gateUp.bytes() + down.bytes();
    }
}
