// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Floats in 8 bits each, by blocks of 256 in row-major order: an element is the value of its code times the scale of its block,
 * which is the block's largest magnitude (Dettmers et al. 2022, arXiv:2110.02861, section 2.1, with the block size that their
 * library has now; 2048 in the paper). In host memory; all zeros at first.
 *
 * @param codes U8 of the shape of the floats
 * @param scales F32 [blocks]
 */
record BlockwiseTensor(DynamicCode code, Tensor codes, Tensor scales) {
    static final int BLOCK = 256;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    static BlockwiseTensor zeros(DynamicCode code, Shape shape, HostArena arena) {
        return new BlockwiseTensor(
                code, arena.allocate(DType.U8, shape.toArray()), arena.allocate(DType.F32, blocks(shape.elements())));
    }

    static long blocks(long elements) {
        return Math.ceilDiv(elements, BLOCK);
    }

    static long bytes(long elements) {
        return elements + Float.BYTES * blocks(elements);
    }

    /**
     * @param first element to decode, where a block begins
     * @param to floats in host memory
     */
    void decode(long first, long count, MemorySegment to) {
        byte[] block = new byte[BLOCK];
        float[] values = new float[BLOCK];
        for (long i = 0; i < count; i += BLOCK) {
            int size = (int) Math.min(BLOCK, count - i);
            MemorySegment.copy(codes.segment(), BYTE, first + i, block, 0, size);
            float scale = scales.getFloat((first + i) / BLOCK);
            code.decode(block, scale, values, size);
            MemorySegment.copy(values, 0, to, FLOAT, Float.BYTES * i, size);
        }
    }

    /**
     * @param first element to encode, where a block begins
     * @param count up to the end of a block, or the last
     * @param from floats in host memory
     */
    void encode(long first, long count, MemorySegment from) {
        byte[] block = new byte[BLOCK];
        float[] values = new float[BLOCK];
        for (long i = 0; i < count; i += BLOCK) {
            int size = (int) Math.min(BLOCK, count - i);
            float scale = largestMagnitude(from, Float.BYTES * i, size);
            float divisor = scale == 0 ? 1 : scale;
            MemorySegment.copy(from, FLOAT, Float.BYTES * i, values, 0, size);
            for (int j = 0; j < size; j++) {
                values[j] /= divisor;
            }
            code.encode(values, block, size);
            MemorySegment.copy(block, 0, codes.segment(), BYTE, first + i, size);
            scales.setFloat((first + i) / BLOCK, scale);
        }
    }

    /** The order of magnitudes is that of the bits, and a maximum of ints takes a third of the time of one of floats. */
    private static float largestMagnitude(MemorySegment floats, long offset, int count) {
        int largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, floats.get(INT, offset + 4L * i) & Integer.MAX_VALUE);
        }
        return Float.intBitsToFloat(largest);
    }
}
