// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.Optional;

/**
 * Where the gradients between the formulas of one layer are: in place of activations that the backward pass has done with by
 * then. n = rows, F = ffn.
 *
 * @param ffn [n, F], in place of the activation; F32
 * @param gateUp [n, 2·F], likewise, and of its type
 * @param attn [n, queries], in place of {@code ffn}; F32
 * @param qkv [n, queries | keys | values], in place of {@code gateUp}, and of its type
 */
public record LayerGradients(Tensor ffn, Tensor gateUp, Tensor attn, Tensor qkv) {
    /** For models whose feed-forward network is narrower than attention. */
    public record Spare(Optional<Tensor> attn, Optional<Tensor> qkv) {
        /** @param kept type of the activations between the products */
        public static Spare allocate(ModelConfig config, int rows, DType kept, TensorArena arena) {
            return new Spare(allocate(DType.F32, attn(config), rows, arena), allocate(kept, qkv(config), rows, arena));
        }

        private static Optional<Tensor> allocate(DType type, long columns, int rows, TensorArena arena) {
            return columns == 0 ? Optional.empty() : Optional.of(arena.allocate(type, rows, columns));
        }

        public static long bytes(ModelConfig config, int rows, DType kept) {
            return rows * (DType.F32.bytes() * attn(config) + kept.bytes() * qkv(config));
        }

        /** Columns of a tensor of its own; 0 where the activation has room. */
        private static long attn(ModelConfig config) {
            long needed = config.heads().queryWidth();
            return config.ffn() >= needed ? 0 : needed;
        }

        private static long qkv(ModelConfig config) {
            long needed = config.heads().qkvWidth();
            return 2L * config.ffn() >= needed ? 0 : needed;
        }
    }

    public static LayerGradients inPlaceOf(Activations a, Spare spare) {
        return new LayerGradients(
                a.ffn(),
                a.gateUp(),
                spare.attn().orElseGet(() -> inPlaceOf(a.ffn(), a.attn())),
                spare.qkv().orElseGet(() -> inPlaceOf(a.gateUp(), a.qkv())));
    }

    private static Tensor inPlaceOf(Tensor activation, Tensor of) {
        return inPlaceOf(activation, of.rows(), of.columns());
    }

    /** A tensor [rows, columns] in the memory of one that is not needed any more. */
    static Tensor inPlaceOf(Tensor unneeded, long rows, long columns) {
        return unneeded.reshape(unneeded.shape().elements())
                .rows(0, rows * columns)
                .reshape(rows, columns);
    }
}
