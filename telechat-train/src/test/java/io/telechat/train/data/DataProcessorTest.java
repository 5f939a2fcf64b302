// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.LocalRanks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the samples hold. */
@Tag("slow")
class DataProcessorTest {
    private static final String SHARD = "train_data_0.safetensors";
    private static final int LINES = 200;

    @TempDir
    Path directory;

    private TinyData data;

    @BeforeEach
    void make() throws IOException {
        data = new TinyData(directory).lines(TinyData.numbered(0, LINES));
    }

    @ParameterizedTest
    @EnumSource
    void theBytesAreTheSameOnAnyNumberOfThreads(DataRecipe recipe) throws IOException {
        data.lines(TinyData.numbered(0, 8000)).format52b().recipe(recipe);
        byte[] one = data.bytes(SHARD);
        for (int threads : new int[] {2, 3}) {
            assertArrayEquals(one, data.threads(threads).output("out" + threads).bytes(SHARD));
        }
    }

    @ParameterizedTest
    @EnumSource
    void theBytesAreTheSameOnAnyNumberOfRanks(DataRecipe recipe) throws IOException {
        String[] lines = TinyData.numbered(0, 30_000);
        lines[2] = "{";
        lines[20_000] = TinyData.line("", "empty");
        data.lines(lines).format52b().recipe(recipe).maxErrors(2);
        byte[] one = data.bytes(SHARD);
        String manifest = Files.readString(data.outputFile("manifest.json"));
        for (int ranks : new int[] {2, 3}) {
            assertArrayEquals(one, data.ranks(ranks).output("out" + ranks).bytes(SHARD));
            assertEquals(manifest, Files.readString(data.outputFile("manifest.json")));
        }
        assertEquals(Optional.empty(), data.run()); // up to date, and all ranks know
    }

