// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;

/**
 * How keys (rotated) and values lie in a block of {@link #BLOCK} positions: [layers, 2, kvHeads, BLOCK · headDim], where 0 of
 * the second dimension are keys and 1 are values. The keys of one head are stored as [headDim, BLOCK] and its values as
 * [BLOCK, headDim]: so the scores of a block's positions are sums of scaled rows, and so is the weighted sum of its values, and
 * attention needs no sum across a vector.
 *
 * @param dtype F32, F16 or BF16
 */
public record KvLayout(int layers, HeadLayout heads, DType dtype) {
    /** Positions per block. */
    public static final int BLOCK = 64;

    /** First element, within its block, of the keys of a head in a layer. */
    public long keyOffset(int layer, int kvHead) {
        return (2L * layer * heads.kvHeads() + kvHead) * BLOCK * heads.headDim();
    }

    /** First element, within its block, of the values of a head in a layer. */
    public long valueOffset(int layer, int kvHead) {
        return ((2L * layer + 1) * heads.kvHeads() + kvHead) * BLOCK * heads.headDim();
    }

    /** Bytes that one position takes in all layers. */
    public long bytesPerPosition() {
        return 2L * layers * heads.kvWidth() * dtype.bytes();
    }

    /** Bytes of a block. */
    public long blockBytes() {
        return BLOCK * bytesPerPosition();
    }

    /** Blocks that so many positions take. */
    public static int blocks(int positions) {
        return Math.ceilDiv(positions, BLOCK);
    }
}
