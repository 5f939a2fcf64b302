// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.ops.BlockwiseTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Stretches of a tensor of 8-bit codes as floats in native memory, and back. */
final class BlockwiseCodes {
    private static final int BLOCK = BlockwiseTensor.BLOCK;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private BlockwiseCodes() {}

    /**
     * @param first element to decode, where a block begins
     * @param to [count] floats
     */
    static void decode(BlockwiseTensor tensor, long first, long count, MemorySegment to) {
        byte[] block = new byte[BLOCK];
        float[] values = new float[BLOCK];
        for (long i = 0; i < count; i += BLOCK) {
            int size = (int) Math.min(BLOCK, count - i);
            MemorySegment.copy(tensor.codes().segment(), BYTE, first + i, block, 0, size);
            tensor.decode(block, tensor.scales().getFloat((first + i) / BLOCK), values, size);
            MemorySegment.copy(values, 0, to, FLOAT, Float.BYTES * i, size);
        }
    }

    /**
     * @param first element to encode, where a block begins
     * @param count up to the end of a block, or the last element
     * @param from [count] floats
     */
    static void encode(BlockwiseTensor tensor, long first, long count, MemorySegment from) {
        byte[] block = new byte[BLOCK];
        float[] values = new float[BLOCK];
        for (long i = 0; i < count; i += BLOCK) {
            int size = (int) Math.min(BLOCK, count - i);
            MemorySegment.copy(from, FLOAT, Float.BYTES * i, values, 0, size);
            float scale = tensor.encode(values, block, size);
            MemorySegment.copy(block, 0, tensor.codes().segment(), BYTE, first + i, size);
            tensor.scales().setFloat((first + i) / BLOCK, scale);
        }
    }
}
