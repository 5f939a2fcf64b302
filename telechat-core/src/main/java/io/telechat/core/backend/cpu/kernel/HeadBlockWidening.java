// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** All elements of a {@link HeadBlock} as floats, on the Vector API. */
final class HeadBlockWidening {
    private static final int BLOCK = KvLayout.BLOCK;
    private static final int GROUP = KvLayout.GROUP;

    private HeadBlockWidening() {}

    /** All positions' elements, in the order in which they lie. */
    static void widen(HeadBlock block, float[] to) {
        int headDim = block.headDim;
        if (block.type != DType.Q8) {
            WidenKernel.toFloats(block.segment, block.type, 0, to, 0, BLOCK * headDim);
            return;
        }
        float[] scales = new float[BLOCK];
        for (int first = 0; first < headDim; first += GROUP) {
            long at = block.scaleOffset(0, first / GROUP) / DType.F16.bytes();
            WidenKernel.toFloats(block.segment, DType.F16, at, scales, 0, BLOCK);
            int end = Math.min(headDim, first + GROUP);
            if (block.elementStep == 1) {
                widenValues(block, first, end, scales, to);
            } else {
                widenKeys(block, first, end, scales, to);
            }
        }
    }

    private static void widenKeys(HeadBlock block, int first, int end, float[] scales, float[] to) {
        for (int at = first * BLOCK; at < end * BLOCK; at += Lanes.COUNT) {
            integers(block, at)
                    .mul(FloatVector.fromArray(Lanes.FLOATS, scales, at % BLOCK))
                    .intoArray(to, at);
        }
    }

    private static void widenValues(HeadBlock block, int first, int end, float[] scales, float[] to) {
        for (int slot = 0; slot < BLOCK; slot++) {
            int row = slot * block.headDim;
            int i = first;
            for (; i <= end - Lanes.COUNT; i += Lanes.COUNT) {
                integers(block, row + i).mul(scales[slot]).intoArray(to, row + i);
            }
            for (; i < end; i++) {
                to[row + i] = block.get(slot, i);
            }
        }
    }

    /** Where vectors of bytes are longer, what is behind them is read too: the scales come last. */
    private static FloatVector integers(HeadBlock block, int at) {
        ByteVector bytes = ByteVector.fromMemorySegment(Lanes.BYTES, block.segment, at, Lanes.ORDER);
        return (FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0);
    }
}
