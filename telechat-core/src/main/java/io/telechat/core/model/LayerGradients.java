// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

/**
 * Memory for the gradients between the formulas of one layer, used by every layer in turn. n = rows, D = hidden, F = ffn.
 *
 * @param norm [n, D], of what a norm gave
 * @param qkv [n, queries | keys | values]
 * @param attn [n, queries]
 * @param ffn [n, F]
 */
record LayerGradients(Tensor norm, Tensor qkv, Tensor attn, Tensor ffn) {
    static LayerGradients allocate(ModelConfig config, int rows, TensorArena arena) {
        return new LayerGradients(
                arena.allocate(DType.F32, rows, config.hidden()),
                arena.allocate(DType.F32, rows, config.heads().qkvWidth()),
                arena.allocate(DType.F32, rows, config.heads().queryWidth()),
                arena.allocate(DType.F32, rows, config.ffn()));
    }

    static long bytes(ModelConfig config, int rows) {
        long perRow =
                config.hidden() + config.heads().qkvWidth() + config.heads().queryWidth() + (long) config.ffn();
        return 4 * perRow * rows;
    }
}
