// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
}
