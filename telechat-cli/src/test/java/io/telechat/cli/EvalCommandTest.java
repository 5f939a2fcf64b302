// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.TinyModels;
import io.telechat.eval.data.JsonLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code telechat eval} with a model of random weights and a few questions. Runs in this process: it swaps its streams. */
@Isolated
class EvalCommandTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    private static Path common;

    private static String model;
    private static Path data;

    @TempDir
    private Path directory;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModels.makeWithTools(common, "model", 1).toString();
        data = common.resolve("data");
        write("mmlu/dev/astronomy_dev.csv", "How many moons has Earth?,0,1,2,3,B\n");
        write("mmlu/test/astronomy_test.csv", """
            What is the sun?,A star,A planet,A moon,A comet,A
            "Which is red, of these?",Mars,Venus,Uranus,Neptune,A
            Where are we?,Here,There,Nowhere,Anywhere,A
            """);
        write("mmlu/dev/virology_dev.csv", "What has RNA?,Stones,Viruses,Water,Air,B\n");
        write("mmlu/test/virology_test.csv", "What is a virus?,Small,Large,Red,Blue,A\nWhat is flu?,A,B,C,D,D\n");
        write("gsm8k/train.jsonl", "{\"question\": \"1+1?\", \"answer\": \"It is <<1+1=2>>2.\\n#### 2\"}\n");
        write("gsm8k/test.jsonl", """
            {"question": "2+2?", "answer": "Four.\\n#### 4"}
            {"question": "3+3?", "answer": "Six.\\n#### 6"}
            {"question": "4+4?", "answer": "Eight.\\n#### 8"}
            """);
        write(
                "humaneval/HumanEval.jsonl",
                "{\"task_id\": \"HumanEval/0\", \"prompt\": \"def f():\\n"
                        + "\", \"entry_point\": \"f\", \"canonical_solution\": \"    return 1\\n"
                        + "\", \"test\": \"def check(f):\\n"
                        + "    assert f() == 1\\n"
                        + "\"}\n");
        write("hellaswag/hellaswag_val.jsonl", """
            {"ind": 0, "activity_label": "Running", "ctx_a": "A man runs.", "ctx_b": "he", "ctx": "A man runs. he", "endings": ["stops.", "flies.", "sinks.", "melts."], "label": 0, "split": "val", "split_type": "indomain", "source_id": "x"}
            """);
        write("own/rows.jsonl", """
            {"q": "Is ice cold?", "a": "yes", "kind": "ice"}
            {"q": "Is fire cold?", "a": "no", "kind": "fire"}
            """);
        write("own/own.yaml", """
            data: rows.jsonl
            subtask: "{{kind}}"
            prompt: "{{q}}"
            choices: ["yes", "no"]
            gold: "{{a}}"
            """);
        write("own/said.yaml", """
            data: rows.jsonl
            examples: rows.jsonl
            prompt: "{{q}}"
            gold: "{{a}}"
            max_new_tokens: 4
            """);
        write("own/toolong.yaml", """
            data: rows.jsonl
            examples: rows.jsonl
            prompt: "{{q}}"
            choices: ["no", "%s"]
            gold: "0"
            """.formatted("a".repeat(5000)));
    }

    private static Path write(String file, String text) throws IOException {
        Files.createDirectories(data.resolve(file).getParent());
        return Files.writeString(data.resolve(file), text);
    }

    private static Program.Result eval(String input, String... args) {
        return InThisProcess.run(
                input, Stream.concat(Stream.of("eval"), Stream.of(args)).toArray(String[]::new));
    }

    /** With this model and these questions. */
    private static Program.Result ask(String tasks, String... more) {
        return about(tasks, Stream.concat(Stream.of(model), Stream.of(more)).toArray(String[]::new));
    }

    /** With these questions, cut short for speed. */
    private static Program.Result about(String tasks, String... more) {
        List<String> args = new ArrayList<>(List.of("--tasks", tasks, "--data-dir", data.toString(), "--quiet"));
        args.addAll(List.of("--num-fewshot", "1", "--max-gen-toks", "4", "--max-length", "40", "--threads", "1"));
        args.addAll(List.of(more));
        return eval("", args.toArray(String[]::new));
    }

    private static String own(String name) {
        return data.resolve("own").resolve(name).toString();
    }

    private String[] logged(String name, String... more) {
        return Stream.concat(Stream.of("--out", directory.resolve(name).toString(), "--log-samples"), Stream.of(more))
                .toArray(String[]::new);
    }

    private String read(String file) throws IOException {
        return Files.readString(directory.resolve(file));
    }

    private JsonNode sample(String file, int line) {
        return JsonLines.read(directory.resolve(file)).get(line);
    }

    @Test
    void aRunHasATableResultsSamplesAndAPage() throws IOException {
        Program.Result result = ask("mmlu,gsm8k", logged("o"));

        assertEquals(0, result.code(), result.err());
        assertTrue(
                result.out().lines().anyMatch(line -> line.matches("\\W*astronomy +.*acc .*\\d\\.\\d{4}.*")),
                result.out());
        JsonNode results = MAPPER.readTree(read("o/results.json"));
        assertEquals(model, results.path("model").asText());
        assertEquals(3, results.at("/results/astronomy/sample_len").intValue());
        assertTrue(results.at("/results/gsm8k/exact_match,strict-match").isNumber());
        assertTrue(results.at("/groups/mmlu_stem/acc,none").isNumber());
        assertTrue(read("o/report.html").contains("astronomy"));
        assertEquals(5, read("o/samples_mmlu.jsonl").lines().count());
        assertEquals("4", sample("o/samples_gsm8k.jsonl", 0).path("gold").asText());
        try (Stream<Path> files = Files.list(directory.resolve("o"))) {
            assertEquals(4, files.count(), "nothing is left to go on with");
        }
    }

    @Test
    void resultsAreTheSameHoweverManyAreComputedAtOnce() throws IOException {
        Program.Result one = ask("mmlu,gsm8k", logged("one", "--batch-size", "1", "--json"));
        Program.Result many = ask("mmlu,gsm8k", logged("many", "--batch-size", "32", "--threads", "2", "--json"));

        assertEquals(0, one.code(), one.err());
        assertEquals(one.out(), many.out());
        assertEquals(MAPPER.readTree(read("one/results.json")), one.json().getFirst());
        for (String file : List.of("results.json", "samples_mmlu.jsonl", "samples_gsm8k.jsonl")) {
            assertEquals(read("one/" + file), read("many/" + file), file);
        }
    }

    /** What a run leaves that failed in its second task, and was killed while it wrote. */
    private Path cutShort() throws IOException {
        assertError(2, "must have from 1 to", ask("mmlu," + own("toolong.yaml"), logged("cut")));
        Path log = directory.resolve("cut/samples_mmlu.partial.jsonl");
        List<String> lines = Files.readAllLines(log);
        assertEquals(6, lines.size(), "settings and documents");
        String half = lines.get(3).substring(0, lines.get(3).length() / 2);
        Files.writeString(log, String.join("\n", lines.subList(0, 3)) + "\n" + half);
        return log;
    }

    @Test
    void aRunThatWasCutShortComesToTheSameEnd() throws IOException {
        Path log = cutShort();
        assertEquals(0, ask("mmlu", logged("cut")).code());
        assertEquals(0, ask("mmlu", logged("whole")).code());

        assertEquals(read("whole/samples_mmlu.jsonl"), read("cut/samples_mmlu.jsonl"));
        assertEquals(read("whole/results.json"), read("cut/results.json"));
        assertFalse(Files.exists(log));
    }

    @Test
    void aRunGoesOnWithTheSameOptionsOnly() throws IOException {
        cutShort();

        for (String other :
                List.of("--weights q8", "--activations f32", "--kv-cache bf16", "--max-length 30", "--limit 2")) {
            assertError(3, "is of a run with other options", ask("mmlu", logged("cut", other.split(" "))));
        }
    }

    @Test
    void aRunGoesOnWithTheSameWeightsOnly() throws IOException {
        Path log = cutShort();
        Path copy = TinyModels.makeWithTools(directory, "copy", 2);
        String first = Files.readAllLines(log).getFirst();
        Files.writeString(log, first.replace(model, copy.toString()) + "\n"); // as if it had stood there

        assertError(3, "is of a run with other options", about("mmlu", logged("cut", copy.toString())));
    }

    @Test
    void aRunGoesOnWithTheSameQuestionsOnly() throws IOException {
        Path rows = Files.copy(data.resolve("own/rows.jsonl"), directory.resolve("rows.jsonl"));
        Path task = Files.copy(data.resolve("own/said.yaml"), directory.resolve("said.yaml"));
        assertError(2, "must have from 1 to", ask(task + "," + own("toolong.yaml"), logged("cut")));
        String before = Files.readString(task);

        Files.writeString(task, before + "ignore_case: true\n");
        assertError(3, "is of a run with other options", ask(task.toString(), logged("cut")));
        Files.writeString(task, before);
        Files.writeString(rows, Files.readString(rows).replace("cold", "warm"));
        assertError(3, "is of a run with other options", ask(task.toString(), logged("cut")));
    }

    @Test
    void aLimitIsOfEachSubtask() throws IOException {
        Program.Result result = ask("mmlu", "--limit", "1", "--json");

        assertEquals(0, result.code(), result.err());
        JsonNode results = result.json().getFirst().path("results");
        assertEquals(2, results.size());
        results.forEach(part -> assertEquals(1, part.path("sample_len").intValue()));
    }

    @Test
    void whatIsMissingIsNamed() {
        Program.Result result = about("mmlu", model, "--limit", "1");

        assertTrue(
                result.err()
                        .contains("mmlu: left out of the means, since their files are not there: abstract_algebra,"
                                + " anatomy,"),
                result.err());
        assertFalse(result.err().contains("astronomy"), result.err());
    }

    private String responses() throws IOException {
        return Files.writeString(directory.resolve("responses.jsonl"), """
            {"task": "gsm8k", "subtask": null, "doc_id": 0, "response": " Four.\\n#### 4\\n\\nQuestion: #### 5"}
            {"task": "gsm8k", "subtask": null, "doc_id": 1, "response": "It is 6."}
            """).toString();
    }

    @Test
    void savedAnswersAreScoredWithoutAModel() throws IOException {
        Program.Result result = about("gsm8k", logged("o", "--responses", responses(), "--json"));

        assertEquals(0, result.code(), result.err());
        JsonNode scores = result.json().getFirst().at("/results/gsm8k");
        assertEquals(2, scores.path("sample_len").intValue());
        assertEquals(0.5, scores.path("exact_match,strict-match").doubleValue());
        assertEquals(1, scores.path("exact_match,flexible-extract").doubleValue());
        assertFalse(sample("o/samples_gsm8k.jsonl", 0).has("context_tokens"));
    }

    @Test
    void withATokenizerTheirPromptsAreCounted() throws IOException {
        assertEquals(
                0,
                about("gsm8k", logged("o", "--responses", responses(), "--tokenizer", model))
                        .code());

        assertTrue(sample("o/samples_gsm8k.jsonl", 0).path("context_tokens").intValue() > 40);
    }

    @Test
    void aTaskOfOnesOwnNeedsNoDataDirectory() throws IOException {
        Program.Result result =
                eval("", model, "--tasks", own("own.yaml") + "," + own("said.yaml"), "--json", "--quiet");

        assertEquals(0, result.code(), result.err());
        JsonNode results = result.json().getFirst();
        assertEquals(2, results.at("/groups/own/sample_len").intValue());
        assertEquals(2, results.at("/results/said/sample_len").intValue());
    }

    @Test
    void programsAreNotRunWithoutLeave() throws IOException {
        Program.Result result = ask("humaneval", logged("o", "--json", "--num-fewshot", "0"));

        assertEquals(0, result.code(), result.err());
        assertTrue(sample("o/samples_humaneval.jsonl", 0).path("metrics").properties().stream()
                .allMatch(metric -> metric.getValue().isNull()));
        assertFalse(result.json().getFirst().at("/results/humaneval").toString().contains("pass@1,create_test\":0"));
    }

    @Test
    void conversationsGoByTheModelsChatFormat() throws IOException {
        Program.Result result = ask("mmlu", logged("o", "--style", "opencompass"));

        assertEquals(0, result.code(), result.err());
        assertEquals(
                "HUMAN",
                sample("o/samples_mmlu.jsonl", 0).at("/messages/0/role").asText());
    }

    @Test
    void likelihoodsCanBeThoseOfAChatsAnswers() throws IOException {
        Program.Result plain = ask("hellaswag,mmlu", logged("plain", "--num-fewshot", "0"));
        Program.Result chat = ask("hellaswag,mmlu", logged("chat", "--num-fewshot", "0", "--apply-chat-template"));

        assertEquals(0, plain.code(), plain.err());
        assertEquals(0, chat.code(), chat.err());
        JsonNode one = sample("plain/samples_mmlu.jsonl", 0);
        JsonNode other = sample("chat/samples_mmlu.jsonl", 0);
        assertEquals(4, other.path("loglikelihoods").size());
        assertFalse(one.path("loglikelihoods").equals(other.path("loglikelihoods")));
    }

    @Test
    void promptsOfBothStylesArePrinted() throws IOException {
        Program.Result plain = about("mmlu,gsm8k", "--prompts", "--limit", "1");
        Program.Result chat = about("mmlu", "--prompts", "--style", "opencompass", "--limit", "1");

        assertEquals(0, plain.code(), plain.err());
        assertEquals(0, chat.code(), chat.err());
        JsonNode first = plain.json().getFirst();
        assertTrue(first.path("context").asText().endsWith("\nAnswer:"), first.toString());
        assertEquals(" D", first.path("continuations").path(3).asText());
        assertEquals("Question:", plain.json().get(2).path("until").path(0).asText());
        assertEquals("BOT", chat.json().getFirst().at("/messages/1/role").asText());
    }

    @Test
    void answersAreReadFromStdin() throws IOException {
        Program.Result read =
                eval("{\"response\": \"#### 4\", \"gold\": \"4\"}\n\n{\"response\": \"?\"}\n", "--extract", "gsm8k");
        Program.Result equal =
                eval("{\"a\": \"\\\\frac12\", \"b\": \"0.5\"}\n", "--equivalence", "math", "--style", "minerva");

        assertEquals(0, read.code(), read.err());
        assertEquals("4", read.json().getFirst().at("/extracted/strict-match").asText());
        assertTrue(read.json().getFirst().at("/correct/strict-match").asBoolean());
        assertEquals(
                "[invalid]", read.json().get(1).at("/extracted/strict-match").asText());
        assertEquals(0, equal.code(), equal.err());
        assertTrue(equal.json().getFirst().path("equal").asBoolean());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--extract gsm8k                            | {\"text\": \"a\"} | stdin line 3: a line must have"
                        + " \"response\"",
                "--extract gsm8k                            | {\"response\":     | stdin line 3",
                "--extract gsm8k                            | [1]               | stdin line 3: is not a JSON object",
                "--equivalence math --style hendrycks       | {\"a\": \"1\"}    | stdin line 3: a line must have \"a\""
                        + " and \"b\""
            })
    void aBadLineOfStdinIsNamed(String args, String line, String part) {
        String good = "{\"response\": \"4\", \"a\": \"1\", \"b\": \"1\"}\n\n";

        Program.Result result = eval(good + line + "\n", args.strip().split(" +"));

        assertError(3, part, result);
        assertEquals(1, result.err().lines().count(), result.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--tasks mmlu2 --data-dir DATA          | 2 | mmlu2: there is no such task in the style lm-eval: ",
                "--data-dir DATA                        | 2 | which tasks? --tasks takes some of: ",
                "--tasks mmlu                           | 2 | --data-dir",
                "--tasks mmlu --data-dir /nowhere       | 3 | /nowhere: there is no such directory",
                "--tasks cmmlu --data-dir DATA          | 3 | has nothing of cmmlu",
                "--tasks mmlu --data-dir DATA --style x | 2 | must be one of: lm-eval, opencompass",
                "--tasks mmlu --data-dir DATA --num-fewshot -1 | 2 | --num-fewshot is -1",
                "--tasks mmlu --data-dir DATA --limit 0 | 2 | --limit",
                "--tasks mmlu --data-dir DATA --batch-size 0 | 2 | --batch-size",
                "--tasks DATA/own/own.yaml,DATA/own/./own.yaml | 2 | another of these tasks is called own",
                "--tasks mmlu --data-dir DATA --model m | 2 | --base-url",
                "--tasks mmlu --data-dir DATA --base-url http://127.0.0.1:1 --responses x | 2 | who answers?",
                "--tasks mmlu --data-dir DATA --responses DATA/own/own.yaml | 3 | own.yaml line 1",
                "--tasks DATA/own/none.yaml             | 3 | none.yaml",
                "/nowhere --tasks gsm8k --num-fewshot 1 --data-dir DATA | 3 | /nowhere: there is no such directory",
                "--equivalence chemistry                | 2 | must be math",
                "--equivalence math                     | 2 | must be one of: minerva, hendrycks"
            })
    void whatCannotBeIsSaid(String args, int code, String part) {
        assertError(
                code,
                part,
                eval("", args.strip().replace("DATA", data.toString()).split(" +")));
    }
}
