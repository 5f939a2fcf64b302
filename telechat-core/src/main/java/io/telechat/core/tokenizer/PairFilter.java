// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** A set of pairs of symbols that may hold more than was added (a Bloom filter with one hash). */
final class PairFilter {
    /** 128 KiB, which stay in the second-level cache. */
    private static final int BITS = 1 << 20;

    private final long[] words = new long[BITS / Long.SIZE];

    void add(int left, int right) {
        int bit = bit(left, right);
        words[bit >>> 6] |= 1L << bit;
    }

    boolean mayContain(int left, int right) {
        int bit = bit(left, right);
        return (words[bit >>> 6] >>> bit & 1) != 0;
    }

    private static int bit(int left, int right) {
        return (int) (PairTable.mix((long) left << 21 | right) >>> 40) & (BITS - 1);
    }
}
