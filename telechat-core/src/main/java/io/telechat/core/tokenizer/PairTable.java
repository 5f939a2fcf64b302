// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Arrays;

/**
 * A hash table from pairs of small numbers to a number, without objects. Key and value share one long, so that a probe
 * touches one cache line: it is probed for every character of a text.
 */
final class PairTable {
    static final int ABSENT = -1;

    /** Members of a pair are below this. */
    static final int KEY_LIMIT = 1 << 21;

    /** Values are below this. */
    static final int VALUE_LIMIT = (1 << 22) - 1;

    private static final int VALUE_BITS = 22;
    private static final long VALUE_MASK = (1 << VALUE_BITS) - 1;

    /** No entry looks like this, because no value is {@link #VALUE_LIMIT}. */
    private static final long EMPTY = -1;

    private long[] entries;
    private int size;

    /** @param expected number of entries */
    PairTable(int expected) {
        entries = new long[Math.max(16, Integer.highestOneBit(Math.max(1, expected)) << 2)];
        Arrays.fill(entries, EMPTY);
    }

    void put(int left, int right, int value) {
        if (2 * (size + 1) > entries.length) {
            grow();
        }
        long key = key(left, right);
        int slot = slot(key, entries.length);
        while (entries[slot] != EMPTY && entries[slot] >>> VALUE_BITS != key) {
            slot = (slot + 1) & (entries.length - 1);
        }
        size += entries[slot] == EMPTY ? 1 : 0;
        entries[slot] = key << VALUE_BITS | value;
    }

    /** The value of a pair, or {@link #ABSENT}. */
    int get(int left, int right) {
        long[] table = entries;
        long key = key(left, right);
        int slot = slot(key, table.length);
        while (true) {
            long entry = table[slot];
            if (entry >>> VALUE_BITS == key && entry != EMPTY) {
                return (int) (entry & VALUE_MASK);
            }
            if (entry == EMPTY) {
                return ABSENT;
            }
            slot = (slot + 1) & (table.length - 1);
        }
    }

    private static long key(int left, int right) {
        return (long) left << 21 | right;
    }

    private static int slot(long key, int capacity) {
        return (int) (mix(key) >>> 33) & (capacity - 1);
    }

    /** Multiplication by 2^64/φ (Knuth's multiplicative hashing); the upper bits are the good ones. */
    static long mix(long key) {
        return key * 0x9e3779b97f4a7c15L;
    }

    private void grow() {
        long[] old = entries;
        entries = new long[2 * old.length];
        Arrays.fill(entries, EMPTY);
        for (long entry : old) {
            if (entry != EMPTY) {
                int slot = slot(entry >>> VALUE_BITS, entries.length);
                while (entries[slot] != EMPTY) {
                    slot = (slot + 1) & (entries.length - 1);
                }
                entries[slot] = entry;
            }
        }
    }
}
