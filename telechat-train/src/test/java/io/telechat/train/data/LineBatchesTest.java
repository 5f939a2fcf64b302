// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.ZstdOutputStream;
import io.telechat.core.InvalidModelException;
import io.telechat.core.weights.LoadProgress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineBatchesTest {
    private static final Path OPEN_FILES = Path.of("/proc/self/fd");
    private static final List<String> LINES = List.of("{\"a\": 1}", "", "中文", "the end");

    @TempDir
    Path directory;

    /** A line and where it stands: {@code source:number:text}. */
    private static List<String> read(Path... files) {
        List<DataSource> sources = Arrays.stream(files)
                .map(f -> new DataSource(f.getFileName().toString(), f, 1))
                .toList();
        List<String> lines = new ArrayList<>();
        try (LineBatches batches = new LineBatches(sources, new InputHashes(), LoadProgress.SILENT)) {
            int number = 0;
            for (Optional<LineBatches.Batch> next = batches.next(); next.isPresent(); next = batches.next()) {
                LineBatches.Batch batch = next.get();
                assertEquals(number++, batch.number());
                int from = 0;
                for (int i = 0; i < batch.ends().length; i++) {
                    int to = batch.ends()[i];
                    String text = new String(batch.bytes(), from, to - from, StandardCharsets.UTF_8);
                    lines.add("%d:%d:%s".formatted(batch.source(), batch.firstLine() + i, text));
                    from = to + 1;
                }
            }
        }
        return lines;
    }

    private static List<String> numbered(int source, List<String> lines) {
        return IntStream.range(0, lines.size())
                .mapToObj(i -> "%d:%d:%s".formatted(source, i + 1, lines.get(i)))
                .toList();
    }

    private static byte[] compressed(String name, byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream compressing = name.endsWith(".gz")
                ? new GZIPOutputStream(out)
                : name.endsWith(".zst") ? new ZstdOutputStream(out) : out) {
            compressing.write(bytes);
        }
        return out.toByteArray();
    }

    private Path write(String name, String text) throws IOException {
        return Files.write(directory.resolve(name), compressed(name, text.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"})
    void readsPlainAndCompressedFiles(String name) throws IOException {
        assertEquals(numbered(0, LINES), read(write(name, String.join("\n", LINES) + "\n")));
    }

    @Test
    void theLastLineNeedsNoLineFeed() throws IOException {
        assertEquals(numbered(0, LINES), read(write("a.jsonl", String.join("\n", LINES))));
    }

    @Test
    void carriageReturnsStayForTheParser() throws IOException {
        assertEquals(List.of("0:1:a\r", "0:2:b\r"), read(write("a.jsonl", "a\r\nb\r\n")));
    }

    @Test
    void filesFollowEachOther() throws IOException {
        Path a = write("a.jsonl", "a1\na2");
        Path empty = write("b.jsonl", "");
        Path c = write("c.jsonl", "c1\n");
        assertEquals(List.of("0:1:a1", "0:2:a2", "2:1:c1"), read(a, empty, c));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"})
    void anEmptyFileHasNoLines(String name) throws IOException {
        assertEquals(List.of(), read(write(name, "")));
    }

    @Test
    void aLineMayBeLongerThanABatch() throws IOException {
        List<String> lines = List.of("before", "x".repeat(3_000_000), "between", "y".repeat(700_000), "behind");
        assertEquals(numbered(0, lines), read(write("a.jsonl", String.join("\n", lines) + "\n")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"})
    void linesAreNumberedOverAllBatches(String name) throws IOException {
        List<String> lines =
                IntStream.range(0, 5000).mapToObj(i -> "z".repeat(i % 500)).toList();
        assertEquals(numbered(0, lines), read(write(name, String.join("\n", lines) + "\n")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl.gz", "a.jsonl.zst"})
    void aTruncatedFileIsNamed(String name) throws IOException {
        byte[] whole = compressed(name, "some text\n".repeat(1000).getBytes(StandardCharsets.UTF_8));
        Path file = Files.write(directory.resolve(name), Arrays.copyOf(whole, whole.length - 12));
        assertNamed(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1f8b0000", "28b52ffd00", "fd377a585a0000", "425a683900"})
    void aFileThatOnlyBeginsAsIfItWereCompressedIsNamed(String bytes) throws IOException {
        Path file = Files.write(directory.resolve("a.jsonl"), HexFormat.of().parseHex(bytes));
        assertNamed(file);
        if (Files.isDirectory(OPEN_FILES)) {
            assertEquals(List.of(), openFiles(file), "stays open");
        }
    }

    /** What this process holds open of a file, as Linux tells. */
    private static List<Path> openFiles(Path file) throws IOException {
        List<Path> open = new ArrayList<>();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(OPEN_FILES)) {
            for (Path link : links) {
                if (Files.exists(link) && Files.isSameFile(link, file)) {
                    open.add(link);
                }
            }
        }
        return open;
    }

    @Test
    void aMissingFileIsNamed() {
        assertNamed(directory.resolve("missing.jsonl"));
    }

    private static void assertNamed(Path file) {
        String message =
                assertThrows(InvalidModelException.class, () -> read(file)).getMessage();
        assertTrue(message.startsWith(file + ": cannot be read: "), message);
    }

    @Test
    void progressEndsAtTheSizeOfAllFiles() throws IOException {
        Path a = write("a.jsonl.gz", "a\n".repeat(100_000));
        Path b = write("b.jsonl", "b\n".repeat(200_000));
        List<DataSource> sources = List.of(new DataSource("a", a, 1), new DataSource("b", b, 1));
        long[] last = new long[2];
        LoadProgress progress = (done, total) -> {
            assertTrue(done >= last[0], "progress goes back");
            last[0] = done;
            last[1] = total;
        };
        try (LineBatches batches = new LineBatches(sources, new InputHashes(), progress)) {
            while (batches.next().isPresent()) {
                // Only progress matters here.
            }
        }
        assertEquals(Files.size(a) + Files.size(b), last[1]);
        assertEquals(last[1], last[0]);
    }

    @Test
    void stopEndsThem() throws IOException {
        Path file = write("a.jsonl", "x\n".repeat(1_000_000));
        List<DataSource> sources = List.of(new DataSource("a", file, 1));
        try (LineBatches batches = new LineBatches(sources, new InputHashes(), LoadProgress.SILENT)) {
            assertTrue(batches.next().isPresent());
            batches.stop();
            assertTrue(batches.next().isEmpty());
        }
    }
}
