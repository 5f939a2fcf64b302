// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.tensor.SplitMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalShuffleTest {
    private static final int ENTRIES = 2000;
    private static final int BYTES = 200_000;
    private static final int PLENTY = 1 << 30;

    @TempDir
    Path directory;

    private static DialogSpill.Entry entry(int place) {
        int[] ids = IntStream.range(0, 5 + place % 40).map(i -> place + i).toArray();
        byte[] mask = new byte[ids.length];
        mask[place % ids.length] = 1;
        return new DialogSpill.Entry(
                SplitMix.seed(SplitMix.seed(42, place), 0), place, place % 3, new EncodedDialog(ids, mask));
    }

    private ExternalShuffle filled(String name, long expectedBytes, long memoryBytes) {
        ExternalShuffle shuffle = new ExternalShuffle(directory, name, expectedBytes, memoryBytes);
        try (ExternalShuffle.Appender appender = shuffle.appender(1)) {
            IntStream.range(0, ENTRIES).forEach(i -> appender.add(entry(i)));
        }
        return shuffle;
    }

    private static List<Long> places(ExternalShuffle shuffle) {
        List<Long> places = new ArrayList<>();
        assertTrue(shuffle.forEach(e -> places.add(e.place())));
        return places;
    }

    private static List<Long> byKey() {
        Comparator<DialogSpill.Entry> byKey = (a, b) -> Long.compareUnsigned(a.key(), b.key());
        return IntStream.range(0, ENTRIES)
                .mapToObj(ExternalShuffleTest::entry)
                .sorted(byKey)
                .map(DialogSpill.Entry::place)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "one file, 200000, 1073741824",
        "several files, 200000, 100000",
        "many files, 200000, 1000",
        "a file that has to be split, 0, 100000",
        "a file that has to be split into many, 0, 1000",
        "files that have to be split again, 20000, 1000"
    })
    void theOrderIsThatOfTheKeysWhateverTheMemory(String name, long expectedBytes, long memoryBytes) {
        try (ExternalShuffle shuffle = filled("s", expectedBytes, memoryBytes)) {
            assertEquals(byKey(), places(shuffle), name);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theOrderIsTheSameWhoeverAdds(int threads) {
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", BYTES, BYTES);
                WorkerTeam team = new WorkerTeam(threads)) {
            team.run(threads, (thread, worker) -> {
                try (ExternalShuffle.Appender appender = shuffle.appender(threads)) {
                    for (int i = ENTRIES - 1 - thread; i >= 0; i -= threads) {
                        appender.add(entry(i));
                    }
                }
            });
            assertEquals(byKey(), places(shuffle));
        }
    }

    @Test
    void equalKeysAreOrderedByPlace() {
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", 0, 64)) {
            try (ExternalShuffle.Appender appender = shuffle.appender(1)) {
                for (int i = 99; i >= 0; i--) {
                    appender.add(new DialogSpill.Entry(7, i, 0, entry(i).dialog()));
                }
            }
            assertEquals(LongStream.range(0, 100).boxed().toList(), places(shuffle));
        }
    }

    @Test
    void dialogsComeBackAsTheyWere() {
        try (ExternalShuffle shuffle = filled("s", BYTES, BYTES)) {
            shuffle.forEach(e -> {
                DialogSpill.Entry expected = entry((int) e.place());
                assertEquals(expected.source(), e.source());
                assertEquals(
                        IntStream.of(expected.dialog().ids()).boxed().toList(),
                        IntStream.of(e.dialog().ids()).boxed().toList());
                assertEquals(1, e.dialog().trained());
                return e.dialog().mask()[(int) (e.place() % e.dialog().length())] == 1;
            });
            assertEquals(ENTRIES, places(shuffle).size());
        }
    }

    @Test
    void aDialogMayBeLongerThanAllBuffers() {
        int[] ids = IntStream.range(0, 100_000).toArray();
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", BYTES, BYTES)) {
            try (ExternalShuffle.Appender appender = shuffle.appender(4)) {
                appender.add(new DialogSpill.Entry(1, 2, 0, new EncodedDialog(ids, new byte[ids.length])));
            }
            assertTrue(shuffle.forEach(e ->
                    IntStream.of(e.dialog().ids()).sum() == IntStream.of(ids).sum()));
        }
    }

    @Test
    void itStopsWhenToldTo() {
        try (ExternalShuffle shuffle = filled("s", BYTES, 1000)) {
            List<Long> places = new ArrayList<>();
            assertFalse(shuffle.forEach(e -> places.add(e.place()) && places.size() < 10));
            assertEquals(byKey().subList(0, 10), places);
        }
    }

    @Test
    void againHoldsTheSameInAnotherOrder() {
        try (ExternalShuffle again = filled("s", BYTES, BYTES).again(1)) {
            List<Long> places = places(again);
            assertNotEquals(byKey(), places);
            assertEquals(
                    LongStream.range(0, ENTRIES).boxed().toList(),
                    places.stream().sorted().toList());
        }
    }

    @Test
    void againIsTheSameWhateverTheMemory() {
        List<Long> expected;
        try (ExternalShuffle again = filled("s", BYTES, PLENTY).again(1).again(2)) {
            expected = places(again);
        }
        try (ExternalShuffle again = filled("s", 0, 5000).again(1).again(2)) {
            assertEquals(expected, places(again));
        }
    }

    @Test
    void nothingIsLeftOnDisk() throws IOException {
        try (ExternalShuffle again = filled("s", 0, 5000).again(1)) {
            places(again);
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void knowsWhenNothingWasAdded() {
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", BYTES, BYTES)) {
            assertTrue(shuffle.isEmpty());
            assertEquals(List.of(), places(shuffle));
        }
    }
}
