// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * Places between two characters that no piece of a byte-level vocabulary spans: merging may stop there. Chinese has no blanks,
 * so that words are long; these places cut them into a few characters each, which are merged in little time, and remembered.
 *
 * <p>A piece can span a place only if the bytes it has on both sides are there, of which up to three on each are looked at. May
 * take a place for one that is spanned: cutting less often than one could changes nothing.
 */
final class CharacterBorders {
    private static final int CONTEXT = 3;

    /** 512 KiB. */
    private static final int BITS = 1 << 22;

    private final long[] spanned = new long[BITS / Long.SIZE];

    /** Adds a piece that merging makes. */
    void add(byte[] piece) {
        for (int i = 1; i < piece.length; i++) {
            if (isBorder(piece[i - 1] & 0xff, piece[i] & 0xff)) {
                int left = Math.min(i, CONTEXT);
                int right = Math.min(piece.length - i, CONTEXT);
                long key = 0;
                for (int j = i - left; j < i + right; j++) {
                    key = key << 8 | piece[j] & 0xff;
                }
                int bit = bit(key, left, right);
                spanned[bit >>> 6] |= 1L << bit;
            }
        }
    }

    /** Whether two bytes are of different characters, of which at least one is not ASCII. */
    static boolean isBorder(int left, int right) {
        return (right & 0xc0) != 0x80 && (left | right) >= 0x80;
    }

    /** Whether a piece may span the place before {@code bytes[at]}, none of which begins before {@code from}. */
    boolean maySpan(int[] bytes, int from, int at, int to) {
        int mostLeft = Math.min(at - from, CONTEXT);
        int mostRight = Math.min(to - at, CONTEXT);
        long leftKey = 0;
        for (int left = 1; left <= mostLeft; left++) {
            leftKey |= (long) bytes[at - left] << 8 * (left - 1);
            long key = leftKey;
            for (int right = 1; right <= mostRight; right++) {
                key = key << 8 | bytes[at + right - 1];
                int bit = bit(key, left, right);
                if ((spanned[bit >>> 6] >>> bit & 1) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private static int bit(long key, int left, int right) {
        return (int) (PairTable.mix(key << 4 | left << 2 | right) >>> 40) & (BITS - 1);
    }
}
