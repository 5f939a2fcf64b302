// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** Codes and scales are chosen, packed as the format's description says, and must come out as its formulas have them. */
class GgufBlocksTest {
    private static final float SCALE = 0.0123f;
    private static final float MIN = 0.456f;

    private final SplittableRandom random = new SplittableRandom(7);

    private int[] codes(int count, int bound) {
        return random.ints(count, 0, bound).toArray();
    }

    private static float half(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    private static void putHalf(byte[] block, int at, float value) {
        short bits = Float.floatToFloat16(value);
        block[at] = (byte) bits;
        block[at + 1] = (byte) (bits >> 8);
    }

    private interface Value {
        float of(int element);
    }

    private static void check(GgufType type, byte[] block, Value expected) {
        float[] wanted = new float[type.blockElements()];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = expected.of(i);
        }
        float[] got = new float[wanted.length];
        GgufBlocks.dequantize(type, MemorySegment.ofArray(block), got);
        assertEquals(type.blockBytes(), block.length);
        assertArrayEquals(wanted, got);
    }

    /** Four bits of each of 32 elements: the first 16 in low halves, the others in high halves. */
    private static void putNibbles(byte[] block, int at, IntUnaryOperator code) {
        for (int i = 0; i < 32; i++) {
            block[at + i % 16] |= (byte) ((code.applyAsInt(i) & 15) << (i < 16 ? 0 : 4));
        }
    }

    /** One bit of each of 32 elements. */
    private static void putFifthBits(byte[] block, int at, int[] codes) {
        for (int i = 0; i < 32; i++) {
            block[at + i / 8] |= (byte) ((codes[i] >> 4) << i % 8);
        }
    }

    @Test
    void q4_0() {
        int[] codes = codes(32, 16);
        byte[] block = new byte[18];
        putHalf(block, 0, SCALE);
        putNibbles(block, 2, i -> codes[i]);
        check(GgufType.Q4_0, block, i -> (codes[i] - 8) * half(SCALE));
    }

    @Test
    void q4_1() {
        int[] codes = codes(32, 16);
        byte[] block = new byte[20];
        putHalf(block, 0, SCALE);
        putHalf(block, 2, -MIN);
        putNibbles(block, 4, i -> codes[i]);
        check(GgufType.Q4_1, block, i -> codes[i] * half(SCALE) + half(-MIN));
    }

    @Test
    void q5_0() {
        int[] codes = codes(32, 32);
        byte[] block = new byte[22];
        putHalf(block, 0, -SCALE);
        putFifthBits(block, 2, codes);
        putNibbles(block, 6, i -> codes[i]);
        check(GgufType.Q5_0, block, i -> (codes[i] - 16) * half(-SCALE));
    }

    @Test
    void q5_1() {
        int[] codes = codes(32, 32);
        byte[] block = new byte[24];
        putHalf(block, 0, SCALE);
        putHalf(block, 2, -MIN);
        putFifthBits(block, 4, codes);
        putNibbles(block, 8, i -> codes[i]);
        check(GgufType.Q5_1, block, i -> codes[i] * half(SCALE) + half(-MIN));
    }

    @Test
    void q8_0() {
        byte[] block = new byte[34];
        random.nextBytes(block);
        putHalf(block, 0, SCALE);
        check(GgufType.Q8_0, block, i -> block[2 + i] * half(SCALE));
    }

    /** Eight scales and eight minima of six bits in twelve bytes. */
    private static void putSixBits(byte[] block, int at, int[] scales, int[] mins) {
        for (int j = 0; j < 4; j++) {
            block[at + j] = (byte) (scales[j] | (scales[j + 4] >> 4) << 6);
            block[at + 4 + j] = (byte) (mins[j] | (mins[j + 4] >> 4) << 6);
            block[at + 8 + j] = (byte) (scales[j + 4] & 15 | (mins[j + 4] & 15) << 4);
        }
    }

