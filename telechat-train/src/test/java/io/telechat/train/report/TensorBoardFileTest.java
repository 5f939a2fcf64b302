// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.train.StepReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardFileTest {
    private static final StepReport FIRST = new StepReport(1, 2.5, 3e-5, 0.75, 4096, 2, 0.5, 3L << 30);

    @TempDir
    private Path run;

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(run.resolve("tensorboard"))) {
            return files.sorted().toList();
        }
    }

    @Test
    void theReadersCrcIsThatOfTheStandard() {
        byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII); // RFC 3720's polynomial, its usual check value
        assertEquals(0xe3069283, EventFileReader.crc32c(check, 0, check.length));
    }

    @Test
    void holdsWhatItWasTold() throws IOException {
        double before = System.currentTimeMillis() / 1e3;
        try (TensorBoardFile file = new TensorBoardFile(run)) {
            file.started(0, 300);
            file.step(FIRST);
            file.step(new StepReport(300, 2.25, 1e-5, 0.5, 4096, 1, Double.NaN, 1L << 30));
            file.evaluated(300, 2.75);
            file.saved(run);
        }
        Path file = files().getFirst();
        assertTrue(file.getFileName().toString().matches("events\\.out\\.tfevents\\.\\d{10}\\.[A-Za-z0-9._-]+"));
        List<EventFileReader.Event> events = EventFileReader.read(file);
        assertEquals(5, events.size());
        assertEquals("brain.Event:2", events.getFirst().version());
        assertEquals(1, events.get(1).status());
        assertEquals(
                List.of(0L, 1L, 1L, 300L, 300L),
                events.stream().map(e -> e.step()).toList());
        assertEquals(
                Map.of(
                        "train/loss", 2.5f,
                        "train/lr", 3e-5f,
                        "train/grad_norm", 0.75f,
                        "train/tokens_per_s", 2048f,
                        "train/rss_mib", 3072f,
                        "train/mfu", 0.5f),
                events.get(2).scalars());
        assertFalse(events.get(3).scalars().containsKey("train/mfu"));
        assertEquals(Map.of("eval/loss", 2.75f), events.get(4).scalars());
        double after = System.currentTimeMillis() / 1e3;
        events.forEach(e -> assertTrue(before <= e.wallTime() && e.wallTime() <= after, "time"));
    }

    @Test
    void aStepCanBeReadAtOnce() throws IOException {
        try (TensorBoardFile file = new TensorBoardFile(run)) {
            file.started(0, 10);
            file.step(FIRST);
            assertEquals(3, EventFileReader.read(files().getFirst()).size());
        }
    }

    @Test
    void goingOnBeginsAFileThatTakesBackTheStepsBehindTheCheckpoint() throws IOException {
        for (long done : new long[] {0, 7}) {
            try (TensorBoardFile file = new TensorBoardFile(run)) {
                file.started(done, 10);
            }
        }
        assertEquals(2, files().size());
        EventFileReader.Event start = EventFileReader.read(files().getLast()).get(1);
        assertEquals(1, start.status());
        assertEquals(8, start.step());
    }

    @Test
    void aDirectoryThatCannotBeMadeIsTold() throws IOException {
        Files.writeString(run.resolve("tensorboard"), "in the way");
        try (TensorBoardFile file = new TensorBoardFile(run)) {
            InvalidModelException failure = assertThrows(InvalidModelException.class, () -> file.started(0, 1));
            assertTrue(failure.getMessage().contains("tensorboard: cannot be written"), failure.getMessage());
        }
    }
}
