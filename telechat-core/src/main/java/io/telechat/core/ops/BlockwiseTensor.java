// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;

/**
 * Floats in 8 bits each, by blocks of 256 in row-major order: an element is the value of its code times the scale of its block,
 * which is the block's largest magnitude (Dettmers et al. 2022, arXiv:2110.02861, section 2.1, with the block size that their
 * library has now; 2048 in the paper). All zeros at first.
 *
 * @param codes U8 of the shape of the floats
 * @param scales F32 [blocks]
 */
public record BlockwiseTensor(DynamicCode code, Tensor codes, Tensor scales) {
    /** Elements that share a scale. */
    public static final int BLOCK = 256;

    public static BlockwiseTensor zeros(DynamicCode code, Shape shape, TensorArena arena) {
        return new BlockwiseTensor(
                code, arena.allocate(DType.U8, shape.toArray()), arena.allocate(DType.F32, blocks(shape.elements())));
    }

    public static long blocks(long elements) {
        return Math.ceilDiv(elements, BLOCK);
    }

    /** Bytes of so many elements. */
    public static long bytes(long elements) {
        return elements + Float.BYTES * blocks(elements);
    }

    /**
     * The floats of a block.
     *
     * @param count elements of the block; 256 but for the last
     */
    public void decode(byte[] block, float scale, float[] to, int count) {
        code.decode(block, scale, to, count);
    }

    /**
     * The codes of a block.
     *
     * @param values divided by the scale
     * @return the scale
     */
    public float encode(float[] values, byte[] block, int count) {
        float scale = largestMagnitude(values, count);
        float divisor = scale == 0 ? 1 : scale;
        for (int i = 0; i < count; i++) {
            values[i] /= divisor;
        }
        code.encode(values, block, count);
        return scale;
    }

    /** The order of magnitudes is that of the bits, and a maximum of ints takes a third of the time of one of floats. */
    private static float largestMagnitude(float[] values, int count) {
        int largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE);
        }
        return Float.intBitsToFloat(largest);
    }
}
