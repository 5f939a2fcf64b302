// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * The inner loops of the CPU backend, in one body per {@link KernelTier}. A kernel works on a range of rows or heads that the
 * caller has cut out; it starts no threads and checks no shapes. Segments are native memory, activations are F32, row-major.
 *
 * <p>The order of additions depends on the tier and on the length of the sum only, so a token's result does not depend on the
 * tokens that are computed with it.
 */
public interface Kernels {
    KernelTier tier();

    /** {@code y = x / √(mean(x²) + eps) · weight} for each row; {@code rstd} takes the factors. */
    void rmsNorm(
            MemorySegment x,
            MemorySegment weight,
            float eps,
            MemorySegment y,
            MemorySegment rstd,
            long rows,
            long columns);

    /**
     * Rotates the first {@code heads} heads of each row.
     *
     * @param x [rows, stride]
     * @param cos [rows, half]
     * @param sin [rows, half]
     */
    void rope(MemorySegment x, MemorySegment cos, MemorySegment sin, long rows, long stride, long heads, int half);

    /** {@code out = silu(gate) · up}; [rows, 2·columns] to [rows, columns]. */
    void swiGlu(MemorySegment gateUp, MemorySegment out, long rows, long columns);

    /** {@code x = factor · x}. */
    void scale(MemorySegment x, float factor, long count);

    /**
     * A product of some rows of weights with all rows of activations: {@code y[t, r] (+)= Σ x[t, i] · weights[r, i] + bias[r]}.
     *
     * @param weights [rows, columns]
     * @param x [tokens, columns]; integers as {@link #quantize} writes them where the weights are quantized
     * @param bias [rows], or {@link MemorySegment#NULL}
     * @param y [tokens, rows], rows {@code stride} floats apart
     * @param add whether to add to what is in {@code y}
     */
    record Product(
            MemorySegment weights,
            long rows,
            long columns,
            MemorySegment x,
            long tokens,
            MemorySegment bias,
            MemorySegment y,
            long stride,
            boolean add) {}

    /**
     * Puts activations into the order that {@link #linear} takes them in for bfloat16, whose weights come two to a lane: of
     * every two vectors of elements those with even indices, then those with odd ones.
     */
    void pair(MemorySegment x, long tokens, long columns, MemorySegment to);

    /**
     * A product with weights of F32, F16 or BF16; for BF16, x is as {@link #pair} orders it.
     *
     * @param scratch of {@link #linearScratch} floats
     */
    void linear(DType type, Product product, MemorySegment scratch);

    /** Whether there are {@link #roundTokens} and {@link #linearBf16}: where the CPU multiplies bfloat16 faster than floats. */
    default boolean multipliesBf16() {
        return false;
    }

    /** Why what belongs to {@link #multipliesBf16} is missing. */
    String NO_BF16 = "no instructions for bfloat16";

    /** Tokens whose rounded activations may lie interleaved. */
    int ROUNDED_TOGETHER = 16;

    /** Bytes of a token's rounded activations. */
    default long roundedBytes(long columns) {
        throw new UnsupportedOperationException(NO_BF16);
    }

    /**
     * Rounds activations to BF16, to the nearest, ties to even, and lays them out as {@link #linearBf16} takes them.
     *
     * @param tokens a multiple of {@link #ROUNDED_TOGETHER}, but for the last of a matrix
     * @param to of {@link #roundedBytes} for each token
     */
    default void roundTokens(MemorySegment x, long tokens, long columns, MemorySegment to) {
        throw new UnsupportedOperationException(NO_BF16);
    }

    /** A product of BF16 weights with activations from {@link #roundTokens}, summed as floats. */
    default void linearBf16(Product product) {
        throw new UnsupportedOperationException(NO_BF16);
    }

    /** Floats of scratch that {@link #linear} needs. */
    long linearScratch(long columns);

    /** Bytes of a token's activations as {@link #quantize} writes them. */
    long quantizedBytes(DType weights, long columns);

    /**
     * Rounds activations to integers, see {@link io.telechat.core.quant.QuantizedActivations}.
     *
     * @param weights what they will be multiplied with: Q8 or Q4
     */
    void quantize(DType weights, MemorySegment x, long tokens, long columns, MemorySegment to);

    /** A product with weights of Q8 or Q4. */
    void linearQuantized(DType type, Product product);

    /**
     * The part of a sequence's cache that belongs to some neighbouring key/value heads.
     *
     * @param type F32, F16, BF16 or Q8
     * @param blocks addresses of the cache's blocks of 64 positions
     * @param keys where the first head's keys [headDim, 64] begin in each block, in elements (bytes, with Q8); the next head's
     *     follow
     * @param values where its values [64, headDim] begin, likewise
     * @param count of heads
     * @param headDim elements of a key
     */
    record CachedHeads(DType type, MemorySegment blocks, long keys, long values, int count, int headDim) {}

    /**
     * Stores keys and values of {@code count} tokens.
     *
     * @param position of the first of them
     * @param key of the first token and head; the next head's follows, the next token's lies {@code stride} floats on
     * @param value likewise
     */
    void storeKeysValues(
            CachedHeads heads, long position, long count, MemorySegment key, MemorySegment value, long stride);

    /**
     * Rows of a matrix that belong to the query heads of some key/value heads.
     *
     * @param first where the first token's begin
     * @param stride floats from one token to the next
     */
    record HeadRows(MemorySegment first, long stride) {}

    /**
     * Consecutive tokens of a sequence that look at its cache.
     *
     * @param position of the first
     * @param group query heads that share a key/value head
     * @param rows rotated, not scaled yet
     */
    record Queries(long position, long count, int group, HeadRows rows) {
        /** Stretches of the context that the last token sees. */
        public int stretches() {
            return Math.toIntExact(Math.ceilDiv(position + count, STRETCH));
        }

        public long perHead() {
            return count * group;
        }
    }

    /**
     * Positions of the context that a query takes in at once, counted from the context's beginning: a whole number of blocks. The
     * results of several stretches are folded in their order, so it does not matter which thread computes which.
     */
    int STRETCH = 512;

    /**
     * Attention to stretches {@code first} to before {@code end} of the context.
     *
     * @param states takes what the queries of each head gather there, {@link #attendState} floats
     * @param scratch of {@link #attendScratch} floats
     */
    void attend(CachedHeads heads, Queries queries, int first, int end, MemorySegment states, MemorySegment scratch);

    /**
     * What was gathered in several parts of the context.
     *
     * @param first of the first part and head; the next head's follows
     * @param count of parts
     * @param stride floats from one part to the next
     */
    record States(MemorySegment first, int count, long stride) {}

    /**
     * Folds what was gathered in the parts of the context, in their order, into the first and gives the result.
     *
     * @param lse the logarithms of the softmax's denominators
     */
    void attendFold(CachedHeads heads, Queries queries, States states, HeadRows out, HeadRows lse);

    /** Floats of what the queries of a head gather. */
    long attendState(long queries, long headDim);

    /**
     * Floats of scratch that {@link #attend} needs.
     *
     * @param queries of one key/value head: tokens times group
     */
    long attendScratch(long queries, long headDim);
}
