// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CurriculumTest {
    @TempDir
    Path directory;

    private TinyData data;

    @BeforeEach
    void make() throws IOException {
        data = new TinyData(directory)
                .format52b()
                .file("easy.jsonl", lines("easy"))
                .file("hard.jsonl", lines("hard"))
                .mix("""
                    {"stages": [{"share": 0.7, "data": {"easy.jsonl": 1}}, {"share": 0.3, "data": {"hard.jsonl": 2}}]}\
                    """);
    }

    private static String[] lines(String question) {
        return IntStream.range(0, 30)
                .mapToObj(i -> TinyData.line(question, "a" + i))
                .toArray(String[]::new);
    }

    /** The question of each sample's dialogs, once. */
    private List<String> stages() {
        return data.make().stream()
                .map(sample -> String.join(
                        "+",
                        data.texts(List.of(sample)).stream()
                                .map(text -> text.substring("<_user>".length(), text.indexOf("<_bot>")))
                                .distinct()
                                .toList()))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void stagesFollowEachOtherAndHaveTheirShares(DataRecipe recipe) {
        data.recipe(recipe).samples(10);
        assertEquals(List.of("easy", "easy", "easy", "easy", "easy", "easy", "easy", "hard", "hard", "hard"), stages());
    }

    @ParameterizedTest
    @EnumSource
    void aStageMayBeTooSmallForASample(DataRecipe recipe) {
        data.recipe(recipe).samples(1);
        assertEquals(List.of("easy"), stages());
    }

    @Test
    void stagesThatShareAFileAreCountedEachForItself() throws IOException {
        data.mix("""
            {"stages": [{"share": 0.5, "data": {"easy.jsonl": 1}}, {"share": 0.5, "data": {"easy.jsonl": 1}}]}\
            """).samples(4);
        List<DataReport.Source> sources = data.report().sources();
        assertEquals(2, sources.size());
        assertTrue(sources.stream().allMatch(s -> s.lines() == 30 && s.dialogs() > 0), sources.toString());
    }

    @Test
    void itNeedsANumberOfSamples() {
        assertThrows(InvalidRequestException.class, data::run);
    }

    @ParameterizedTest
    @EnumSource
    void theErrorsOfAllStagesAreCounted(DataRecipe recipe) throws IOException {
        data.file("easy.jsonl", TinyData.line("q", "a"), "{", "[]").file("hard.jsonl", "{", TinyData.line("q", "a"));
        data.recipe(recipe).samples(10).maxErrors(2);
        String message = assertThrows(InvalidModelException.class, data::run).getMessage();
        assertTrue(
                message.startsWith("3 lines are unusable, more than --max-errors 2")
                        && message.contains(directory.resolve("easy.jsonl") + ":2: "),
                message);
        List<DataReport.Source> sources = data.maxErrors(3).report().sources();
        assertEquals(Map.of("malformed JSON", 2L), sources.get(0).dropped());
        assertEquals(Map.of("malformed JSON", 1L), sources.get(1).dropped());
    }

    @Test
    void aLineThatSeveralStagesReadIsOneError() throws IOException {
        data.file("easy.jsonl", TinyData.line("q", "a"), "{")
                .mix("""
                    {"stages": [{"share": 0.5, "data": {"easy.jsonl": 1}}, {"share": 0.5, "data": {"./easy.jsonl": 2}}]}\
                    """)
                .samples(4)
                .maxErrors(1);
        data.report().sources().forEach(s -> assertEquals(Map.of("malformed JSON", 1L), s.dropped()));
    }

    /** Dialogs of a stage are equally long, so that their order does not matter. */
    @ParameterizedTest
    @EnumSource
    void theReferencesFillRateIsThatOfAllStages(DataRecipe recipe) throws IOException {
        data.recipe(recipe).samples(10);
        data.file(
                "easy.jsonl",
                Collections.nCopies(60, TinyData.line("easy", "a")).toArray(String[]::new));
        data.file(
                "hard.jsonl",
                Collections.nCopies(60, TinyData.line("hard", "b".repeat(12))).toArray(String[]::new));
        double all = data.report().referenceFillRate();
        double easy = data.mix("{\"easy.jsonl\": 1}").output("easy").report().referenceFillRate();
        double hard = data.mix("{\"hard.jsonl\": 1}").output("hard").report().referenceFillRate();
        assertTrue(Math.abs(easy - hard) > 0.01, "both are %s".formatted(easy));
        assertEquals(0.7 * easy + 0.3 * hard, all, 1e-12);
    }
}
