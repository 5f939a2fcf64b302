// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.tensor.SplitMix;
import io.telechat.core.workers.WorkerTeam;
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
    private static final int FILES = 4;
    private static final int PLENTY = 1 << 30;

    @TempDir
    Path directory;

    private static StoredDialog entry(int place) {
        return new StoredDialog(
                SplitMix.seed(SplitMix.seed(42, place), 0), place, place % 3, 5 + place % 40, place % 5, 7, 9L * place);
    }

    private ExternalShuffle filled(String name, int files, long memoryBytes) {
        ExternalShuffle shuffle = new ExternalShuffle(directory, name, files, memoryBytes);
        try (ExternalShuffle.Appender appender = shuffle.appender()) {
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
        Comparator<StoredDialog> byKey = (a, b) -> Long.compareUnsigned(a.key(), b.key());
        return IntStream.range(0, ENTRIES)
                .mapToObj(ExternalShuffleTest::entry)
                .sorted(byKey)
                .map(StoredDialog::place)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "one file, 1, 1073741824",
        "several files, 5, 1000000",
        "many files, 1000, 1000000",
        "a file that has to be split, 1, 100000",
        "a file that has to be split into many, 1, 1000"
    })
    void theOrderIsThatOfTheKeysWhateverTheMemory(String name, int files, long memoryBytes) {
        try (ExternalShuffle shuffle = filled("s", files, memoryBytes)) {
            assertEquals(byKey(), places(shuffle), name);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theOrderIsTheSameWhoeverAdds(int threads) {
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", FILES, PLENTY);
                WorkerTeam team = new WorkerTeam(threads)) {
            team.run(threads, (thread, worker) -> {
                try (ExternalShuffle.Appender appender = shuffle.appender()) {
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
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", 1, 64)) {
            try (ExternalShuffle.Appender appender = shuffle.appender()) {
                for (int i = 99; i >= 0; i--) {
                    appender.add(entry(i).withKey(7));
                }
            }
            assertEquals(LongStream.range(0, 100).boxed().toList(), places(shuffle));
        }
    }

    @Test
    void dialogsComeBackAsTheyWere() {
        try (ExternalShuffle shuffle = filled("s", FILES, PLENTY)) {
            assertTrue(shuffle.forEach(d -> d.equals(entry((int) d.place()))));
        }
    }

    @Test
    void equalKeysMakeNoEndlessSplit() {
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", 1, 1)) {
            try (ExternalShuffle.Appender appender = shuffle.appender()) {
                IntStream.range(0, ENTRIES).forEach(i -> appender.add(entry(i).withKey(7)));
            }
            assertEquals(LongStream.range(0, ENTRIES).boxed().toList(), places(shuffle));
        }
    }

    @Test
    void itStopsWhenToldTo() {
        try (ExternalShuffle shuffle = filled("s", FILES, 1000)) {
            List<Long> places = new ArrayList<>();
            assertFalse(shuffle.forEach(e -> places.add(e.place()) && places.size() < 10));
            assertEquals(byKey().subList(0, 10), places);
        }
    }

    @Test
    void againHoldsTheSameInAnotherOrder() {
        try (ExternalShuffle first = filled("s", FILES, PLENTY);
                ExternalShuffle again = first.again(1)) {
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
        try (ExternalShuffle first = filled("s", FILES, PLENTY);
                ExternalShuffle second = first.again(1);
                ExternalShuffle again = second.again(2)) {
            expected = places(again);
        }
        try (ExternalShuffle first = filled("s", 1, 5000);
                ExternalShuffle second = first.again(1);
                ExternalShuffle again = second.again(2)) {
            assertEquals(expected, places(again));
        }
    }

    @Test
    void nothingIsLeftOnDisk() throws IOException {
        try (ExternalShuffle first = filled("s", 1, 5000);
                ExternalShuffle again = first.again(1)) {
            places(again);
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void knowsWhenNothingWasAdded() {
        try (ExternalShuffle shuffle = new ExternalShuffle(directory, "s", FILES, PLENTY)) {
            assertTrue(shuffle.isEmpty());
            assertEquals(List.of(), places(shuffle));
        }
    }
}
