// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.Optional;

/**
 * Where the gradients between the formulas of one layer are: in place of activations that the backward pass has done with by
 * then. n = rows, F = ffn.
 *
 * @param ffn [n, F], in place of the activation
 * @param gateUp [n, 2·F], likewise
 * @param attn [n, queries], in place of {@code ffn}
 * @param qkv [n, queries | keys | values], in place of {@code gateUp}
 */
record LayerGradients(Tensor ffn, Tensor gateUp, Tensor attn, Tensor qkv) {
    /** For models whose feed-forward network is narrower than attention. */
    record Spare(Optional<Tensor> attn, Optional<Tensor> qkv) {
        static Spare allocate(ModelConfig config, int rows, TensorArena arena) {
            return new Spare(
                    spare(config.ffn(), config.heads().queryWidth(), rows, arena),
                    spare(2L * config.ffn(), config.heads().qkvWidth(), rows, arena));
        }

        private static Optional<Tensor> spare(long there, long needed, int rows, TensorArena arena) {
            return there >= needed ? Optional.empty() : Optional.of(arena.allocate(DType.F32, rows, needed));
        }

        static long bytes(ModelConfig config, int rows) {
            long attn = config.heads().queryWidth();
            long qkv = config.heads().qkvWidth();
            return 4L * rows * ((config.ffn() >= attn ? 0 : attn) + (2L * config.ffn() >= qkv ? 0 : qkv));
        }
    }

    static LayerGradients inPlaceOf(Activations a, Spare spare) {
        return new LayerGradients(
                a.ffn(),
                a.gateUp(),
                spare.attn().orElseGet(() -> inPlaceOf(a.ffn(), a.attn())),
                spare.qkv().orElseGet(() -> inPlaceOf(a.gateUp(), a.qkv())));
    }

    private static Tensor inPlaceOf(Tensor activation, Tensor of) {
        return activation
                .reshape(activation.shape().elements())
                .rows(0, of.shape().elements())
                .reshape(of.rows(), of.columns());
    }
}
