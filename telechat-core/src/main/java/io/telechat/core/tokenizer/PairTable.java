// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Arrays;

/** A hash table from pairs of non-negative ints to ints, without objects: it is probed for every character of a text. */
final class PairTable {
    static final int ABSENT = -1;
    private static final long EMPTY = -1;

    private long[] keys = new long[1 << 10];
    private int[] values = new int[1 << 10];
    private int size;

    PairTable() {
        Arrays.fill(keys, EMPTY);
    }

    void put(int left, int right, int value) {
        if (2 * (size + 1) > keys.length) {
            grow();
        }
        long key = (long) left << 32 | right;
        int slot = slot(key, keys.length);
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = (slot + 1) & (keys.length - 1);
        }
        size += keys[slot] == EMPTY ? 1 : 0;
        keys[slot] = key;
        values[slot] = value;
    }

    /** The value of a pair, or {@link #ABSENT}. */
    int get(int left, int right) {
        long[] table = keys;
        long key = (long) left << 32 | right;
        int slot = slot(key, table.length);
        while (true) {
            long found = table[slot];
            if (found == key) {
                return values[slot];
            }
            if (found == EMPTY) {
                return ABSENT;
            }
            slot = (slot + 1) & (table.length - 1);
        }
    }

    private static int slot(long key, int capacity) {
        long mixed = key * 0x9e3779b97f4a7c15L;
        return (int) (mixed >>> 33) & (capacity - 1);
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new int[keys.length];
        Arrays.fill(keys, EMPTY);
        size = 0;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != EMPTY) {
                put((int) (oldKeys[i] >>> 32), (int) oldKeys[i], oldValues[i]);
            }
        }
    }
}
