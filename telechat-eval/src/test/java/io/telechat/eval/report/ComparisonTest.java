// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;

class ComparisonTest {
    @TempDir
    private Path directory;

    /** The right answer is 1; of each subject, the answers to its documents. */
    private Path run(String name, int[] anatomy, int... virology) throws IOException {
        List<ObjectNode> samples = new ArrayList<>();
        for (int i = 0; i < anatomy.length; i++) {
            samples.add(Runs.choice("mmlu", "anatomy", i, "Question " + i, 1, anatomy[i]));
        }
        for (int i = 0; i < virology.length; i++) {
            samples.add(Runs.choice("mmlu", "virology", i, "Question " + i, 1, virology[i]));
        }
        return Runs.write(directory.resolve(name), name, "mmlu", samples);
    }

    /** Anatomy: 1 right in A, 9 in B, 8 better; virology: 1 worse, and one that is wrong in another way. */
    private Comparison compared() throws IOException {
        Path a = run("a", new int[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 1, 1, 0, 1);
        Path b = run("b", new int[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, 1, 0, 2, 1);
        return Comparison.of(a, b);
    }

    /** SciPy: binomtest(1, 9).pvalue = 0.0390625, binomtest(0, 8).pvalue = 0.0078125; NumPy: std(ddof=1)/sqrt(n). */
    @Test
    void figuresAreOfTheDocumentsOfBoth() throws IOException {
        JsonNode scores = compared().json().get("scores");
        assertEquals(3, scores.size());
        assertRow(scores.get(0), "mmlu", 14, 0.5, 0.17383837384, 8, 1, 0.0390625, 0.0390625);
        assertRow(scores.get(1), "anatomy", 10, 0.8, 0.1333333333, 8, 0, 0.0078125, 0.015625);
        assertRow(scores.get(2), "virology", 4, -0.25, 0.25, 0, 1, 1, 1);
        assertEquals(4 / 14.0, scores.at("/0/first").doubleValue(), 1e-12);
        assertEquals(11 / 14.0, scores.at("/0/second").doubleValue(), 1e-12);
        assertEquals(0.31731050786291415, scores.at("/2/p_paired_z").doubleValue(), 1e-12);
    }

    private static void assertRow(
            JsonNode row, String name, int n, double d, double se, int better, int worse, double p, double holm) {
        assertEquals(name, row.get("name").textValue());
        assertEquals(n, row.get("n").intValue());
        assertEquals(d, row.get("difference").doubleValue(), 1e-12);
        assertEquals(se, row.get("difference_stderr").doubleValue(), 1e-10);
        assertEquals(better, row.get("better").intValue());
        assertEquals(worse, row.get("worse").intValue());
        assertEquals(p, row.get("p_mcnemar_exact").doubleValue(), 1e-12);
        assertEquals(holm, row.get("p_holm").doubleValue(), 1e-12);
    }

    @Test
    void whatChangedIsListed() throws IOException {
        JsonNode changed = compared().json().at("/tasks/mmlu/changed");
        assertEquals(10, changed.size());
        assertEquals(
                "{\"subtask\":\"virology\",\"doc_id\":1,\"change\":\"worse\",\"metrics\":{\"acc,none\":[1.0,0.0]},"
                        + "\"answers\":[{\"choice\":1},{\"choice\":0}]}",
                changed.get(8).toString());
        assertEquals(
                "{\"subtask\":\"virology\",\"doc_id\":2,\"change\":\"other\",\"metrics\":{},"
                        + "\"answers\":[{\"choice\":0},{\"choice\":2}]}",
                changed.get(9).toString());
    }

    @Test
    void theTableOfATerminal() throws IOException {
        assertEquals("""
            A: a
            B: b
               model: a -> b

            Task         n  Metric  Filter       A       B    B - A  Std. error  Better  Worse       p  p (Holm)
            ----------  --  ------  ------  ------  ------  -------  ----------  ------  -----  ------  --------  -
            mmlu        14  acc     none    0.2857  0.7857  +0.5000  ± 0.1738         8      1  0.0391    0.0391  *
              anatomy   10  acc     none    0.1000  0.9000  +0.8000  ± 0.1333         8      0  0.0078    0.0156  *
              virology   4  acc     none    0.7500  0.5000  -0.2500  ± 0.2500         0      1  1.0000    1.0000

            p: exact test of McNemar where scores are 0 or 1, else paired z-test, two-sided; with Holm's correction for \
            all tasks and groups, and apart from them for all subtasks; * below 0.05
            """, compared().text());
    }

    @Test
    void documentsThatDifferAreCountedAndLeftOut() throws IOException {
        Path a = run("a", new int[] {1, 1, 1, 1});
        Path b = run("b", new int[] {0, 1, 1, 1, 1});
        Path file = b.resolve("samples_mmlu.jsonl");
        String samples = Files.readString(file);
        Files.writeString(file, samples.replace("Question 0", "Another question"));
        Comparison comparison = Comparison.of(a, b);
        JsonNode task = comparison.json().at("/tasks/mmlu");
        assertEquals(
                "3 1 0 1",
                "%s %s %s %s"
                        .formatted(
                                task.get("compared"),
                                task.get("differing"),
                                task.get("only_first"),
                                task.get("only_second")));
        assertEquals(3, comparison.json().at("/scores/0/n").intValue());
        assertTrue(
                comparison
                        .text()
                        .contains("mmlu: 1 documents are left out: they have another prompt or another right answer in"
                                + " B\n"
                                + "mmlu: documents of one run only are left out: 0 of A, 1 of B\n"),
                comparison.text());
    }

    @Test
    void anotherRightAnswerIsAnotherDocument() throws IOException {
        Path a = run("a", new int[] {1, 1});
        Path b = run("b", new int[] {1, 1});
        Path file = b.resolve("samples_mmlu.jsonl");
        Files.writeString(file, Files.readString(file).replaceFirst("\"gold\":1", "\"gold\":2"));
        assertEquals(1, Comparison.of(a, b).json().at("/tasks/mmlu/differing").intValue());
    }

    @Test
    void whatCannotBeComparedIsRefused() throws IOException {
        Path a = run("a", new int[] {1, 1});
        Path other =
                Runs.write(directory.resolve("c"), "c", "gsm8k", List.of(Runs.free("gsm8k", null, 0, "Q", "18", "18")));
        assertMessage("%s and %s have no task in common".formatted(a, other), a, other);
        Path b = run("b", new int[] {1, 1});
        Path file = b.resolve("samples_mmlu.jsonl");
        Files.writeString(file, Files.readString(file).replace("Question", "Shots. Question"));
        assertMessage(
                ("%s and %s have no document in common: 2 have another prompt or another right answer; only runs with"
                                + " the same files, --style and --num-fewshot can be compared")
                        .formatted(a, b),
                a,
                b);
        Files.delete(file);
        assertMessage(file + ": there is no such file; give --log-samples to telechat eval", a, b);
    }

    private static void assertMessage(String message, Path a, Path b) {
        assertEquals(
                message,
                assertThrows(InvalidInputException.class, () -> Comparison.of(a, b))
                        .getMessage());
    }

    @Test
    void freeAnswersAreComparedByWhatIsReadOutOfThem() throws IOException {
        ObjectNode before = Runs.free("gsm8k", null, 0, "Q", "18", "18");
        ObjectNode after = Runs.free("gsm8k", null, 0, "Q", "18", "18").put("response", "It is 18");
        Path a = Runs.write(directory.resolve("a"), "m", "gsm8k", List.of(before));
        Path b = Runs.write(directory.resolve("b"), "m", "gsm8k", List.of(after));
        assertEquals(0, Comparison.of(a, b).json().at("/tasks/gsm8k/changed").size());
    }

    @Test
    void thePageHasFiguresAndBothAnswers() throws Exception {
        Element page = ReportPageTest.parsed(compared().page());
        assertEquals(List.of("a → b"), ReportPageTest.texts(page, "h1"));
        List<String> cells = ReportPageTest.texts(page, "td");
        assertEquals(
                List.of("a", "b", "acc", "none", "14", "0.2857", "0.7857", "+0.5000", "± 0.1738", "", "8", "1"),
                cells.subList(0, 12));
        assertEquals(List.of("0.0391", "0.0391"), cells.subList(12, 14));
        JsonNode first = ReportPageTest.data(page).at("/tasks/0/samples/0");
        assertEquals("BETTER", first.get("kind").textValue());
        assertEquals(0, first.at("/answers/0/choice").intValue());
        assertEquals(1, first.at("/answers/1/choice").intValue());
        assertEquals("Question 1", first.get("prompt").textValue());
    }
}
