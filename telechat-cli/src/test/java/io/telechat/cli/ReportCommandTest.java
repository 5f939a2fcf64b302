// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code report} as a user or a script sees it. */
@Tag("slow")
class ReportCommandTest {
    @TempDir
    private Path directory;

    private Path run;

    @BeforeEach
    void make() throws IOException {
        run = Files.createDirectory(directory.resolve("run"));
        Files.writeString(run.resolve("metrics.jsonl"), """
            {"step":1,"loss":3.5,"lr":1.0E-5,"grad_norm":2.0,"tokens_per_s":512.5,"rss_mib":900,"mfu":0.25}
            {"step":1,"eval_loss":3.25}
            {"step":2,"loss":3.125,"lr":2.0E-5,"grad_norm":1.0,"tokens_per_s":500.0,"rss_mib":901,"mfu":0.25}
            """);
    }

    private Program.Result report(String... args) throws Exception {
        String[] command = new String[args.length + 1];
        command[0] = "report";
        System.arraycopy(args, 0, command, 1, args.length);
        return Program.run(directory, new byte[0], command);
    }

    @Test
    void thePageLiesInTheRunUnlessToldOtherwise() throws Exception {
        Program.Result first = report(run.toString());
        assertEquals(0, first.code(), first.err());
        assertEquals(run.resolve("report.html").toString(), first.out().strip());
        assertTrue(Files.readString(run.resolve("report.html")).contains("3.1250"), "last loss");
        Path out = directory.resolve("page.html");
        Program.Result second = report(run.toString(), run.toString(), "--out", out.toString(), "--quiet");
        assertEquals(0, second.code(), second.err());
        assertEquals("", second.out());
        assertTrue(Files.exists(out));
    }

    @Test
    void oneLineSaysWhatIsWrong() throws Exception {
        assertError(2, "RUN", report());
        assertError(3, directory.resolve("metrics.jsonl") + ": there is no such file", report(directory.toString()));
        assertError(3, "cannot be written", report(run.toString(), "--out", "/nowhere/page.html"));
        Files.writeString(run.resolve("metrics.jsonl"), "{\"step\":1}\n");
        assertError(3, "metrics.jsonl:1: has no number 'loss'", report(run.toString()));
        assertFalse(Files.exists(run.resolve("report.html")));
    }

    private Path evaluation(String name, int right) throws IOException {
        Path run = Files.createDirectory(directory.resolve(name));
        StringBuilder samples = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            samples.append("{\"task\":\"hellaswag\",\"subtask\":null,\"doc_id\":%d,\"context\":\"Q%d\",".formatted(i, i)
                    + "\"continuations\":[\" a\",\" b\"],\"choice\":%d,\"gold\":1,\"metrics\":{\"acc,none\":%d}}\n"
                            .formatted(i < right ? 1 : 0, i < right ? 1 : 0));
        }
        Files.writeString(run.resolve("samples_hellaswag.jsonl"), samples);
        Files.writeString(run.resolve("results.json"), """
            {"model":"m","settings":{},"results":{"hellaswag":{"sample_len":10,"acc,none":%s,"acc_stderr,none":0.16}},
             "groups":{},"tasks":{"hellaswag":{"subtasks":{"hellaswag":"hellaswag"},"groups":{}}}}
            """.formatted(right / 10.0));
        return run;
    }

    @Test
    void anEvaluationHasItsScores() throws Exception {
        Path eval = evaluation("eval", 4);
        Program.Result table = report(eval.toString());
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().contains("0.4000  ± 0.1600"), table.out());
        assertTrue(table.out().endsWith(eval.resolve("report.html") + System.lineSeparator()), table.out());
        assertTrue(Files.readString(eval.resolve("report.html")).contains("0.4000"), "score");
        Program.Result json = report(eval.toString(), "--json");
        assertEquals(
                0.4, json.json().getFirst().at("/results/hellaswag/acc,none").doubleValue());
    }

    @Test
    void twoEvaluationsAreCompared() throws Exception {
        Path first = evaluation("first", 1);
        Path second = evaluation("second", 9);
        Program.Result table = report(first.toString(), second.toString());
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().contains("+0.8000"), table.out());
        assertTrue(table.out().contains("0.0078  *"), table.out());
        assertTrue(Files.readString(second.resolve("comparison.html")).contains("first → second"), "title");
        Path out = directory.resolve("c.html");
        Program.Result json = report(first.toString(), second.toString(), "--json", "--out", out.toString());
        assertEquals(8, json.json().getFirst().at("/scores/0/better").intValue());
        assertTrue(Files.exists(out));
    }

    @Test
    void evaluationsAndTrainingRunsAreToldApart() throws Exception {
        Path eval = evaluation("eval", 4);
        assertError(2, eval + " is an evaluation: give it alone", report(run.toString(), eval.toString()));
        assertError(2, "--json is for evaluations", report(run.toString(), "--json"));
        assertError(2, "--log-loss is for training runs", report(eval.toString(), "--log-loss"));
    }
}
