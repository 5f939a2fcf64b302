// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import io.telechat.core.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The parameters of one decoder layer. D = hidden, F = ffn.
 *
 * @param attnNorm [D]
 * @param qkv [queries + 2·keys, D]: queries | keys | values, heads in order within each
 * @param headNorms of queries and keys, where the architecture has them
 * @param attnOut [D, queries]
 * @param ffnNorm [D]
 * @param gateUp [2·F, D]: gate | up
 * @param down [D, F]
 */
public record LayerWeights(
        Tensor attnNorm,
        Weight qkv,
        Optional<HeadNorms> headNorms,
        Weight attnOut,
        Tensor ffnNorm,
        Weight gateUp,
        Weight down) {
    /** The matrices in the order of the computation. */
    public List<Weight> matrices() {
        return List.of(qkv, attnOut, gateUp, down);
    }

    /** The matrix of this name. */
    public Weight matrix(WeightId.Part part) {
        return switch (part) {
            case QKV -> qkv;
            case ATTN_OUT -> attnOut;
            case GATE_UP -> gateUp;
            case DOWN -> down;
            case EMBEDDING, EMBEDDING_NORM, ATTN_NORM, QUERY_NORM, KEY_NORM, FFN_NORM, FINAL_NORM, HEAD, NONE ->
                throw new IllegalArgumentException(part + " is no matrix of a layer");
        };
    }

    /** The weight of the norm of this name. */
    public Tensor norm(WeightId.Part part) {
        return switch (part) {
            case ATTN_NORM -> attnNorm;
            case QUERY_NORM -> headNorms.orElseThrow().query();
            case KEY_NORM -> headNorms.orElseThrow().key();
            case FFN_NORM -> ffnNorm;
            case EMBEDDING, EMBEDDING_NORM, QKV, ATTN_OUT, GATE_UP, DOWN, FINAL_NORM, HEAD, NONE ->
                throw new IllegalArgumentException(part + " is no norm of a layer");
        };
    }

    /** The same layer with other tensors in place of these. */
    public LayerWeights map(UnaryOperator<Tensor> tensors) {
        return new LayerWeights(
                tensors.apply(attnNorm),
                qkv.map(tensors),
                headNorms.map(norms -> norms.map(tensors)),
                attnOut.map(tensors),
                tensors.apply(ffnNorm),
                gateUp.map(tensors),
                down.map(tensors));
    }

    public long bytes() {
        long norms = attnNorm.bytes()
                + headNorms.map(n -> n.query().bytes() + n.key().bytes()).orElse(0L)
                + ffnNorm.bytes();
        return norms + qkv.bytes() + attnOut.bytes() + gateUp.bytes() + down.bytes();
    }
}
