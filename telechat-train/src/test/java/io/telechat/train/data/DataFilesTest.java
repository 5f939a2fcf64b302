// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.luben.zstd.ZstdOutputStream;
import io.telechat.core.InvalidInputException;
import io.telechat.core.TelechatException;
import io.telechat.core.weights.LoadProgress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** The same two records in every container and compression. */
class DataFilesTest {
    private static final String ALPACA = """
        {"instruction": "Add.", "input": "1 + 1", "output": "2", "score": 0.5}
        {"instruction": "Say hello.", "output": "Hello, \\"world\\"!\\nBye.", "score": 1.0}
        """;

    @TempDir
    private Path directory;

    private List<JsonNode> read(Path file, DataFormat format) {
        List<JsonNode> records = new ArrayList<>();
        DataSource source = new DataSource("data", file, 1, format);
        try (LineBatches batches = new LineBatches(List.of(source), new InputHashes(), LoadProgress.SILENT)) {
            for (Optional<LineBatches.Batch> next = batches.next(); next.isPresent(); next = batches.next()) {
                int from = 0;
                for (int end : next.get().ends()) {
                    records.add(LineJson.object(next.get().bytes(), from, end));
                    from = end + 1;
                }
            }
        } catch (BadLineException e) {
            throw new AssertionError(e);
        }
        return records;
    }

    private List<JsonNode> read(String name, String text) throws IOException {
        return read(Files.writeString(directory.resolve(name), text), DataFormat.AUTO);
    }

    private List<JsonNode> alpaca() throws IOException {
        return read("expected.jsonl", ALPACA);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gz", "zst", "xz", "bz2"})
    void recognisesCompressionByItsFirstBytes(String kind) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = switch (kind) {
            case "gz" -> new GZIPOutputStream(bytes);
            case "zst" -> new ZstdOutputStream(bytes);
            case "xz" -> new XZOutputStream(bytes, new LZMA2Options(1));
            default -> new BZip2CompressorOutputStream(bytes);
        }) {
            out.write(ALPACA.getBytes(StandardCharsets.UTF_8));
        }
        List<JsonNode> expected = alpaca();
        assertEquals(
                expected,
                read(Files.write(directory.resolve("a.jsonl." + kind), bytes.toByteArray()), DataFormat.AUTO));
        assertEquals(expected, read(Files.write(directory.resolve("a.jsonl"), bytes.toByteArray()), DataFormat.AUTO));
    }

    @Test
    void readsArraysAndIndentedObjects() throws IOException {
        String[] lines = ALPACA.split("\n");
        assertEquals(alpaca(), read("array.json", "[\n" + lines[0] + ",\n" + lines[1] + "\n]\n"));
        assertEquals(alpaca(), read("one-line.json", "[" + lines[0] + "," + lines[1] + "]"));
        assertEquals(
                alpaca(), read("indented.json", ALPACA.replace("{", "{\n  ").replace(", \"", ",\n  \"")));
    }

    @Test
    void aBrokenArrayIsToldByItsLine() {
        String message = assertThrows(
                        InvalidInputException.class,
                        () -> read("broken.json", "[\n{\"input\": \"q\"},\n{\"input\" 1}\n]\n"))
                .getMessage();
        assertTrue(message.contains("broken.json:3: malformed JSON"), message);
    }

    @ParameterizedTest
    @CsvSource({"a.csv, ','", "b.csv, ';'", "c.tsv, '\t'"})
    void readsTables(String name, String separator) throws IOException {
        String table = """
            instruction|input|output
            Add.|1 + 1|2
            Say hello.||"Hello, ""world""!
            Bye."
            """.replace("|", separator);
        List<JsonNode> records = read(name, "\ufeff" + table);
        assertEquals(2, records.size());
        assertEquals("1 + 1", records.get(0).get("input").asText());
        assertEquals("Hello, \"world\"!\nBye.", records.get(1).get("output").asText());
        assertTrue(!records.get(1).has("input"), "an empty cell is no field");
    }

    @Test
    void aCellMayHoldMessages() throws IOException {
        List<JsonNode> records =
                read("m.csv", "messages\n\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"q\"\"}]\"\n");
        assertEquals("q", records.getFirst().at("/messages/0/content").asText());
    }

    @Test
    void readsParagraphs() throws IOException {
        List<JsonNode> records = read("book.txt", "\ufeffOne\ntwo\n\n\n三\n");
        assertEquals(
                List.of("One\ntwo", "三"),
                records.stream().map(r -> r.get("data").asText()).toList());
    }

    /** Written by Arrow's C++ library. */
    @Test
    void readsParquet() throws IOException {
        assertEquals(alpaca(), read(Path.of("src/test/resources/data/alpaca-zstd.parquet"), DataFormat.AUTO));
        List<JsonNode> records = read(Path.of("src/test/resources/data/messages-snappy.parquet"), DataFormat.AUTO);
        assertEquals(2, records.size());
        assertEquals("A test.", records.get(0).at("/messages/1/content").asText());
        assertEquals("天空是什么颜色？", records.get(1).at("/messages/1/content").asText());
    }

    @Test
    void aParquetFileIsRecognisedWhateverItsName() throws IOException {
        Path renamed = Files.copy(Path.of("src/test/resources/data/alpaca-zstd.parquet"), directory.resolve("a.jsonl"));
        assertEquals(alpaca(), read(renamed, DataFormat.AUTO));
        String message = assertThrows(InvalidInputException.class, () -> read(renamed, DataFormat.parse("csv")))
                .getMessage();
        assertTrue(message.endsWith("this is Parquet, not csv"), message);
    }

    @Test
    void damagedParquetIsRefused() throws IOException {
        byte[] bytes = Files.readAllBytes(Path.of("src/test/resources/data/alpaca-zstd.parquet"));
        for (int length : new int[] {4, 40, bytes.length / 2, bytes.length - 9}) {
            Path cut = directory.resolve("cut.parquet");
            Files.write(cut, java.util.Arrays.copyOf(bytes, length));
            String message = assertThrows(TelechatException.class, () -> read(cut, DataFormat.AUTO))
                    .getMessage();
            assertTrue(message.contains("cut.parquet"), message);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "504b030414000000, a ZIP archive",
        "8004952800000000, a Python pickle",
        "4152524f57310000, an Arrow file",
        "255044462d312e37, PDF",
        "fffe7b0022006900, UTF-16"
    })
    void saysWhatAFileIsThatIsNotRead(String start, String what) throws IOException {
        Path file = Files.write(directory.resolve("data.jsonl"), HexFormat.of().parseHex(start));
        String message = assertThrows(InvalidInputException.class, () -> read(file, DataFormat.AUTO))
                .getMessage();
        assertTrue(message.contains("this is " + what), message);
    }

    @Test
    void whatIsNamedComesFirst() throws IOException {
        Path file = Files.writeString(directory.resolve("lines.data"), "input,output\nq,a\n");
        assertEquals(
                "a",
                read(file, DataFormat.parse("csv")).getFirst().get("output").asText());
    }
}
