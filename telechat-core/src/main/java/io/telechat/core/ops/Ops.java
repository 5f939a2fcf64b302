// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.Tensor;

/**
 * The forward formulas of a TeleChat decoder. Every method writes its last tensor argument(s) and allocates nothing
 * that outlives the call. Activations are F32, {@code [tokens, features]}; weights and caches may be narrower and are
 * widened to float before any arithmetic. Those of training may be BF16 where a backend keeps them so
 * ({@link io.telechat.core.backend.Backend#activations}). Implementations check shapes and throw {@link IllegalArgumentException}.
 *
 * <p>An {@code Ops} is passed in, never looked up, so that a decorator ({@link TracingOps}, tensor parallelism) can
 * stand between the model and a backend.
 */
public interface Ops {
    /**
     * A pass over a batch begins: what is the same for all its layers is prepared here. To be called again where the lengths of
     * the batch's caches have changed.
     */
    default void begin(Batch batch) {
        // A backend may have nothing to prepare.
    }

    /** What has been asked for is begun, where a backend has held it back: for who does not ask for its result now. */
    default void flush() {
        // Most backends have computed it.
    }

    /**
     * {@code out[t] = scale · table[tokens[t]]}.
     *
     * @param tokens ids in {@code [0, vocab)}
     * @param table [vocab, hidden], in one block
     * @param out [tokens, hidden]
     */
    void embed(int[] tokens, Weight table, float scale, Tensor out);

    /**
     * {@code y = x · rstd · weight} with {@code rstd = 1/√(mean(x²) + eps)} (Zhang and Sennrich 2019, arXiv:1910.07467).
     *
     * @param x [tokens, hidden]
     * @param weight [hidden]
     * @param y [tokens, hidden], may be {@code x}
     * @param rstd [tokens], kept for the backward pass
     */
    void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y, Tensor rstd);

    /**
     * {@code y = x · Wᵀ + bias}.
     *
     * @param x [tokens, in]
     * @param y [tokens, out]
     */
    void linear(Tensor x, Weight w, Tensor y);

    /**
     * {@code y = residual + x · Wᵀ + bias}; folding the addition in saves a pass over memory.
     *
     * @param residual [tokens, out]
     * @param y [tokens, out], may be {@code residual}
     */
    void linearAdd(Tensor x, Weight w, Tensor residual, Tensor y);

    /**
     * Normalises the queries and the keys head by head, as {@link #rmsNorm} does whole rows; values stay as they are (Henry et al.
     * 2020, arXiv:2010.04245, with RMSNorm as Qwen3 has it).
     *
     * @param x [tokens, (heads + 2·kvHeads)·headDim] = queries | keys | values
     * @param queryNorm [headDim]
     * @param keyNorm [headDim]
     * @param y likewise; may be {@code x}
     * @param rstd [tokens·(heads + kvHeads)], of all tokens' queries, then of all keys; kept for the backward pass
     */
    void headNorm(Tensor x, HeadLayout heads, Tensor queryNorm, Tensor keyNorm, float eps, Tensor y, Tensor rstd);

    /**
     * Turns the queries and keys of {@code qkv} in place by the angles of each span's {@link RopeTable}: feature pairs
     * {@code (i, i + headDim/2)} (Su et al. 2021, arXiv:2104.09864, in its rotate-half form). Queries are multiplied by the
     * table's factors then.
     *
     * @param qkv [tokens, (heads + 2·kvHeads)·headDim] = queries | keys | values
     */
    void rope(Tensor qkv, HeadLayout heads, Batch batch);

    /**
     * Turns all keys of a cache back by {@code from} and forward by {@code to}: what a cache of rotated keys needs where
     * the reference keeps un-rotated ones and its rotation base changes with the length. Both of magnitude 1.
     *
     * @param from angles under which the keys were stored, for positions {@code 0 … cache.length()}
     */
    void turnKeys(KvCache cache, RopeTable from, RopeTable to);

    /**
     * Stores each span's new keys and values behind those in its cache, then {@code out = softmax(q·kᵀ/√headDim)·v} over
     * all positions up to each query's own (Vaswani et al. 2017, arXiv:1706.03762; grouped queries: arXiv:2305.13245).
     * Does not move the caches' lengths on: that is done once all layers have run.
     *
     * @param qkv [tokens, (heads + 2·kvHeads)·headDim], rotated
     * @param layer whose part of the caches to use
     * @param out [tokens, heads·headDim]
     * @param lse [tokens, heads], the logarithm of each softmax's denominator, kept for the backward pass
     */
    void attention(Tensor qkv, HeadLayout heads, Batch batch, int layer, Tensor out, Tensor lse);

    /**
     * {@code out = silu(gate) · up} with {@code silu(x) = x/(1 + e⁻ˣ)} (Shazeer 2020, arXiv:2002.05202).
     *
     * @param gateUp [tokens, 2·ffn] = gate | up
     * @param out [tokens, ffn]
     */
    void swiGlu(Tensor gateUp, Tensor out);

    /**
     * {@code out[i] = x[rows[i]]}.
     *
     * @param x [tokens, features]
     * @param out [rows, features]
     */
    void selectRows(Tensor x, int[] rows, Tensor out);

    /**
     * {@code to[t, at + i] = from[t, first + i]} for {@code i} below {@code count}.
     *
     * @param from [tokens, …]
     * @param to [tokens, …]
     */
    void copyColumns(Tensor from, int first, Tensor to, int at, int count);

    /**
     * Sets some rows to zero.
     *
     * @param x [tokens, features]
     * @param which of the tokens
     */
    void clearRows(Tensor x, boolean[] which);

    /** {@code x = factor · x}, in place. */
    void scale(Tensor x, float factor);
}
