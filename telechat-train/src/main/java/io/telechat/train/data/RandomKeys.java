// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

/**
 * Random numbers that belong to a seed and a place rather than to a sequence, so that threads can draw them in any order
 * (the finaliser of SplitMix64; Steele, Lea and Flood, 2014).
 */
final class RandomKeys {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private RandomKeys() {}

    static long mix(long value) {
        long z = value + GOLDEN;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    static long key(long seed, long place, int use) {
        return mix(mix(mix(seed) ^ place) + use);
    }

    /** How often a line is used. */
    static int copies(long seed, long place, double weight) {
        int whole = (int) weight;
        double chance = (key(seed, place, -1) >>> 11) * 0x1p-53;
        return whole + (chance < weight - whole ? 1 : 0);
    }
}
