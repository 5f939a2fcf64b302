// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The matrix of a linear layer, {@code [out, in]}, as a vertical stack of blocks of rows. Checkpoints keep query and
 * key/value, or gate and up, in separate or interleaved tensors; stacking views of the mapped file makes them one
 * product without copying a byte.
 *
 * @param id which weight of the model it is
 * @param blocks at least one, all of one {@code in}
 */
public record Weight(WeightId id, List<Block> blocks) {
    /**
     * Some rows of the matrix.
     *
     * @param matrix [rows, in]
     * @param bias [rows] in F32, if there is one
     */
    public record Block(Tensor matrix, Optional<Tensor> bias) {
        /** Without a bias. */
        public static Block of(Tensor matrix) {
            return new Block(matrix, Optional.empty());
        }

        public static Block of(Tensor matrix, Tensor bias) {
            return new Block(matrix, Optional.of(bias));
        }

        public long rows() {
            return matrix.rows();
        }
    }

    public Weight {
        blocks = List.copyOf(blocks);
        if (blocks.isEmpty()) {
            throw new IllegalArgumentException("a weight needs at least one block");
        }
        long in = blocks.getFirst().matrix().columns();
        for (Block block : blocks) {
            if (block.matrix().shape().rank() != 2 || block.matrix().columns() != in) {
                throw new IllegalArgumentException("blocks of one weight differ in width: " + blocks);
            }
        }
    }

    /** A matrix in one piece, without a bias, that is no weight of a model. */
    public static Weight of(Tensor matrix) {
        return of(WeightId.NONE, matrix);
    }

    /** A weight in pieces without biases. */
    public static Weight of(WeightId id, Tensor... matrices) {
        return new Weight(id, Stream.of(matrices).map(Block::of).toList());
    }

    /** Matrices one above the other that are no weight of a model. */
    public static Weight stacked(List<Tensor> matrices) {
        return new Weight(WeightId.NONE, matrices.stream().map(Block::of).toList());
    }

    /** The same weight with other tensors in place of these. */
    public Weight map(UnaryOperator<Tensor> tensors) {
        return new Weight(
                id,
                blocks.stream()
                        .map(b -> new Block(tensors.apply(b.matrix()), b.bias().map(tensors)))
                        .toList());
    }

    /**
     * The blocks that make up rows {@code from} (inclusive) to {@code to} (exclusive), sharing this memory.
     *
     * @throws IllegalArgumentException if they do not begin and end where panels of a quantized matrix do
     */
    public List<Block> rows(long from, long to) {
        List<Block> parts = new ArrayList<>();
        long first = 0;
        for (Block block : blocks) {
            long begin = Math.max(from, first) - first;
            long end = Math.min(to, first + block.rows()) - first;
            if (begin < end) {
                Optional<Tensor> bias = block.bias().map(b -> b.rows(begin, end));
                parts.add(new Block(block.matrix().rows(begin, end), bias));
            }
            first += block.rows();
        }
        return parts;
    }

    public long outFeatures() {
        long rows = 0;
        for (int i = 0; i < blocks.size(); i++) { // no stream: asked for with every product
            rows += blocks.get(i).rows();
        }
        return rows;
    }

    public long inFeatures() {
        return blocks.getFirst().matrix().columns();
    }

    public boolean hasBias() {
        for (int i = 0; i < blocks.size(); i++) {
            if (blocks.get(i).bias().isPresent()) {
                return true;
            }
        }
        return false;
    }

    public long bytes() {
        return blocks.stream()
                .mapToLong(block ->
                        block.matrix().bytes() + block.bias().map(Tensor::bytes).orElse(0L))
                .sum();
    }
}
