// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The directory of samples: whole or not there, never mixed, made only when it has to be. */
class DataOutputTest {
    private static final String MANIFEST = "manifest.json";
    private static final String SHARD = "train_data_0.safetensors";

    @TempDir
    Path directory;

    private TinyData data;

    @BeforeEach
    void make() throws IOException {
        data = new TinyData(directory).lines(TinyData.numbered(0, 20));
    }

    @Test
    void holdsShardsAndAManifest() throws IOException {
        data.report();
        assertEquals(List.of(MANIFEST, SHARD), data.outputFiles());
    }

    @Test
    void theManifestTellsTheHashOfEachShard() throws IOException {
        data.shards(2).report();
        JsonNode manifest =
                new ObjectMapper().readTree(data.outputFile(MANIFEST).toFile());
        assertEquals(2, manifest.get("shards").size());
        for (JsonNode shard : manifest.get("shards")) {
            assertEquals(
                    FileHash.sha256(data.outputFile(shard.get("file").asText())),
                    shard.get("sha256").asText());
        }
    }

    private String fingerprint() {
        try (TrainingData samples = TrainingData.open(data.outputFile(""))) {
            return samples.fingerprint();
        }
    }

    @Test
    void theFingerprintIsThatOfTheShards() throws IOException {
        data.shards(2).report();
        String known = fingerprint();
        Files.delete(data.outputFile(MANIFEST));
        assertEquals(known, fingerprint(), "the manifest's is not what the shards have");
        Path first = data.outputFile(SHARD);
        Path second = data.outputFile("train_data_1.safetensors");
        byte[] bytes = Files.readAllBytes(first);
        Files.write(first, Files.readAllBytes(second));
        Files.write(second, bytes);
        assertNotEquals(known, fingerprint(), "the order does not count");
    }

    @Test
    void aSecondRunFindsItDone() throws IOException {
        byte[] expected = data.bytes(SHARD);
        assertTrue(data.threads(2).memoryBytes(5000).run().isEmpty());
        assertArrayEquals(expected, Files.readAllBytes(data.outputFile(SHARD)));
    }

    static Stream<UnaryOperator<TinyData>> otherOptions() {
        return Stream.of(
                d -> d.seed(1),
                d -> d.rowTokens(65),
                d -> d.samples(2),
                d -> d.shards(2),
                TinyData::trainAllAnswers,
                d -> d.longDialogs(LongDialogs.SPLIT));
    }

    @ParameterizedTest
    @MethodSource("otherOptions")
    void dataMadeWithOtherOptionsAreNotReplaced(UnaryOperator<TinyData> change) throws IOException {
        byte[] expected = data.bytes(SHARD);
        change.apply(data);
        assertThrows(InvalidRequestException.class, data::run);
        assertArrayEquals(expected, Files.readAllBytes(data.outputFile(SHARD)));
    }

    @Test
    void dataOfOtherInputsAreNotReplaced() throws IOException {
        data.report();
        data.lines(TinyData.numbered(1, 21));
        assertThrows(InvalidRequestException.class, data::run);
    }

    @Test
    void dataOfAnotherTokenizerAreNotReplaced() throws IOException {
        data.report();
        data.format52b();
        assertThrows(InvalidRequestException.class, data::run);
    }

    @Test
    void someoneElsesDataAreNotReplaced() throws IOException {
        Path shard = data.outputFile(SHARD);
        Files.createDirectories(shard.getParent());
        Files.writeString(shard, "precious");
        assertThrows(InvalidRequestException.class, data::run);
        assertEquals("precious", Files.readString(shard));
    }

    @Test
    void aMissingShardIsMadeAgain() throws IOException {
        byte[] expected = data.bytes(SHARD);
        Files.delete(data.outputFile(SHARD));
        assertArrayEquals(expected, data.bytes(SHARD));
    }

    @Test
    void overwriteReplacesThemAndLeavesNoStaleShard() throws IOException {
        data.shards(3).report();
        data.shards(1).overwrite().report();
        assertEquals(List.of(MANIFEST, SHARD), data.outputFiles());
    }

    @Test
    void otherFilesStay() throws IOException {
        Path note = data.outputFile("note.txt");
        Files.createDirectories(note.getParent());
        Files.writeString(note, "mine");
        data.overwrite().report();
        assertEquals(List.of(MANIFEST, "note.txt", SHARD), data.outputFiles());
    }

    @Test
    void whatFailsLeavesNothing() throws IOException {
        data.lines(TinyData.line("q", "a"), "{");
        assertThrows(InvalidModelException.class, data::run);
        assertFalse(Files.exists(data.outputFile("")), data.outputFiles().toString());
    }

    @Test
    void whatFailsLeavesOldDataAsTheyWere() throws IOException {
        byte[] expected = data.bytes(SHARD);
        data.lines(TinyData.line("q", "a"), "{").overwrite();
        assertThrows(InvalidModelException.class, data::run);
        assertEquals(List.of(MANIFEST, SHARD), data.outputFiles());
        assertArrayEquals(expected, Files.readAllBytes(data.outputFile(SHARD)));
    }

    @Test
    void aFileInThePlaceOfTheDirectoryIsRefused() throws IOException {
        Files.writeString(data.outputFile(""), "a file");
        assertThrows(InvalidModelException.class, data::run);
        assertEquals("a file", Files.readString(data.outputFile("")));
    }
}
