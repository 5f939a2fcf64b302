// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.weights.LoadProgress;
import io.telechat.core.workers.WorkerTeam;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InputHashesTest {
    /** Of "abc" (FIPS 180-2, appendix B.1). */
    private static final String OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    private final InputHashes hashes = new InputHashes();

    @TempDir
    Path directory;

    private Path abc;

    @BeforeEach
    void write() throws IOException {
        abc = Files.writeString(directory.resolve("abc.jsonl"), "abc");
    }

    private void readLines(Path... files) {
        List<DataSource> sources =
                List.of(files).stream().map(f -> new DataSource("x", f, 1)).toList();
        try (LineBatches batches = new LineBatches(sources, hashes, LoadProgress.SILENT)) {
            while (batches.next().isPresent()) {
                // Only hashes matter here.
            }
        }
    }

    @Test
    void isKnownWhenTheLinesHaveBeenRead() {
        readLines(abc);
        assertEquals(OF_ABC, hashes.of(abc));
    }

    @Test
    void isKnownWhenTheFileHasBeenReadForIt() {
        try (WorkerTeam team = new WorkerTeam(2)) {
            hashes.read(List.of(abc), team);
        }
        assertEquals(OF_ABC, hashes.of(abc));
    }

    @Test
    void staysWhenTheFileIsReadAgain() {
        readLines(abc, abc);
        assertEquals(OF_ABC, hashes.of(abc));
    }

    @Test
    void coversWhatADecompressorLeavesUnread() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write("{}\n".getBytes(StandardCharsets.UTF_8));
        }
        bytes.write(new byte[200_000]); // padding, as tapes leave it
        Path file = Files.write(directory.resolve("padded.jsonl.gz"), bytes.toByteArray());
        readLines(file);
        assertEquals(FileHash.sha256(file), hashes.of(file));
    }

    @Test
    void isRefusedForAFileThatWasNotReadToItsEnd() throws IOException {
        Path file = Files.writeString(directory.resolve("long.jsonl"), "x\n".repeat(1_000_000));
        List<DataSource> sources = List.of(new DataSource("x", file, 1));
        try (LineBatches batches = new LineBatches(sources, hashes, LoadProgress.SILENT)) {
            assertTrue(batches.next().isPresent());
        }
        assertThrows(IllegalStateException.class, () -> hashes.of(file));
    }
}
