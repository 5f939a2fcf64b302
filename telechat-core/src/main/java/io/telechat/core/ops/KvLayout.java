// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;

/**
 * How keys (rotated) and values lie in a block of {@link #BLOCK} positions: [layers, 2, kvHeads, headElements], where 0 of
 * the second dimension are keys and 1 are values. The keys of one head are stored as [headDim, BLOCK] and its values as
 * [BLOCK, headDim]: so the scores of a block's positions are sums of scaled rows, and so is the weighted sum of its values, and
 * attention needs no sum across a vector.
 *
 * <p>With Q8, elements are integers of 8 bits, and those of one position, {@link #GROUP} by {@link #GROUP}, share a scale:
 * behind the integers of a head's keys, and of its values, come scales of 16 bits, [groups, BLOCK].
 *
 * @param dtype F32, F16, BF16 or Q8
 */
public record KvLayout(int layers, HeadLayout heads, DType dtype) {
    /** Positions per block. */
    public static final int BLOCK = 64;

    /** Neighbouring elements that share a scale. */
    public static final int GROUP = QuantizedLayout.GROUP;

    /** Type of the elements that a block is made of: bytes, with Q8. */
    public DType elementType() {
        return dtype == DType.Q8 ? DType.I8 : dtype;
    }

    /** Elements of the keys, or of the values, of one head in a block; with Q8, bytes, the scales' among them. */
    public long headElements() {
        int dim = heads.headDim();
        return (long) BLOCK * (dtype == DType.Q8 ? dim + Short.BYTES * Math.ceilDiv(dim, GROUP) : dim);
    }

    /** First element, within its block, of the keys of a head in a layer. */
    public long keyOffset(int layer, int kvHead) {
        return (2L * layer * heads.kvHeads() + kvHead) * headElements();
    }

    /** First element, within its block, of the values of a head in a layer. */
    public long valueOffset(int layer, int kvHead) {
        return ((2L * layer + 1) * heads.kvHeads() + kvHead) * headElements();
    }

    /** Bytes that one position takes in all layers. */
    public long bytesPerPosition() {
        return blockBytes() / BLOCK;
    }

    /** Bytes of a block. */
    public long blockBytes() {
        return 2L * layers * heads.kvHeads() * headElements() * elementType().bytes();
    }

    /** Blocks that so many positions take. */
    public static int blocks(int positions) {
        return Math.ceilDiv(positions, BLOCK);
    }
}
