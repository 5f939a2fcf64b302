// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

/**
 * Python's random stream: MT19937 (Matsumoto and Nishimura, 1998) with the seeding and the derived functions of CPython's
 * {@code random} module, which the reference mixes its data with.
 */
public final class MersenneTwister {
    private static final int SIZE = 624;
    private static final int PERIOD = 397;

    private final int[] state = new int[SIZE];
    private int next = SIZE;

    /** As {@code random.seed(seed)} with an int: the words of its absolute value are the key. */
    public MersenneTwister(long seed) {
        long magnitude = Math.abs(seed);
        int high = (int) (magnitude >>> 32);
        int[] key = high == 0 ? new int[] {(int) magnitude} : new int[] {(int) magnitude, high};
        state[0] = 19650218;
        for (int i = 1; i < SIZE; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
        }
        int i = 1;
        int j = 0;
        for (int k = SIZE; k > 0; k--) {
            state[i] = (state[i] ^ (state[i - 1] ^ state[i - 1] >>> 30) * 1664525) + key[j] + j;
            i = following(i);
            j = (j + 1) % key.length;
        }
        for (int k = SIZE - 1; k > 0; k--) {
            state[i] = (state[i] ^ (state[i - 1] ^ state[i - 1] >>> 30) * 1566083941) - i;
            i = following(i);
        }
        state[0] = 0x80000000;
    }

    private int following(int i) {
        if (i + 1 < SIZE) {
            return i + 1;
        }
        state[0] = state[SIZE - 1];
        return 1;
    }

    /** The next 32 random bits. */
    public int nextInt() {
        if (next == SIZE) {
            twist();
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        return y ^ y >>> 18;
    }

    private void twist() {
        for (int i = 0; i < SIZE; i++) {
            int y = state[i] & 0x80000000 | state[(i + 1) % SIZE] & 0x7fffffff;
            state[i] = state[(i + PERIOD) % SIZE] ^ y >>> 1 ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        next = 0;
    }

    /** As {@code random.random()}: uniform over [0, 1), 53 bits. */
    public double nextDouble() {
        long a = nextInt() >>> 5;
        long b = nextInt() >>> 6;
        return (a * 67108864.0 + b) / 9007199254740992.0;
    }

    /** As {@code random._randbelow(bound)} for a bound below 2³¹: bits are drawn until they are below it. */
    public int nextInt(int bound) {
        int shift = Integer.numberOfLeadingZeros(bound);
        int drawn = nextInt() >>> shift;
        while (drawn >= bound) {
            drawn = nextInt() >>> shift;
        }
        return drawn;
    }

    /** As {@code random.shuffle(values)}. */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = nextInt(i + 1);
            int swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }
}
