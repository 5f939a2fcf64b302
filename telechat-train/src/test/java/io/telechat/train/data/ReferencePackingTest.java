// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The tree of minima against the scan of a list that it stands for. */
class ReferencePackingTest {
    private static final int ROW = 64;

    private static List<List<Integer>> packed(int[] lengths) {
        List<List<Integer>> rows = new ArrayList<>();
        assertTrue(ReferencePacking.pack(
                lengths, ROW, row -> rows.add(IntStream.of(row).boxed().toList())));
        return rows;
    }

    /** As process_data.py does it, for once through the list. */
    private static List<List<Integer>> scanned(int[] lengths) {
        int shortest = IntStream.of(lengths).min().orElseThrow();
        List<Integer> list = new ArrayList<>();
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] < ROW - 10) {
                list.add(i);
            }
        }
        List<List<Integer>> rows = new ArrayList<>();
        while (!list.isEmpty()) {
            List<Integer> row = new ArrayList<>();
            int used = 0;
            for (Iterator<Integer> each = list.iterator(); each.hasNext() && ROW - used > shortest; ) {
                int i = each.next();
                if (lengths[i] + used < ROW - 10) {
                    row.add(i);
                    used += lengths[i];
                    each.remove();
                }
            }
            rows.add(row);
        }
        return rows;
    }

    @Test
    void takesWhatTheScanTakes() {
        for (int seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int longest = random.nextInt(2, ROW + 5);
            int[] lengths = random.ints(random.nextInt(1, 200), 1, longest).toArray();
            assertEquals(scanned(lengths), packed(lengths), "seed " + seed);
        }
    }

    @Test
    void takesWhatTheScanTakesAtTheBoundary() {
        for (int seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int[] lengths = random.ints(random.nextInt(1, 40), 0, 8)
                    .map(i -> i < 5 ? ROW - 12 + i : i - 4)
                    .toArray();
            assertEquals(scanned(lengths), packed(lengths), "seed " + seed);
        }
    }

    @Test
    void leavesMoreThanTenPlacesFree() {
        assertEquals(List.of(List.of(1)), packed(new int[] {ROW - 10, ROW - 11}));
    }

    @Test
    void packsNothingWhereAllAreTooLong() {
        assertEquals(List.of(), packed(new int[] {ROW - 10, ROW}));
    }

    @Test
    void stopsWhenThereAreEnoughRows() {
        List<int[]> rows = new ArrayList<>();
        assertFalse(ReferencePacking.pack(new int[] {40, 40, 40}, ROW, row -> {
            rows.add(row);
            return rows.size() < 2;
        }));
        assertEquals(2, rows.size());
    }

    @Test
    void fillRateIsThatOfTheDialogsThatFit() {
        assertEquals((30 + 20 + 40) / 2.0 / ROW, ReferencePacking.fillRate(new int[] {30, 40, 20, ROW}, ROW), 1e-12);
    }
}
