// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.util.Arrays;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The reference's packing (process_data.py): from the front of the shuffled list, each dialog is taken that leaves more
 * than {@link #FREE} places, and what was passed over stays for the next rows. When the list is used up, it begins again.
 *
 * <p>The reference scans the list for every row. Here a tree of minima finds the next dialog that is short enough, so that
 * a row costs a logarithm of the list's length for each of its dialogs.
 */
final class ReferencePacking {
    /** Places of a row that stay free. */
    static final int FREE = 10;

    private static final int TAKEN = Integer.MAX_VALUE;

    /** minima[1] is the root; the children of i are 2 i and 2 i + 1; leaves hold the lengths. */
    private final int[] minima;

    private final int leaves;

    private ReferencePacking(int[] lengths) {
        leaves = Math.max(2, Integer.highestOneBit(Math.max(1, lengths.length - 1)) << 1);
        minima = new int[2 * leaves];
        Arrays.fill(minima, TAKEN);
        System.arraycopy(lengths, 0, minima, leaves, lengths.length);
        for (int i = leaves - 1; i > 0; i--) {
            minima[i] = Math.min(minima[2 * i], minima[2 * i + 1]);
        }
    }

    /**
     * @param lengths tokens of each dialog, in shuffled order
     * @param rowTokens length of a row
     * @param row takes the indices of a row's dialogs; says whether more rows are wanted
     * @return whether the list was used up, and rows are still wanted
     */
    static boolean pack(int[] lengths, int rowTokens, Predicate<int[]> row) {
        ReferencePacking remaining = new ReferencePacking(lengths);
        int capacity = rowTokens - FREE;
        int[] taken = new int[16];
        while (true) {
            int used = 0;
            int size = 0;
            for (int i = remaining.first(0, capacity); i >= 0; i = remaining.first(i + 1, capacity - used)) {
                if (size == taken.length) {
                    taken = Arrays.copyOf(taken, 2 * size);
                }
                taken[size++] = i;
                used += lengths[i];
                remaining.take(i);
            }
            if (size == 0) {
                return true;
            }
            if (!row.test(Arrays.copyOf(taken, size))) {
                return false;
            }
        }
    }

    /** The first dialog from {@code from} on that is shorter than {@code limit}, or -1. */
    private int first(int from, int limit) {
        if (from >= leaves) {
            return -1;
        }
        int node = from + leaves;
        while (minima[node] >= limit) {
            while ((node & 1) == 1) { // a right child: what follows is behind the parent
                node >>= 1;
            }
            if (node == 0) {
                return -1;
            }
            node++;
        }
        while (node < leaves) {
            node = minima[2 * node] < limit ? 2 * node : 2 * node + 1;
        }
        return node - leaves;
    }

    private void take(int index) {
        int node = index + leaves;
        minima[node] = TAKEN;
        for (node >>= 1; node > 0; node >>= 1) {
            minima[node] = Math.min(minima[2 * node], minima[2 * node + 1]);
        }
    }

    /** Share of its rows that this packing would fill with these dialogs, each used once. */
    static double fillRate(int[] lengths, int rowTokens) {
        int[] rows = new int[1];
        pack(lengths, rowTokens, taken -> ++rows[0] > 0);
        long tokens = IntStream.of(lengths)
                .filter(n -> n < rowTokens - FREE)
                .asLongStream()
                .sum();
        return rows[0] == 0 ? 0 : (double) tokens / rows[0] / rowTokens;
    }
}
