// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The keys, or the values, of one head in one block of a cache, of any type; see {@link KvLayout}. With 8 bits, the largest
 * element of a group becomes ±127, and an element is its integer times the scale, rounded to a float. One position at a time, in plain
 * loops: it serves where there is no Vector API, too.
 */
public final class HeadBlock {
    private static final int BLOCK = KvLayout.BLOCK;
    private static final int GROUP = KvLayout.GROUP;
    private static final int LARGEST = 127;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    final DType type;
    final MemorySegment segment;
    final int headDim;
    /** From one element of a position to the next. */
    final int elementStep;
    /** From one position to the next. */
    private final int positionStep;

    private HeadBlock(DType type, MemorySegment segment, int headDim, boolean keys) {
        this.type = type;
        this.segment = segment;
        this.headDim = headDim;
        this.elementStep = keys ? BLOCK : 1;
        this.positionStep = keys ? 1 : headDim;
    }

    /** @param segment of {@link KvLayout#headElements} */
    public static HeadBlock keys(DType type, MemorySegment segment, int headDim) {
        return new HeadBlock(type, segment, headDim, true);
    }

    /** @param segment of {@link KvLayout#headElements} */
    public static HeadBlock values(DType type, MemorySegment segment, int headDim) {
        return new HeadBlock(type, segment, headDim, false);
    }

    private long index(int slot, int element) {
        return (long) slot * positionStep + (long) element * elementStep;
    }

    /** Where the scale of a position's group is, in bytes. */
    long scaleOffset(int slot, int group) {
        return (long) BLOCK * headDim + 2L * (group * BLOCK + slot);
    }

    /** Reads one position's elements. */
    public void get(int slot, float[] to) {
        for (int i = 0; i < headDim; i++) {
            to[i] = get(slot, i);
        }
    }

    float get(int slot, int element) {
        long index = index(slot, element);
        if (type != DType.Q8) {
            return floats().getFloat(index);
        }
        short scale = segment.get(SHORT, scaleOffset(slot, element / GROUP));
        return segment.get(ValueLayout.JAVA_BYTE, index) * Float.float16ToFloat(scale);
    }

    private Tensor floats() {
        return Tensor.over(segment, type, (long) BLOCK * headDim);
    }

    /** Stores one position's elements, rounded; those of others stay as they are. */
    public void put(int slot, float[] from) {
        if (type == DType.Q8) {
            for (int first = 0; first < headDim; first += GROUP) {
                putGroup(slot, from, first, Math.min(headDim, first + GROUP));
            }
            return;
        }
        Tensor floats = floats();
        for (int i = 0; i < headDim; i++) {
            floats.setFloat(index(slot, i), from[i]);
        }
    }

    /** A group with an infinity or NaN in it gets NaN as its scale. */
    private void putGroup(int slot, float[] from, int first, int end) {
        float largest = 0;
        for (int i = first; i < end; i++) {
            largest = Math.max(largest, Math.abs(from[i]) + from[i] * 0);
        }
        short bits = Float.floatToFloat16(Float.isNaN(largest) ? Float.NaN : largest / LARGEST);
        float scale = Float.float16ToFloat(bits);
        segment.set(SHORT, scaleOffset(slot, first / GROUP), bits);
        for (int i = first; i < end; i++) {
            // A scale that is nearly 0 is rounded itself, so that the quotient may be larger than 127.
            int rounded = scale > 0 ? Math.clamp((long) Math.rint(from[i] / scale), -LARGEST, LARGEST) : 0;
            segment.set(ValueLayout.JAVA_BYTE, index(slot, i), (byte) rounded);
        }
    }
}
