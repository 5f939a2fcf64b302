// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BestFitPackingTest {
    private static final int ROW = 1024;
    private static final int CAPACITY = ROW - ReferencePacking.FREE;
    private static final int DIALOGS = 3000;

    enum Lengths {
        UNIFORM,
        SHORT,
        LONG,
        SHORT_AND_LONG,
        SKEWED,
        EQUAL;

        private int[] draw(int seed) {
            SplittableRandom random = new SplittableRandom(seed);
            IntSupplier next = switch (this) {
                case UNIFORM -> () -> random.nextInt(1, CAPACITY);
                case SHORT -> () -> random.nextInt(1, CAPACITY / 8);
                case LONG -> () -> random.nextInt(CAPACITY / 2, CAPACITY);
                case SHORT_AND_LONG -> () -> random.nextBoolean() ? random.nextInt(1, 100) : random.nextInt(700, 950);
                case SKEWED -> () -> (int) Math.min(CAPACITY - 1, Math.exp(random.nextDouble(2, 7)));
                case EQUAL -> () -> 337;
            };
            return IntStream.range(0, DIALOGS).map(i -> next.getAsInt()).toArray();
        }
    }

    /** Rows of the places of their dialogs. */
    private static List<List<StoredDialog>> packed(int[] lengths) {
        List<List<StoredDialog>> rows = new ArrayList<>();
        BestFitPacking packing = new BestFitPacking(CAPACITY, rows::add);
        for (int i = 0; i < lengths.length; i++) {
            packing.add(new StoredDialog(0, i, 0, lengths[i], 0, 0, 0));
        }
        packing.flush();
        return rows;
    }

    private static int tokens(List<StoredDialog> row) {
        return row.stream().mapToInt(StoredDialog::length).sum();
    }

    @ParameterizedTest
    @EnumSource
    void everyDialogIsInOneRow(Lengths lengths) {
        List<Long> places = packed(lengths.draw(1)).stream()
                .flatMap(List::stream)
                .map(StoredDialog::place)
                .sorted()
                .toList();
        assertEquals(LongStream.range(0, DIALOGS).boxed().toList(), places);
    }

    @ParameterizedTest
    @EnumSource
    void noRowHoldsMoreThanFits(Lengths lengths) {
        for (List<StoredDialog> row : packed(lengths.draw(2))) {
            assertTrue(tokens(row) <= CAPACITY, tokens(row) + " tokens");
        }
    }

    @ParameterizedTest
    @EnumSource
    void needsNoMoreRowsThanTheReference(Lengths lengths) {
        for (int seed = 0; seed < 20; seed++) {
            int[] drawn = lengths.draw(seed);
            int[] reference = new int[1];
            ReferencePacking.pack(drawn, ROW, row -> ++reference[0] > 0);
            int rows = packed(drawn).size();
            assertTrue(rows <= reference[0], "seed %d: %d rows, %d".formatted(seed, rows, reference[0]));
        }
    }

    @Test
    void aDialogGoesWhereItLeavesLeastRoom() {
        List<List<StoredDialog>> rows = packed(new int[] {CAPACITY - 300, CAPACITY - 200, 200});
        assertEquals(
                List.of(List.of(1L, 2L), List.of(0L)),
                rows.stream()
                        .map(r -> r.stream().map(StoredDialog::place).toList())
                        .toList());
    }

    @Test
    void aDialogMayFillARow() {
        assertEquals(2, packed(new int[] {CAPACITY, CAPACITY}).size());
    }
}
