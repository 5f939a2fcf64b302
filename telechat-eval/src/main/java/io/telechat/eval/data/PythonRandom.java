// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code random.Random(seed)} of CPython, as far as {@code sample} needs it: harnesses draw their examples so. The generator is
 * MT19937 (Matsumoto and Nishimura 1998), seeded by {@code init_by_array}.
 */
public final class PythonRandom {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int next = N;

    /** @param seed 0 or more */
    public PythonRandom(long seed) {
        int[] key = seed >>> 32 == 0 ? new int[] {(int) seed} : new int[] {(int) seed, (int) (seed >>> 32)};
        fill(19_650_218);
        int i = 1;
        for (int k = Math.max(N, key.length), j = 0; k > 0; k--) {
            state[i] = (state[i] ^ (mixed(i - 1) * 1_664_525)) + key[j] + j;
            j = (j + 1) % key.length;
            i = following(i);
        }
        for (int k = N - 1; k > 0; k--) {
            state[i] = (state[i] ^ (mixed(i - 1) * 1_566_083_941)) - i;
            i = following(i);
        }
        state[0] = 0x8000_0000;
    }

    private void fill(int seed) {
        state[0] = seed;
        for (int i = 1; i < N; i++) {
            state[i] = 1_812_433_253 * mixed(i - 1) + i;
        }
    }

    private int mixed(int i) {
        return state[i] ^ (state[i] >>> 30);
    }

    private int following(int i) {
        if (i + 1 < N) {
            return i + 1;
        }
        state[0] = state[N - 1];
        return 1;
    }

    private int word() {
        if (next == N) {
            for (int i = 0; i < N; i++) {
                int bits = state[i] & 0x8000_0000 | state[(i + 1) % N] & 0x7FFF_FFFF;
                state[i] = state[(i + M) % N] ^ (bits >>> 1) ^ ((bits & 1) == 0 ? 0 : 0x9908_B0DF);
            }
            next = 0;
        }
        int word = state[next++];
        word ^= word >>> 11;
        word ^= word << 7 & 0x9D2C_5680;
        word ^= word << 15 & 0xEFC6_0000;
        return word ^ word >>> 18;
    }

    /** From 0 to {@code bound - 1}. */
    private int below(int bound) {
        int bits = 32 - Integer.numberOfLeadingZeros(bound);
        int drawn = word() >>> 32 - bits;
        while (drawn >= bound) {
            drawn = word() >>> 32 - bits;
        }
        return drawn;
    }

    /**
     * {@code sample(range(n), k)}: different numbers below {@code n}, in the order drawn.
     *
     * @param k at most {@code n}
     */
    public List<Integer> sample(int n, int k) {
        int setSize = 21;
        if (k > 5) {
            setSize += (int) Math.pow(4, Math.ceil(Math.log(3.0 * k) / Math.log(4)));
        }
        return n <= setSize ? fromPool(n, k) : redrawn(n, k);
    }

    private List<Integer> fromPool(int n, int k) {
        int[] pool = new int[n];
        for (int i = 0; i < n; i++) {
            pool[i] = i;
        }
        List<Integer> drawn = new ArrayList<>();
        for (int i = 0; i < k; i++) {
            int j = below(n - i);
            drawn.add(pool[j]);
            pool[j] = pool[n - i - 1];
        }
        return drawn;
    }

    private List<Integer> redrawn(int n, int k) {
        Set<Integer> taken = new HashSet<>();
        List<Integer> drawn = new ArrayList<>();
        while (drawn.size() < k) {
            int j = below(n);
            if (taken.add(j)) {
                drawn.add(j);
            }
        }
        return drawn;
    }
}
