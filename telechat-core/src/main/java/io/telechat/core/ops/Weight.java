// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * The matrix of a linear layer, {@code [out, in]}, as a vertical stack of blocks of rows. Checkpoints keep query and
 * key/value, or gate and up, in separate or interleaved tensors; stacking views of the mapped file makes them one
 * product without copying a byte.
 *
 * @param blocks at least one tensor [rows, in], all of one {@code in}
 * @param bias [out] in F32
 */
public record Weight(List<Tensor> blocks, Optional<Tensor> bias) {
    public Weight {
        blocks = List.copyOf(blocks);
        if (blocks.isEmpty()) {
            throw new IllegalArgumentException("a weight needs at least one block");
        }
        long in = blocks.getFirst().columns();
        for (Tensor block : blocks) {
            if (block.shape().rank() != 2 || block.columns() != in) {
                throw new IllegalArgumentException("blocks of one weight differ in width: " + blocks);
            }
        }
    }

    /** A weight in one piece, without a bias. */
    public static Weight of(Tensor matrix) {
        return new Weight(List.of(matrix), Optional.empty());
    }

    public long outFeatures() {
        long rows = 0;
        for (int i = 0; i < blocks.size(); i++) { // no stream: asked for with every product
            rows += blocks.get(i).rows();
        }
        return rows;
    }

    public long inFeatures() {
        return blocks.getFirst().columns();
    }

    public long bytes() {
        return blocks.stream().mapToLong(Tensor::bytes).sum()
                + bias.map(Tensor::bytes).orElse(0L);
    }
}
