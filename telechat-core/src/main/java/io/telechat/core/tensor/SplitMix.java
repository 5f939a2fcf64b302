// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

/**
 * Random numbers as a function of a seed and a position, so that they depend on nothing that happens in between: the
 * finaliser of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
 */
public final class SplitMix {
    private SplitMix() {}

    /** A seed for each position of a seed. */
    public static long seed(long seed, long position) {
        return mix(mix(seed) ^ mix(position * 0xd1342543de82ef95L + 1));
    }

    /** A number in [0, 1). */
    public static double uniform(long seed, long position) {
        return (seed(seed, position) >>> 11) * 0x1p-53;
    }

    private static long mix(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