    @Test
    void otherDataOnARankIsNoticed() {
        String message = assertThrows(
                        InvalidInputException.class,
                        () -> LocalRanks.run(2, Duration.ofSeconds(60), group -> {
                            try {
                                Path own = Files.createDirectories(directory.resolve("rank" + group.rank()));
                                int lines = LINES + group.rank();
                                new TinyData(own)
                                        .lines(TinyData.numbered(0, lines))
                                        .run(group);
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        }))
                .getMessage();
        assertEquals("rank 1 reads other data than rank 0", message);
    }

    @ParameterizedTest
    @ValueSource(longs = {1_000, 10_000, 1L << 40})
    void theBytesAreTheSameWithAnyMemory(long memory) throws IOException {
        byte[] expected = data.bytes(SHARD);
        assertArrayEquals(expected, data.memoryBytes(memory).output("other").bytes(SHARD));
    }

    @Test
    void theRowsAreTheSameInAnyNumberOfShards() throws IOException {
        List<TrainingData.Sample> whole = data.make();
        List<TrainingData.Sample> parts = data.shards(3).output("three").make();
        assertEquals(
                List.of("manifest.json", SHARD, "train_data_1.safetensors", "train_data_2.safetensors"),
                data.outputFiles());
        assertEquals(whole.size(), parts.size());
        for (int i = 0; i < whole.size(); i++) {
            assertArrayEquals(whole.get(i).ids(), parts.get(i).ids());
            assertArrayEquals(whole.get(i).mask(), parts.get(i).mask());
            assertArrayEquals(whole.get(i).sequences(), parts.get(i).sequences());
        }
    }

    @Test
    void thereMayBeFewerRowsThanShards() throws IOException {
        data.lines(TinyData.line("q", "a")).shards(3);
        assertEquals(1, data.make().size());
    }

    @Test
    void theSeedDecidesOnTheOrder() throws IOException {
        byte[] expected = data.bytes(SHARD);
        assertFalse(Arrays.equals(expected, data.seed(43).output("other").bytes(SHARD)));
        assertEquals(
                data.texts(data.output("out").read()),
                data.texts(data.output("other").read()));
    }

    @Test
    void everyDialogIsInOneRow() throws IOException {
        List<String> expected = new ArrayList<>();
        for (String line : TinyData.numbered(0, LINES)) {
            String[] parts = line.split("\"");
            expected.add("<_user> %s<_bot>[ %s<_end>]".formatted(parts[3], parts[7]));
        }
        Collections.sort(expected);
        assertEquals(expected, data.texts(data.make()));
    }

    @Test
    void rowsArePaddedOnTheLeftAndNoPaddingIsTrained() {
        int pad = data.chatTokenizer().padId();
        for (TrainingData.Sample sample : data.make()) {
            int padding = 0;
            while (sample.sequences()[padding] == 0) {
                assertEquals(pad, sample.ids()[padding]);
                assertEquals(0, sample.mask()[padding]);
                padding++;
            }
            assertTrue(IntStream.of(sample.sequences()).skip(padding).allMatch(s -> s > 0), "padding in the middle");
            assertTrue(padding >= 10, padding + " places free");
        }
    }

    @Test
    void sequencesNumberTheDialogsOfARow() {
        int user = data.chatTokenizer().tokenizer().id("<_user>").orElseThrow();
        for (TrainingData.Sample sample : data.make()) {
            int dialogs = 0;
            for (int i = 0; i < sample.ids().length; i++) {
                dialogs += sample.ids()[i] == user ? 1 : 0;
                assertEquals(dialogs, sample.sequences()[i]);
            }
        }
    }

    @Test
    void theReportCountsWhatIsThere() {
        DataReport report = data.report();
        List<TrainingData.Sample> samples = data.read();
        List<EncodedDialog> dialogs = TinyData.dialogs(samples);
        long tokens = dialogs.stream().mapToInt(EncodedDialog::length).sum();
        long trained = dialogs.stream().mapToInt(EncodedDialog::trained).sum();
        assertEquals(samples.size(), report.samples());
        assertEquals(tokens, report.tokens());
        assertEquals(trained, report.trainedTokens());
        assertEquals((double) tokens / samples.size() / 64, report.fillRate(), 1e-12);
        assertTrue(report.fillRate() >= report.referenceFillRate(), report.toString());
        assertEquals(
                List.of(new DataReport.Source(1, "lines.jsonl", 1, LINES, LINES, tokens, trained, 0, Map.of())),
                report.sources());
    }

    @Test
    void fewerSamplesThanThereAreIsACut() {
        List<String> all = data.texts(data.make());
        List<TrainingData.Sample> some = data.samples(5).output("some").make();
        assertEquals(5, some.size());
        List<String> texts = data.texts(some);
        assertEquals(texts.size(), new HashSet<>(texts).size());
        assertTrue(all.containsAll(texts), texts.toString());
    }

    @Test
    void moreSamplesThanThereAreRepeatTheData() throws IOException {
        data.lines(TinyData.numbered(0, 5)).samples(20);
        DataReport report = data.report();
        assertEquals(20, report.samples());
        assertTrue(report.rounds() > 1, report.rounds() + " rounds");
        Map<String, Integer> uses = new TreeMap<>();
        data.texts(data.read()).forEach(text -> uses.merge(text, 1, Integer::sum));
        assertEquals(5, uses.size());
        int most = Collections.max(uses.values());
        assertTrue(most - Collections.min(uses.values()) <= 1, uses.toString());
    }

    @Test
    void aWeightOf2UsesEveryLineTwice() throws IOException {
        List<String> once = data.texts(data.make());
        data.mix("{\"lines.jsonl\": 2}").output("twice");
        List<String> twice = new ArrayList<>(once);
        twice.addAll(once);
        Collections.sort(twice);
        assertEquals(twice, data.texts(data.make()));
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0, 1", "2.5, 2, 3"})
    void aFractionOfAWeightIsAChance(double weight, int fewest, int most) throws IOException {
        data.lines(TinyData.numbered(0, 4000)).mix("{\"lines.jsonl\": %s}".formatted(weight));
        Map<String, Integer> uses = new HashMap<>();
        data.texts(data.make()).forEach(text -> uses.merge(text, 1, Integer::sum));
        assertEquals(most, Collections.max(uses.values()));
        assertTrue(Collections.min(uses.values()) >= fewest);
        int total = uses.values().stream().mapToInt(i -> i).sum();
        assertEquals(weight * 4000, total, 5 * Math.sqrt(4000 * 0.25));
    }

    @Test
    void blankLinesAreNotCounted() throws IOException {
        data.lines("", TinyData.line("q", "a"), " \t\r", TinyData.line("q", "a") + "\r");
        assertEquals(2, data.report().sources().getFirst().lines());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void theFirstBadLineEndsTheRun(int threads) throws IOException {
        String[] lines = TinyData.numbered(0, 20_000);
        lines[12_344] = "{\"input\": \"q\"}";
        lines[19_000] = "{";
        data.lines(lines).threads(threads);
        String onRanks = assertThrows(
                        InvalidModelException.class, () -> data.ranks(3).run())
                .getMessage();
        String message = assertThrows(
                        InvalidModelException.class, () -> data.ranks(1).run())
                .getMessage();
        assertTrue(message.startsWith(directory.resolve("lines.jsonl") + ":12345: missing fields"), message);
        assertEquals(message, onRanks);
    }

    @Test
    void badLinesMayBeSkippedAndAreCounted() throws IOException {
        data.lines("{", TinyData.line("q", "a"), "[]", TinyData.line("", "a"), TinyData.line("q", "a<_bot>"))
                .maxErrors(4);
        DataReport.Source source = data.report().sources().getFirst();
        assertEquals(
                Map.of("malformed JSON", 2L, "empty question or answer", 1L, "role marker inside a message", 1L),
                source.dropped());
        assertEquals(5, source.lines());
        assertEquals(1, source.dialogs());
    }

    @Test
    void moreBadLinesThanAllowedEndTheRun() throws IOException {
        data.lines(TinyData.line("q", "a"), "{", "{", "{").maxErrors(2);
        String message = assertThrows(InvalidModelException.class, data::run).getMessage();
        assertTrue(
                message.startsWith("3 lines are unusable")
                        && message.contains(directory.resolve("lines.jsonl") + ":2: malformed JSON"),
                message);
    }

    @Test
    void aMessageThatTheFormatHasNotIsABadLine() throws IOException {
        data.lines(TinyData.line("q", "a"), "{\"tools\": [{}], \"input\": \"q\", \"output\": \"a\"}");
        String message = assertThrows(InvalidModelException.class, data::run).getMessage();
        assertTrue(message.startsWith(directory.resolve("lines.jsonl") + ":2: "), message);
    }

    @ParameterizedTest
    @EnumSource
    void sourcesWithoutAUsableDialogAreRefused(DataRecipe recipe) throws IOException {
        data.format52b().recipe(recipe);
        data.lines(TinyData.line("q".repeat(100), "a"), TinyData.line("q".repeat(200), "a"));
        String tooLong = assertThrows(InvalidModelException.class, data::run).getMessage();
        assertTrue(tooLong.contains("--max-seq-len"), tooLong);
        data.lines("");
        assertThrows(InvalidModelException.class, data::run);
    }

    @Test
    void dialogsThatAreTooLongAreCounted() throws IOException {
        data.lines(TinyData.line("q".repeat(100), "a"), TinyData.line("q", "a"));
        assertEquals(1, data.report().sources().getFirst().tooLong());
    }

    @Test
    void longTextIsSpreadOverRowsAndTrainedAll() throws IOException {
        String text = "once upon a time ".repeat(20).strip();
        data.lines("{\"data\": \"%s\"}".formatted(text));
        List<EncodedDialog> parts = TinyData.dialogs(data.make());
        int tokens = data.chatTokenizer().tokenizer().encode(text).length + 1;
        assertEquals(tokens, parts.stream().mapToInt(EncodedDialog::length).sum());
        assertEquals(tokens, parts.stream().mapToInt(EncodedDialog::trained).sum());
        assertEquals((tokens + 53) / 54, parts.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 11, 5_000_000})
    void refusesRowsOfOddLengths(int rowTokens) {
        data.rowTokens(rowTokens);
        assertThrows(InvalidRequestException.class, data::run);
    }

    @Test
    void refusesFewerSamplesThanShards() {
        data.samples(2).shards(3);
        assertThrows(InvalidRequestException.class, data::run);
    }

    @Test
    void refusesANegativeNumberOfErrors() {
        data.maxErrors(-1);
        assertThrows(InvalidRequestException.class, data::run);
    }
}
