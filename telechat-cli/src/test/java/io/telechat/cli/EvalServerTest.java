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
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** {@code telechat eval --base-url}: a model behind {@code telechat serve} is scored as it is in this process. */
@Tag("slow")
@Isolated
class EvalServerTest {
    @TempDir
    private static Path directory;

    private static String model;
    private static Program.Started server;
    private static String url;

    @BeforeAll
    static void serve() throws Exception {
        Path made = TinyModels.makeWithTools(directory, "model", 1);
        // Greedy is greedy, whatever the model's makers recommend.
        Files.writeString(
                made.resolve("generation_config.json"), "{\"repetition_penalty\": 1.5, \"temperature\": 0.7}");
        model = made.toString();
        Path folder = Files.createDirectories(directory.resolve("data/own"));
        Files.writeString(folder.resolve("rows.jsonl"), """
            {"q": "Is ice cold?", "a": "yes, it is"}
            {"q": "Is fire warm or cold, or is it both of them?", "a": "warm"}
            {"q": "Are roses red?", "a": "yes"}
            """);
        Files.writeString(folder.resolve("choice.yaml"), """
            data: rows.jsonl
            examples: rows.jsonl
            num_fewshot: 2
            prompt: "{{q}}"
            choices: ["yes, it is", "warm", "yes"]
            gold: "{{a}}"
            """);
        Files.writeString(folder.resolve("said.yaml"), """
            data: rows.jsonl
            prompt: "{{q}}"
            gold: "{{a}}"
            max_new_tokens: 12
            until: ["#", "%", "&", "!", "e"]
            """);
        Path keys = Files.writeString(directory.resolve("keys"), "secret\n");
        server = Program.start(
                directory, "serve", model, "--port", "0", "--threads", "1", "--api-key-file", keys.toString());
        url = address(server);
    }

    @AfterAll
    static void stop() throws Exception {
        server.process().destroy();
        server.process().waitFor();
    }

    private static String address(Program.Started server) throws Exception {
        for (int i = 0; i < 600; i++) {
            String said = Files.readString(server.out());
            if (said.contains("listening on ") && said.endsWith("\n")) {
                return said.substring(said.indexOf("http")).strip();
            }
            Thread.sleep(100);
        }
        throw new AssertionError("the server does not start: " + Files.readString(server.err()));
    }

    private static Program.Result eval(String... args) {
        return InThisProcess.run("", command(args));
    }

    /** Of a server that has let this key in. */
    private static Program.Result evalThere(String key, String... args) throws IOException {
        Path file = Files.writeString(directory.resolve("key"), key + "\n");
        return eval(with(args, "--base-url", url, "--key-file", file.toString()));
    }

    private static String[] command(String... args) {
        List<String> all = new ArrayList<>(List.of("eval", "--quiet"));
        all.addAll(List.of(args));
        if (!all.contains("--tasks")) {
            Path folder = directory.resolve("data/own");
            all.addAll(List.of("--tasks", folder.resolve("choice.yaml") + "," + folder.resolve("said.yaml")));
        }
        return all.toArray(String[]::new);
    }

    private static List<JsonNode> samples(String run, String task) {
        return JsonLines.read(directory.resolve(run).resolve("samples_" + task + ".jsonl"));
    }

    @Test
    void scoresAreThoseOfTheModelHere() throws Exception {
        String here = directory.resolve("here").toString();
        String there = directory.resolve("there").toString();
        Program.Result local = eval(model, "--threads", "1", "--decode-with-prompt", "--out", here, "--log-samples");
        Program.Result remote = evalThere("secret", "--tokenizer", model, "--out", there, "--log-samples");

        assertEquals(0, local.code(), local.err());
        assertEquals(0, remote.code(), remote.err());
        assertEquals(local.out(), remote.out(), "table");
        for (String task : List.of("choice", "said")) {
            for (int i = 0; i < 3; i++) {
                assertSame(samples("here", task).get(i), samples("there", task).get(i));
            }
        }
    }

    private static void assertSame(JsonNode expected, JsonNode actual) {
        List<String> names = new ArrayList<>();
        expected.fieldNames().forEachRemaining(names::add);
        names.remove("loglikelihoods");
        for (String name : names) {
            assertEquals(expected.path(name), actual.path(name), name);
        }
        for (int i = 0; i < expected.path("loglikelihoods").size(); i++) {
            assertEquals(
                    expected.path("loglikelihoods").get(i).asDouble(),
                    actual.path("loglikelihoods").get(i).asDouble(),
                    1e-4);
        }
    }

    @Test
    void aConversationIsAnsweredAsHere() throws Exception {
        Path mmlu = directory.resolve("data/mmlu");
        Files.createDirectories(mmlu.resolve("dev"));
        Files.createDirectories(mmlu.resolve("test"));
        Files.writeString(mmlu.resolve("dev/virology_dev.csv"), "What has RNA?,Stones,Viruses,Water,Air,B\n");
        Files.writeString(mmlu.resolve("test/virology_test.csv"), "What is flu?,A,B,C,D,D\n");
        String[] options = {
            "--tasks",
            "mmlu",
            "--data-dir",
            directory.resolve("data").toString(),
            "--style",
            "opencompass",
            "--max-gen-toks",
            "8",
            "--num-fewshot",
            "1",
            "--log-samples",
            "--threads",
            "1"
        };
        Program.Result local = eval(with(options, model, "--out", directory + "/chat-here"));
        Program.Result remote = evalThere("secret", with(options, "--out", directory + "/chat-there"));

        assertEquals(0, local.code(), local.err());
        assertEquals(0, remote.code(), remote.err());
        assertSame(
                samples("chat-here", "mmlu").getFirst(),
                samples("chat-there", "mmlu").getFirst());
    }

    private static String[] with(String[] options, String... more) {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void whatIsWrongIsSaid() throws Exception {
        Program.assertError(2, "401", evalThere("wrong"));
        Program.Result unknown = evalThere("secret", "--tokenizer", model, "--model", "other");
        Program.assertError(2, "there is no model 'other' here", unknown);
        Program.assertError(2, "--tokenizer DIR", evalThere("secret"));
        Program.assertError(3, "has no key", evalThere(""));
    }

    @Test
    void theKeyMayBeInTheEnvironment() throws Exception {
        String[] args = command("--base-url", url, "--tokenizer", model, "--limit", "1");
        Program.Started started = Program.start(directory, Map.of("TELECHAT_API_KEY", "secret"), args);
        Program.Result result = started.result();

        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains("choice"), result.out());
    }
}
