// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

/**
 * Memory for the values between the formulas of one pass, allocated once and reused by every layer. n = rows,
 * D = hidden, F = ffn. All F32; in training {@code projected}, {@code qkv}, {@code attn} and {@code gateUp} may be BF16.
 *
 * @param x [n, D], input of the layer
 * @param y [n, D], output of the layer
 * @param norm1 [n, D], what attention reads
 * @param rstd1 [n], of the first norm
 * @param projected [n, queries | keys | values], before head norms and rotation; shares memory with {@code qkv} where there are
 *     no head norms, and in inference
 * @param rstdHeads [n·(heads + kvHeads)], of the head norms; empty where there are none
 * @param qkv [n, queries | keys | values], as attention reads them
 * @param attn [n, queries]
 * @param lse [n, heads]
 * @param h [n, D], the residual stream between attention and feed-forward
 * @param norm2 [n, D], what the feed-forward network reads; inference lets it share memory with {@code norm1}
 * @param rstd2 [n], of the second norm; likewise
 * @param gateUp [n, 2·F]
 * @param ffn [n, F]
 */
public record Activations(
        Tensor x,
        Tensor y,
        Tensor norm1,
        Tensor rstd1,
        Tensor projected,
        Tensor rstdHeads,
        Tensor qkv,
        Tensor attn,
        Tensor lse,
        Tensor h,
        Tensor norm2,
        Tensor rstd2,
        Tensor gateUp,
        Tensor ffn) {

    /** For inference, which has done with the first norm when the second begins. */
    public static Activations allocate(ModelConfig config, int rows, TensorArena arena) {
        Tensor norm = arena.allocate(DType.F32, rows, config.hidden());
        Tensor rstd = arena.allocate(DType.F32, rows);
        Tensor qkv = arena.allocate(DType.F32, rows, config.heads().qkvWidth());
        return new Activations(
                arena.allocate(DType.F32, rows, config.hidden()),
                arena.allocate(DType.F32, rows, config.hidden()),
                norm,
                rstd,
                qkv,
                arena.allocate(DType.F32, rows * normedHeads(config)),
                qkv,
                arena.allocate(DType.F32, rows, config.heads().queryWidth()),
                arena.allocate(DType.F32, rows, config.heads().heads()),
                arena.allocate(DType.F32, rows, config.hidden()),
                norm,
                rstd,
                arena.allocate(DType.F32, rows, 2L * config.ffn()),
                arena.allocate(DType.F32, rows, config.ffn()));
    }

    /** Bytes that {@link #allocate} takes. */
    public static long bytes(ModelConfig config, int rows) {
        long perRow = 4L * config.hidden()
                + 1
                + normedHeads(config)
                + config.heads().qkvWidth()
                + config.heads().queryWidth()
                + config.heads().heads()
                + 3L * config.ffn();
        return perRow * rows * DType.F32.bytes();
    }

    /** Heads of a row that have a norm. */
    public static long normedHeads(ModelConfig config) {
        HeadLayout heads = config.heads();
        return config.headNorm() ? heads.heads() + heads.kvHeads() : 0;
    }

    public int capacity() {
        return (int) x.rows();
    }

    /** The first {@code rows} rows of each. */
    Activations first(int rows) {
        if (rows == capacity()) {
            return this;
        }
        return new Activations(
                x.rows(0, rows),
                y.rows(0, rows),
                norm1.rows(0, rows),
                rstd1.rows(0, rows),
                projected.rows(0, rows),
                rstdHeads.rows(0, rstdHeads.rows() / capacity() * rows),
                qkv.rows(0, rows),
                attn.rows(0, rows),
                lse.rows(0, rows),
                h.rows(0, rows),
                norm2.rows(0, rows),
                rstd2.rows(0, rows),
                gateUp.rows(0, rows),
                ffn.rows(0, rows));
    }

    /** The same with input and output exchanged, for the next layer. */
    Activations swapped() {
        return new Activations(y, x, norm1, rstd1, projected, rstdHeads, qkv, attn, lse, h, norm2, rstd2, gateUp, ffn);
    }
}
