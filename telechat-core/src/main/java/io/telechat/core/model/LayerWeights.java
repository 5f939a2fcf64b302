// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

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

    /** These weights in the form that a backend works best on. */
    LayerWeights placedOn(Backend backend, TensorArena arena) {
        return new LayerWeights(
                backend.place(attnNorm, arena),
                backend.place(qkv, arena),
                backend.place(attnOut, arena),
                backend.place(ffnNorm, arena),
                backend.place(gateUp, arena),
                backend.place(down, arena));
    }
}
