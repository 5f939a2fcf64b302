// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.testing.TinyModels;
import io.telechat.eval.data.JsonLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code telechat judge} with a model of random weights, which answers and judges. */
@Tag("slow")
class JudgeCommandTest {
    @TempDir
    Path directory;

    private Path dialogs;
    private Path criteria;

    @BeforeEach
    void makeDialogs() throws IOException {
        dialogs = Files.writeString(directory.resolve("dialogs.jsonl"), """
            {"id": "a", "dimension": "greetings", "messages": [{"role": "user", "content": "Hello!"}]}
            {"id": "b", "dimension": "greetings", "messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "And?"}]}
            {"id": "c", "dimension": "sums", "messages": [{"role": "user", "content": "2+2"}], "reference": "4"}
            """);
        criteria = Files.writeString(directory.resolve("criteria.jsonl"), """
            {"dimension": "greetings", "criteria": "Is it polite?"}
            {"dimension": "sums", "criteria": "Is it right?"}
            """);
    }

    private Program.Result judge(String... args) throws Exception {
        List<String> all = new ArrayList<>(List.of("judge"));
        all.addAll(List.of(args));
        all.addAll(List.of("--dialogs", dialogs.toString(), "--criteria", criteria.toString(), "--threads", "1"));
        return Program.run(directory, new byte[0], all.toArray(String[]::new));
    }

    private String model() throws IOException {
        return TinyModels.makeWithTools(directory, "model", 1).toString();
    }

    @Test
    void aModelHereKeepsToTheFormAndComparedWithItselfWinsHalf() throws Exception {
        String model = model();
        Path out = directory.resolve("out");
        Program.Result first =
                judge(model, "--judge", model, "--max-new-tokens", "8", "--out", out.toString(), "--json");
        assertEquals(0, first.code(), first.err());
        JsonNode all = first.json().getFirst().path("all");
        assertEquals(3, all.path("n").intValue());
        assertEquals(0, all.path("unread_replies").intValue());
        assertTrue(all.path("score").doubleValue() >= 0 && all.path("score").doubleValue() <= 100);
        assertEquals(
                2,
                JsonLines.read(out.resolve("answers.jsonl"))
                        .get(1)
                        .path("answers")
                        .size());
        String judgements = Files.readString(out.resolve("judgements.jsonl"));

        Program.Result again = judge(
                "--answers",
                out.toString(),
                "--judge",
                model,
                "--out",
                directory.resolve("b").toString());
        assertEquals(0, again.code(), again.err());
        assertEquals(judgements, Files.readString(directory.resolve("b/judgements.jsonl")));
        assertTrue(again.out().contains("mean of dimensions"), again.out());

        Program.Result compared = judge("--answers", out.toString(), "--versus", out.toString(), "--judge", model);
        assertEquals(0, compared.code(), compared.err());
        assertTrue(compared.out().lines().anyMatch(l -> l.matches("all dialogs +50\\.0 .*")), compared.out());
    }

    @Test
    void aServerAnswersAsTheModelItselfAndUnreadableVerdictsAreSaid() throws Exception {
        String model = model();
        Program.Started server = Program.start(directory, "serve", model, "--port", "0", "--threads", "1");
        try {
            String url = address(server);
            Path here = directory.resolve("here");
            Path there = directory.resolve("there");
            Program.Result local = judge(model, "--no-judge", "--max-new-tokens", "8", "--out", here.toString());
            Program.Result remote =
                    judge("--base-url", url, "--no-judge", "--max-new-tokens", "8", "--out", there.toString());
            assertEquals(0, local.code(), local.err());
            assertEquals(0, remote.code(), remote.err());
            assertEquals(
                    Files.readString(here.resolve("answers.jsonl")), Files.readString(there.resolve("answers.jsonl")));

            Program.Result judged = judge(
                    "--answers", here.toString(), "--judge-url", url, "--judge-max-new-tokens", "8", "--retries", "1");
            Program.assertError(3, "none of 3 dialogs has a verdict", judged);
        } finally {
            server.process().destroy();
            server.process().waitFor();
        }
    }

    private static String address(Program.Started server) throws Exception {
        for (int i = 0; i < 600; i++) {
            String said = Files.readString(server.out());
            if (said.contains("listening on ") && said.endsWith("\n")) {
                return said.substring(said.indexOf("http")).strip();
            }
            Thread.sleep(100);
        }
        throw new AssertionError("the server does not start");
    }

    @Test
    void ourOwnDialogsCanBePrintedAndReadAgain() throws Exception {
        Program.Result printed = Program.run(directory, new byte[0], "judge", "--print-dialogs");
        Files.writeString(dialogs, printed.out());
        Program.Result again = judge("--print-dialogs", "--limit", "1", "--dimensions", "code,safety");

        assertEquals(60, printed.json().size());
        assertEquals(4, again.json().size());
        assertEquals(
                20,
                Program.run(directory, new byte[0], "judge", "--print-criteria")
                        .json()
                        .size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--answers x | 2 | who judges?",
                "--answers x --judge a --judge-url http://b | 2 | who judges?",
                "a --answers x --judge a | 2 | who answers?",
                "--answers x --no-judge | 2 | --no-judge",
                "--answers x --judge a --retries -1 | 2 | --retries",
                "--answers x --judge-url b | 2 | b: is no address of a server",
                "--answers /nowhere --judge a | 3 | /nowhere: cannot be read",
                "--answers x --judge a --ranks 2 | 2 | --judge-url"
            })
    void whatCannotBeIsSaid(String args, int code, String part) throws Exception {
        Path answers = Files.writeString(directory.resolve("answers.jsonl"), """
            {"id": "a", "answer": "Hello."}
            """);
        Program.assertError(
                code,
                part,
                judge(args.replace("--answers x", "--answers " + answers).split(" ")));
    }

    @Test
    void aBadLineIsNamed() throws Exception {
        Files.writeString(dialogs, "{\"id\": \"a\"}\n");

        Program.assertError(3, "dialogs.jsonl line 1: ", judge("--answers", "x", "--judge", "a"));
    }
}
