// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckpointTest {
    @TempDir
    Path directory;

    private void write(String name, String tensor, float... values) {
        Map<String, SafetensorsWriter.Entry> entries =
                Map.of(tensor, new SafetensorsWriter.Entry(DType.F32, Shape.of(values.length)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve(name), entries)) {
            writer.tensor(tensor).setFloats(values);
            writer.commit();
        }
    }

    private void writeRaw(String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(text.length).put(text);
        Files.write(directory.resolve("model.safetensors"), file.array());
    }

    private String refusal() {
        return assertThrows(InvalidModelException.class, () -> Checkpoint.open(directory))
                .getMessage();
    }

    @Test
    void readsWhatTheWriterWrites() {
        write("model.safetensors", "w", 1, 2, 3);
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertArrayEquals(new float[] {1, 2, 3}, checkpoint.tensor("w").toFloats());
            assertEquals(12, checkpoint.bytes());
        }
    }

    @Test
    void aWriterThatIsClosedWithoutCommitLeavesNothing() throws IOException {
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                directory.resolve("out"), Map.of("w", new SafetensorsWriter.Entry(DType.F32, Shape.of(3))))) {
            writer.tensor("w").setFloats(1, 2, 3);
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void readsShardsByTheirIndex() throws IOException {
        write("a.safetensors", "x", 1);
        write("b.safetensors", "y", 2);
        Files.writeString(
                directory.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"x\": \"a.safetensors\", \"y\": \"b.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertArrayEquals(new float[] {2}, checkpoint.tensor("y").toFloats());
            assertEquals(2, checkpoint.files().size());
        }
    }

    @ParameterizedTest
    @CsvSource({"../b.safetensors", "/etc/passwd", "sub/b.safetensors", ".hidden", "''"})
    void refusesAnIndexThatLeavesTheFolder(String name) throws IOException {
        Files.writeString(
                directory.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"x\": \"%s\"}}".formatted(name));
        assertTrue(refusal().contains("not a file of this directory"), refusal());
    }

    @Test
    void seesTensorsThatTheIndexDoesNotMention() throws IOException {
        Map<String, SafetensorsWriter.Entry> two = new LinkedHashMap<>();
        two.put("x", new SafetensorsWriter.Entry(DType.F32, Shape.of(1)));
        two.put("extra", new SafetensorsWriter.Entry(DType.F32, Shape.of(1)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve("a.safetensors"), two)) {
            writer.commit();
        }
        Files.writeString(
                directory.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"x\": \"a.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertEquals(Set.of("x", "extra"), checkpoint.names());
        }
    }

    @Test
    void aLeftoverOfAKilledRunDoesNotEndUpInTheFile() throws IOException {
        Path leftover = directory.resolve(
                ".model.safetensors." + ProcessHandle.current().pid() + ".tmp");
        Files.write(leftover, new byte[100_000]);
        write("model.safetensors", "w", 1, 2, 3);
        assertTrue(Files.size(directory.resolve("model.safetensors")) < 1000);
        assertFalse(Files.exists(leftover));
    }

    @Test
    void aMillionEmptyTensorsAreReadInLinearTime() throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 300_000; i++) {
            header.append(i == 0 ? "" : ",")
                    .append("\"t")
                    .append(i)
                    .append("\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}");
        }
        writeRaw(header.append('}').toString(), 0);
        // Not a benchmark: quadratic work would take hours.
        assertTimeout(Duration.ofSeconds(60), () -> Checkpoint.open(directory).close());
    }

    @Test
    void refusesAnIndexThatPromisesWhatAShardLacks() throws IOException {
        write("a.safetensors", "x", 1);
        Files.writeString(
                directory.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"other\": \"a.safetensors\"}}");
        assertTrue(refusal().contains("'other'"), refusal());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}}"
                    + " | 12 | overlap",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}} | 12 | hole",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 7 | truncated",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 9 | belong to none",
                "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | 8 | does not fill",
                "{'a':{'dtype':'F33','shape':[2],'data_offsets':[0,8]}} | 8 | unknown dtype",
                "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | 8 | shape",
                "{'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,0]}} | 0 | impossible shape",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}"
                    + " | 8 | Duplicate",
                "[1,2] | 0 | not a JSON object"
            })
    void refusesDamagedHeaders(String header, int dataBytes, String reason) throws IOException {
        writeRaw(header.replace('\'', '"'), dataBytes);
        assertTrue(refusal().contains(reason), refusal());
    }

    @Test
    void refusesHeadersOver100MegabytesWithoutReadingThem() throws IOException {
        byte[] start = ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(100_000_001)
                .array();
        Files.write(directory.resolve("model.safetensors"), start);
        assertTrue(refusal().contains("100,000,000"), refusal());
    }

    @Test
    void refusesAFolderWithoutWeights() {
        assertTrue(refusal().contains("no weights"), refusal());
        assertFalse(refusal().contains("\n"));
    }

    private String fingerprint() {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            return checkpoint.fingerprint();
        }
    }

    @Test
    void theFingerprintTellsValuesAndNamesApart() {
        write("model.safetensors", "w", 1, 2, 3);
        String first = fingerprint();
        write("model.safetensors", "w", 1, 2, 4);
        String second = fingerprint();
        write("model.safetensors", "v", 1, 2, 4);
        assertEquals(3, Set.of(first, second, fingerprint()).size());
    }

    @Test
    void theFingerprintDoesNotDependOnTheFiles() throws IOException {
        write("a.safetensors", "w", 1, 2, 3);
        write("b.safetensors", "v", 4, 5);
        String inOrder = fingerprint();
        write("b.safetensors", "w", 1, 2, 3);
        write("a.safetensors", "v", 4, 5);
        assertEquals(inOrder, fingerprint());
    }
}