    /** Of 64 elements, the first 32 in the low halves of 32 bytes and the others in the high halves. */
    private static void putLines(byte[] block, int at, int[] codes) {
        for (int i = 0; i < 256; i++) {
            block[at + i / 64 * 32 + i % 32] |= (byte) ((codes[i] & 15) << (i % 64 < 32 ? 0 : 4));
        }
    }

    @Test
    void q4_k() {
        int[] codes = codes(256, 16);
        int[] scales = codes(8, 64);
        int[] mins = codes(8, 64);
        byte[] block = new byte[144];
        putHalf(block, 0, SCALE);
        putHalf(block, 2, MIN);
        putSixBits(block, 4, scales, mins);
        putLines(block, 16, codes);
        check(GgufType.Q4_K, block, i -> half(SCALE) * scales[i / 32] * codes[i] - half(MIN) * mins[i / 32]);
    }

    @Test
    void q5_k() {
        int[] codes = codes(256, 32);
        int[] scales = codes(8, 64);
        int[] mins = codes(8, 64);
        byte[] block = new byte[176];
        putHalf(block, 0, SCALE);
        putHalf(block, 2, MIN);
        putSixBits(block, 4, scales, mins);
        for (int i = 0; i < 256; i++) {
            block[16 + i % 32] |= (byte) ((codes[i] >> 4) << i / 32);
        }
        putLines(block, 48, codes);
        check(GgufType.Q5_K, block, i -> half(SCALE) * scales[i / 32] * codes[i] - half(MIN) * mins[i / 32]);
    }

    @Test
    void q6_k() {
        int[] codes = codes(256, 64);
        byte[] block = new byte[210];
        for (int i = 0; i < 256; i++) {
            int inHalf = i % 128;
            block[i / 128 * 64 + inHalf % 64] |= (byte) ((codes[i] & 15) << (inHalf < 64 ? 0 : 4));
            block[128 + i / 128 * 32 + i % 32] |= (byte) ((codes[i] >> 4) << 2 * (inHalf / 32));
        }
        for (int i = 0; i < 16; i++) {
            block[192 + i] = (byte) random.nextInt(-128, 128);
        }
        putHalf(block, 208, SCALE);
        check(GgufType.Q6_K, block, i -> half(SCALE) * block[192 + i / 16] * (codes[i] - 32));
    }

    @Test
    void whatIsRoundedToEightBitsComesBackWithinHalfAStep() {
        float[] row = new float[64];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) random.nextGaussian();
        }
        byte[] bytes = new byte[68];
        GgufBlocks.quantizeQ8(row, row.length, MemorySegment.ofArray(bytes));
        float[] back = new float[64];
        GgufBlocks.dequantize(GgufType.Q8_0, MemorySegment.ofArray(bytes), back);
        for (int i = 0; i < row.length; i++) {
            float scale = Float.float16ToFloat((short) (bytes[i / 32 * 34] & 0xff | bytes[i / 32 * 34 + 1] << 8));
            assertEquals(row[i], back[i], 0.5f * scale + 127 * scale * 0x1p-11f);
        }
    }

    @Test
    void tiesAreRoundedAwayFromZero() {
        float[] row = new float[32];
        row[0] = 127;
        row[1] = 2.5f;
        row[2] = -2.5f;
        row[3] = 0.49999997f; // adding a half would round up
        byte[] bytes = new byte[34];
        GgufBlocks.quantizeQ8(row, row.length, MemorySegment.ofArray(bytes));
        assertEquals(3, bytes[3]);
        assertEquals(-3, bytes[4]);
        assertEquals(0, bytes[5]);
    }

    @Test
    void aRowOfZerosStaysSo() {
        byte[] bytes = new byte[34];
        GgufBlocks.quantizeQ8(new float[32], 32, MemorySegment.ofArray(bytes));
        assertArrayEquals(new byte[34], bytes);
    }
}
