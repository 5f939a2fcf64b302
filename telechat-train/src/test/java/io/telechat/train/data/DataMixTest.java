// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.TelechatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataMixTest {
    @TempDir
    Path directory;

    @BeforeEach
    void make() throws IOException {
        for (String name : List.of("b.jsonl", "a.jsonl", "more/d.jsonl", "more/c.jsonl", "more/deep/e.jsonl.gz")) {
            Path file = directory.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "");
        }
    }

    private DataMix read(String json) throws IOException {
        return DataMix.read(Files.writeString(directory.resolve("mix.json"), json), DataFormat.AUTO);
    }

    private List<String> files(String json) throws IOException {
        return read(json).sources().stream()
                .map(s -> directory.relativize(s.file()).toString())
                .toList();
    }

    @Test
    void namesFilesAndWeightsInOrder() throws IOException {
        assertEquals(
                List.of(
                        new DataSource("b.jsonl", directory.resolve("b.jsonl"), 0.5),
                        new DataSource("a.jsonl", directory.resolve("a.jsonl"), 2)),
                read("{\"b.jsonl\": 0.5, \"a.jsonl\": 2}").sources());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*.jsonl        | a.jsonl, b.jsonl",
                "?.jsonl        | a.jsonl, b.jsonl",
                "more/*.jsonl   | more/c.jsonl, more/d.jsonl",
                "m*/[cx].jsonl  | more/c.jsonl",
                "{a,b}.jsonl    | a.jsonl, b.jsonl",
                "more/**.gz     | more/deep/e.jsonl.gz",
                "more/../b.*    | b.jsonl"
            })
    void patternsStandForFilesByName(String pattern, String expected) throws IOException {
        assertEquals(List.of(expected.split(", ")), files("{\"%s\": 1}".formatted(pattern)));
    }

    /** Two files of one name in different directories must not look alike in a report. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "more/d.jsonl          | more/d.jsonl",
                "*.jsonl               | a.jsonl, b.jsonl",
                "more/*.jsonl          | more/c.jsonl, more/d.jsonl",
                "more/../more/d.*      | more/../more/d.jsonl",
                "**/*.gz               | more/deep/e.jsonl.gz",
                "DIR/more/[cd].jsonl   | DIR/more/c.jsonl, DIR/more/d.jsonl"
            })
    void namesAreThePathsOfTheMix(String pattern, String expected) throws IOException {
        List<String> names =
                read("{\"%s\": 1}".formatted(pattern.replace("DIR", directory.toString()))).sources().stream()
                        .map(s -> s.name().replace(directory.toString(), "DIR"))
                        .toList();
        assertEquals(List.of(expected.split(", ")), names);
    }

    @Test
    void takesAbsoluteFilesAndPatterns() throws IOException {
        assertEquals(
                List.of("b.jsonl", "more/c.jsonl", "more/d.jsonl"),
                files("{\"%s/b.jsonl\": 1, \"%s/more/*.jsonl\": 1}".formatted(directory, directory)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"pom.xml", "pom.*"})
    void looksInTheWorkingDirectoryToo(String name) throws IOException {
        assertEquals(
                List.of(new DataSource("pom.xml", Path.of("pom.xml").toAbsolutePath(), 1)),
                read("{\"%s\": 1}".formatted(name)).sources());
    }

    @Test
    void filesBesideTheMixComeFirst() throws IOException {
        Path beside = Files.writeString(directory.resolve("pom.xml"), "");
        assertEquals(beside, read("{\"pom.xml\": 1}").sources().getFirst().file());
    }

    @Test
    void aFileMayBeNamedLikeAPattern() throws IOException {
        Path file = Files.writeString(directory.resolve("a[1].jsonl"), "");
        assertEquals(file, read("{\"a[1].jsonl\": 1}").sources().getFirst().file());
    }

    @Test
    void theMixMayLieInADirectoryNamedLikeAPattern() throws IOException {
        Path odd = Files.createDirectories(directory.resolve("run[1]{x}"));
        Path file = Files.writeString(odd.resolve("x.jsonl"), "");
        Path mix = Files.writeString(odd.resolve("mix.json"), "{\"*.jsonl\": 1}");
        assertEquals(
                file, DataMix.read(mix, DataFormat.AUTO).sources().getFirst().file());
    }

    @ParameterizedTest
    @ValueSource(strings = {"none.jsonl", "none*.jsonl", "none/*.jsonl", "more"})
    void tellsWhichFileIsMissing(String name) {
        String message = assertThrows(InvalidModelException.class, () -> read("{\"%s\": 1}".formatted(name)))
                .getMessage();
        assertTrue(message.contains("there is no file '" + name + "'"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a[.jsonl", "a{.jsonl", "a\\u0000.jsonl"})
    void refusesWhatIsNeitherAPathNorAPattern(String name) {
        String message = assertThrows(InvalidModelException.class, () -> read("{\"%s\": 1}".formatted(name)))
                .getMessage();
        assertTrue(message.contains("is neither a path nor a pattern"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "\"1\"", "null", "true", "10001", "1e999", "[1]"})
    void refusesWeightsThatMakeNoSense(String weight) {
        String message = assertThrows(InvalidModelException.class, () -> read("{\"a.jsonl\": %s}".formatted(weight)))
                .getMessage();
        assertTrue(message.contains("'a.jsonl' has weight"), message);
    }

    @Test
    void readsStages() throws IOException {
        DataMix mix = read("""
            {"stages": [{"share": 0.7, "data": {"a.jsonl": 1}}, {"share": 0.3, "data": {"more/*.jsonl": 2}}]}\
            """);
        assertEquals(
                List.of(
                        new DataMix.Stage(0.7, List.of(new DataSource("a.jsonl", directory.resolve("a.jsonl"), 1))),
                        new DataMix.Stage(
                                0.3,
                                List.of(
                                        new DataSource("more/c.jsonl", directory.resolve("more/c.jsonl"), 2),
                                        new DataSource("more/d.jsonl", directory.resolve("more/d.jsonl"), 2)))),
                mix.stages());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | names no files",
                "{\"stages\": []} | must add up to 1",
                "{\"stages\": [{\"share\": 0.5, \"data\": {\"a.jsonl\": 1}}]} | must add up to 1, not 0.5",
                "{\"stages\": [{\"data\": {\"a.jsonl\": 1}}]} | stage 1 needs a \"share\"",
                "{\"stages\": [{\"share\": 0, \"data\": {\"a.jsonl\": 1}}]} | stage 1 needs a \"share\"",
                "{\"stages\": [{\"share\": 1}]} | names no files",
                "{\"stages\": [{\"share\": 1, \"data\": {}}]} | names no files"
            })
    void tellsWhatIsWrongWithAMix(String json, String part) {
        String message = assertThrows(TelechatException.class, () -> read(json)).getMessage();
        assertTrue(message.startsWith(directory.resolve("mix.json") + ": ") && message.contains(part), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[{\"input\": \"q\", \"output\": \"a\"}]",
                "{\"input\": \"q\", \"output\": \"a\"}",
                "{\"input\": \"q\", \"output\": \"a\"}\n{\"input\": \"q\", \"output\": \"a\"}",
                "{\"messages\": []}"
            })
    void dataInPlaceOfAMixAreTheOnlySource(String json) throws IOException {
        assertEquals(
                List.of(new DataSource("mix.json", directory.resolve("mix.json"), 1)),
                read(json).sources());
    }
}
