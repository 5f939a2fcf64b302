// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keys (rotated) and values of one sequence, for all layers, in blocks of {@link #BLOCK} positions that are allocated as
 * the sequence grows. Within a block, the keys of one head are stored as [headDim, BLOCK] and its values as
 * [BLOCK, headDim]: so the scores of a block's positions are sums of scaled rows, and so is the weighted sum of its values,
 * and attention needs no sum across a vector.
 *
 * <p>Not thread-safe: one sequence is computed by one call at a time.
 */
public final class KvCache implements AutoCloseable {
    /** Positions per block. */
    public static final int BLOCK = 64;

    private final int layers;
    private final HeadLayout heads;
    private final DType dtype;
    private final TensorArena arena;
    private final List<Tensor> blocks = new ArrayList<>();
    private int length;
    private Optional<RopeScaling> scaling = Optional.empty();
    private boolean uniform = true;
    private boolean closed;

    /**
     * @param dtype F32, F16 or BF16
     * @param arena owned by this cache from now on
     */
    public KvCache(int layers, HeadLayout heads, DType dtype, TensorArena arena) {
        this.layers = layers;
        this.heads = heads;
        this.dtype = dtype;
        this.arena = arena;
    }

    /** Positions stored so far in every layer. */
    public int length() {
        return length;
    }

    public DType dtype() {
        return dtype;
    }

    public int layers() {
        return layers;
    }

    public HeadLayout heads() {
        return heads;
    }

    /** Makes room for {@code positions} in all. */
    public void reserve(int positions) {
        while (blocks.size() * BLOCK < positions) {
            blocks.add(arena.allocate(dtype, layers, 2, heads.kvHeads(), (long) BLOCK * heads.headDim()));
        }
    }

    /** Moves on by {@code count} positions whose keys and values every layer has stored. */
    public void advance(int count, RopeScaling used) {
        reserve(length + count);
        length += count;
        uniform = uniform && scaling.map(used::equals).orElse(true);
        scaling = Optional.of(used);
    }

    /** Notes that the stored keys have been turned to another scaling; the states behind them are still of the old one. */
    public void turned(RopeScaling now) {
        uniform = false;
        scaling = Optional.of(now);
    }

    /** Forgets the positions from {@code length} on. */
    public void truncate(int length) {
        if (length > this.length) {
            throw new IllegalArgumentException("cannot cut " + this.length + " positions to " + length);
        }
        this.length = length;
        if (length == 0) {
            scaling = Optional.empty();
            uniform = true;
        }
    }

    /** The scaling of the latest call; empty while nothing is stored. */
    public Optional<RopeScaling> scaling() {
        return scaling;
    }

    /** Whether computing all positions afresh under this scaling would give the states that are stored. */
    public boolean isAsFreshUnder(RopeScaling fresh) {
        return uniform && scaling.map(fresh::equals).orElse(true);
    }

    /**
     * Block {@code index}, for positions from {@code index · BLOCK} on.
     *
     * @return [layers, 2, kvHeads, BLOCK · headDim], where 0 of the second dimension are keys and 1 are values
     */
    public Tensor block(int index) {
        return blocks.get(index);
    }

    /** First element, within its block, of the keys of a head in a layer. */
    public long keyOffset(int layer, int kvHead) {
        return (2L * layer * heads.kvHeads() + kvHead) * BLOCK * heads.headDim();
    }

    /** First element, within its block, of the values of a head in a layer. */
    public long valueOffset(int layer, int kvHead) {
        return ((2L * layer + 1) * heads.kvHeads() + kvHead) * BLOCK * heads.headDim();
    }

    /** Bytes that one position takes in all layers. */
    public static long bytesPerPosition(int layers, HeadLayout heads, DType dtype) {
        return 2L * layers * heads.kvWidth() * dtype.bytes();
    }

    /** Whether its memory is gone. */
    public boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        arena.close();
    }
}
