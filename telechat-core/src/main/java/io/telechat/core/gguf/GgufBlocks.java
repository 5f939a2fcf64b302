// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import io.telechat.core.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rows of ggml's types as floats, with the operations of its reference in their order, so that every bit is the same; and
 * rows of floats as Q8_0. Scales are float16; of a K type's block of 256 they are integers times a float16.
 */
public final class GgufBlocks {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private GgufBlocks() {}

    /**
     * @param row whole blocks
     * @param to gets as many elements as they hold, from its beginning
     */
    public static void dequantize(GgufType type, MemorySegment row, float[] to) {
        int blocks = Math.toIntExact(row.byteSize() / type.blockBytes());
        for (int b = 0; b < blocks; b++) {
            long at = (long) b * type.blockBytes();
            int first = b * type.blockElements();
            switch (type) {
                case F32 -> to[first] = row.get(FLOAT, at);
                case F16 -> to[first] = half(row, at);
                case BF16 -> to[first] = Tensor.bf16ToFloat(row.get(SHORT, at));
                case Q4_0 -> q4(row, at + 2, half(row, at), -8, -0f, to, first);
                case Q4_1 -> q4(row, at + 4, half(row, at), 0, half(row, at + 2), to, first);
                case Q5_0 -> q5(row, at + 2, half(row, at), -16, -0f, to, first);
                case Q5_1 -> q5(row, at + 4, half(row, at), 0, half(row, at + 2), to, first);
                case Q8_0 -> q8(row, at, to, first);
                case Q4_K -> q4k(row, at, to, first);
                case Q5_K -> q5k(row, at, to, first);
                case Q6_K -> q6k(row, at, to, first);
            }
        }
    }

    /**
     * 16 bytes: element i in the low half of byte i, element i + 16 in its high half.
     *
     * @param min is added; −0 where there is none, which leaves the sign of a zero
     */
    private static void q4(MemorySegment from, long at, float scale, int bias, float min, float[] to, int first) {
        for (int i = 0; i < 16; i++) {
            int both = unsigned(from, at + i);
            to[first + i] = ((both & 15) + bias) * scale + min;
            to[first + i + 16] = ((both >> 4) + bias) * scale + min;
        }
    }

    /** Four bytes with the fifth bit of each element, then the lower four as above. */
    private static void q5(MemorySegment from, long at, float scale, int bias, float min, float[] to, int first) {
        int high = from.get(INT, at);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(from, at + 4 + i);
            to[first + i] = (((both & 15) | (high >>> i & 1) << 4) + bias) * scale + min;
            to[first + i + 16] = (((both >> 4) | (high >>> i + 16 & 1) << 4) + bias) * scale + min;
        }
    }

    private static void q8(MemorySegment from, long at, float[] to, int first) {
        float scale = half(from, at);
        for (int i = 0; i < 32; i++) {
            to[first + i] = from.get(ValueLayout.JAVA_BYTE, at + 2 + i) * scale;
        }
    }

    /** Two float16, eight scales and eight minima of 6 bits in 12 bytes, then 4 bits of each element, 64 in 32 bytes. */
    private static void q4k(MemorySegment from, long at, float[] to, int first) {
        float scale = half(from, at);
        float min = half(from, at + 2);
        for (int group = 0; group < 8; group++) {
            float d = scale * scale6(from, at + 4, group);
            float m = min * min6(from, at + 4, group);
            for (int i = 0; i < 32; i++) {
                int both = unsigned(from, at + 16 + group / 2 * 32 + i);
                to[first + group * 32 + i] = d * (both >> group % 2 * 4 & 15) - m;
            }
        }
    }

    /** As above, with the fifth bits in 32 bytes before: bit g of byte i is that of element i of group g. */
    private static void q5k(MemorySegment from, long at, float[] to, int first) {
        float scale = half(from, at);
        float min = half(from, at + 2);
        for (int group = 0; group < 8; group++) {
            float d = scale * scale6(from, at + 4, group);
            float m = min * min6(from, at + 4, group);
            for (int i = 0; i < 32; i++) {
                int low = unsigned(from, at + 48 + group / 2 * 32 + i) >> group % 2 * 4 & 15;
                int high = unsigned(from, at + 16 + i) >> group & 1;
                to[first + group * 32 + i] = d * (low | high << 4) - m;
            }
        }
    }

    /** Of the first four groups the lower six bits of a byte; of the others four bits, and two more from those bytes' tops. */
    private static int scale6(MemorySegment from, long scales, int group) {
        return group < 4
                ? unsigned(from, scales + group) & 63
                : unsigned(from, scales + group + 4) & 15 | unsigned(from, scales + group - 4) >> 6 << 4;
    }

    private static int min6(MemorySegment from, long scales, int group) {
        return group < 4
                ? unsigned(from, scales + group + 4) & 63
                : unsigned(from, scales + group + 4) >> 4 | unsigned(from, scales + group) >> 6 << 4;
    }

    /**
     * The lower four bits of each element in 128 bytes, the upper two in 64, sixteen scales of a signed byte, a float16. Either
     * half of the block is four lines of 32 elements, whose bits share bytes.
     */
    private static void q6k(MemorySegment from, long at, float[] to, int first) {
        float scale = half(from, at + 208);
        for (int line = 0; line < 8; line++) {
            int half = line / 4;
            int inHalf = line % 4;
            for (int i = 0; i < 32; i++) {
                int low = unsigned(from, at + half * 64 + inHalf % 2 * 32 + i) >> inHalf / 2 * 4 & 15;
                int high = unsigned(from, at + 128 + half * 32 + i) >> 2 * inHalf & 3;
                int factor = from.get(ValueLayout.JAVA_BYTE, at + 192 + line * 2 + i / 16);
                to[first + line * 32 + i] = scale * factor * ((low | high << 4) - 32);
            }
        }
    }

    /**
     * Rounds a row as ggml's reference does: the scale is the largest magnitude by 127.
     *
     * @param row its first {@code columns} elements, whole blocks
     */
    public static void quantizeQ8(float[] row, int columns, MemorySegment to) {
        for (int first = 0; first < columns; first += 32) {
            float largest = 0;
            for (int i = first; i < first + 32; i++) {
                largest = Math.max(largest, Math.abs(row[i]));
            }
            float scale = largest / 127;
            float inverse = scale == 0 ? 0 : 1 / scale;
            long at = (long) first / 32 * GgufType.Q8_0.blockBytes();
            to.set(SHORT, at, Float.floatToFloat16(scale));
            for (int i = 0; i < 32; i++) {
                float q = row[first + i] * inverse;
                int rounded = q < 0 ? -Math.round(-q) : Math.round(q); // ties away from 0
                to.set(ValueLayout.JAVA_BYTE, at + 2 + i, (byte) rounded);
            }
        }
    }

    private static float half(MemorySegment from, long at) {
        return Float.float16ToFloat(from.get(SHORT, at));
    }

    private static int unsigned(MemorySegment from, long at) {
        return from.get(ValueLayout.JAVA_BYTE, at) & 0xff;
    }
}
