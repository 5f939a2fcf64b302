// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.EvalResults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsTableTest {
    @TempDir
    private Path directory;

    /** 4 of 5 in one subject, 1 of 2 in the other. */
    private static List<ObjectNode> subjects(String task) {
        List<ObjectNode> samples = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            samples.add(Runs.choice(task, "农学", i, "Q" + i, 1, i == 0 ? 0 : 1));
        }
        samples.add(Runs.choice(task, "anatomy", 0, "Q", 1, 1));
        samples.add(Runs.choice(task, "anatomy", 1, "R", 1, 2));
        return samples;
    }

    private static EvalResults results() {
        ObjectNode unscored = Runs.free("humaneval", null, 0, "def f():", "HumanEval/0", "  return 1");
        unscored.withObject("metrics").removeAll().putNull("pass@1,create_test");
        return Runs.results(
                "m",
                Runs.scores("cmmlu", subjects("cmmlu")),
                Runs.scores("gsm8k", List.of(Runs.free("gsm8k", null, 0, "Q", "18", "18"))),
                Runs.scores("humaneval", List.of(unscored)));
    }

    /** The standard error of the group: sqrt((4 * 0.04 * 5 + 1 * 0.25 * 2) / (7 - 2) / 7) = 0.1927. */
    @Test
    void groupsComeFirstAndWideCharactersTakeTwoPlaces() {
        assertEquals(
                """
                Task       n  Metric       Filter   Score  Std. error  Mean of subtasks
                ---------  -  -----------  ------  ------  ----------  ----------------
                cmmlu      7  acc          none    0.7143  ± 0.1927              0.6500
                  农学     5  acc          none    0.8000  ± 0.2000
                  anatomy  2  acc          none    0.5000  ± 0.5000
                gsm8k      1  exact_match  strict  1.0000
                """,
                ResultsTable.of(Runs.results(
                        "m", results().tasks().get(0), results().tasks().get(1))));
    }

    @Test
    void whatWasNotScoredIsSaid() {
        String table = ResultsTable.of(results());
        assertTrue(table.matches("(?s).*\nhumaneval  1 +not scored\n"), table);
    }

    @Test
    void resultsAreReadAsTheyWereWritten() throws IOException {
        Files.writeString(directory.resolve("results.json"), results().json().toPrettyString());
        assertEquals(results(), EvalResults.read(directory));
    }

    @Test
    void subjectsOfTheSameNameAreKeptApart() throws IOException {
        EvalResults both = Runs.results(
                "m", Runs.scores("mmlu", subjects("mmlu").subList(5, 7)), Runs.scores("cmmlu", subjects("cmmlu")));
        ObjectNode json = both.json();
        assertTrue(
                json.get("results").has("mmlu_anatomy") && json.get("results").has("cmmlu_anatomy"), json.toString());
        assertTrue(json.get("results").has("农学"), json.toString());
        Files.writeString(directory.resolve("results.json"), json.toString());
        assertEquals(both, EvalResults.read(directory));
    }

    @Test
    void whatIsNoResultIsRefused() throws IOException {
        assertMessage("there is no such file; give the --out of telechat eval");
        Files.writeString(directory.resolve("results.json"), "{\"results\":{}}");
        assertMessage("is not the results.json of telechat eval");
        Files.writeString(
                directory.resolve("results.json"), "{\"settings\":{},\"tasks\":{\"t\":{\"subtasks\":{\"a\":\"b\"}}}}");
        assertMessage("has no scores of a");
    }

    private void assertMessage(String message) {
        InvalidInputException failure = assertThrows(InvalidInputException.class, () -> EvalResults.read(directory));
        assertEquals(directory.resolve("results.json") + ": " + message, failure.getMessage());
    }
}
