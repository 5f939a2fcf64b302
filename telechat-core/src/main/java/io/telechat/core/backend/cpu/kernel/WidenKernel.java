// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Elements of any float type to floats, exactly, and back with rounding to nearest even. */
final class WidenKernel {
    /** 2^112: what a float16's exponent lacks once its bits stand where a float32 has them. */
    private static final float HALF_SCALE = 0x1p112f;

    private static final int HALF_INFINITY = 0x7c00;
    private static final int FLOAT_INFINITY = 0x7f800000;

    private WidenKernel() {}

    /** {@code to[toIndex … toIndex + count) = from[fromIndex … fromIndex + count)}, indices in elements. */
    static void toFloats(MemorySegment from, DType dtype, long fromIndex, float[] to, int toIndex, int count) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(from, ValueLayout.JAVA_FLOAT_UNALIGNED, fromIndex * 4, to, toIndex, count);
            case BF16 -> bf16ToFloats(from, fromIndex * 2, to, toIndex, count);
            case F16 -> f16ToFloats(from, fromIndex * 2, to, toIndex, count);
            default -> throw new IllegalArgumentException("no kernel for " + dtype);
        }
    }

    private static void bf16ToFloats(MemorySegment from, long offset, float[] to, int toIndex, int count) {
        int body = Lanes.SHORTS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            ShortVector bits = ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset + 2L * i, Lanes.ORDER);
            IntVector wide = (IntVector) bits.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
            wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(to, toIndex + i);
        }
        for (int i = body; i < count; i++) {
            to[toIndex + i] = Tensor.bf16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 2L * i));
        }
    }

    private static void f16ToFloats(MemorySegment from, long offset, float[] to, int toIndex, int count) {
        int body = Lanes.SHORTS.loopBound(count);
        for (int i = 0; i < body; i += Lanes.COUNT) {
            ShortVector bits = ShortVector.fromMemorySegment(Lanes.SHORTS, from, offset + 2L * i, Lanes.ORDER);
            IntVector wide = (IntVector) bits.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.INTS, 0);
            IntVector magnitude = wide.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
            IntVector sign = wide.and(0x8000).lanewise(VectorOperators.LSHL, 16);
            FloatVector scaled = magnitude.reinterpretAsFloats().mul(HALF_SCALE);
            VectorMask<Integer> special = wide.and(0x7fff).compare(VectorOperators.GE, HALF_INFINITY);
            scaled.reinterpretAsInts()
                    .or(sign)
                    .lanewise(VectorOperators.OR, FLOAT_INFINITY, special)
                    .reinterpretAsFloats()
                    .intoArray(to, toIndex + i);
        }
        for (int i = body; i < count; i++) {
            to[toIndex + i] = Float.float16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset + 2L * i));
        }
    }
}
