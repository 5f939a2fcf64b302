// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.testing.Goldens;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Query.Choice;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Against what lm-evaluation-harness 0.4.13 made of the same files; no model is needed for that. */
class LmEvalGoldensTest {
    private static final Path EVAL = Goldens.shared("eval");
    private static final int USUAL_NEW_TOKENS = 256;

    private final List<String> programs = new ArrayList<>();

    @TestFactory
    List<DynamicTest> documentsAreThoseOfTheHarness() throws IOException {
        return runs().map(run -> dynamicTest(run.getFileName().toString(), () -> {
                    JsonNode options = JsonLines.parse(
                                    "run",
                                    Files.readString(run.resolve("run.json")).replace("\n", ""))
                            .getFirst();
                    compareDocuments(run, options);
                }))
                .toList();
    }

    @TestFactory
    List<DynamicTest> answersAreReadLikeByTheHarness() throws IOException {
        assumeTrue(Files.isDirectory(EVAL), "no goldens");
        try (Stream<Path> files = Files.list(EVAL.resolve("extract"))) {
            return files.filter(file -> file.getFileName().toString().startsWith("lm-eval."))
                    .map(file -> dynamicTest(file.getFileName().toString(), () -> compareAnswers(file)))
                    .toList();
        }
    }

    private static Stream<Path> runs() throws IOException {
        assumeTrue(Files.isDirectory(EVAL), "no goldens");
        try (Stream<Path> runs = Files.list(EVAL.resolve("goldens"))) {
            return runs.sorted().toList().stream();
        }
    }

    private void compareDocuments(Path run, JsonNode options) {
        String name = options.get("task").textValue();
        TaskSource source = new TaskSource(
                EVAL.resolve(options.get("data").textValue()),
                options.get("num_fewshot").intValue(),
                options.get("limit").isNull()
                        ? OptionalInt.empty()
                        : OptionalInt.of(options.get("limit").intValue()),
                Optional.of(this::keep),
                new ArrayList<>());
        Map<String, Item> items = new LinkedHashMap<>();
        for (Subtask subtask : task(name).load(source)) {
            subtask.items().forEach(item -> items.put(subtask.name().orElse(null) + "/" + item.id(), item));
        }
        List<JsonNode> samples = JsonLines.read(run.resolve("samples_" + name + ".jsonl"));
        assertEquals(samples.size(), items.size());
        assertAll(samples.stream()
                .map(sample -> () ->
                        compare(sample, items.get(sample.get("subtask").textValue() + "/" + sample.get("doc_id")))));
    }

    private void compare(JsonNode sample, Item item) {
        FewShot prompt = (FewShot) item.prompt();
        assertEquals(sample.get("context").textValue(), prompt.text());
        switch (item.query()) {
            case Choice choice -> {
                assertEquals(
                        texts(sample.get("continuations")),
                        choice.answers().stream()
                                .map(answer -> choice.delimiter() + answer)
                                .toList());
                List<Integer> right = choice.right().stream().sorted().toList();
                assertEquals(
                        sample.get("gold").toString().replace(",", ", "),
                        choice.several() ? right.toString() : right.getFirst().toString());
                assertEquals(sample.get("metrics").has("acc_norm,none"), choice.normalized());
            }
            case FreeAnswer answer -> {
                assertEquals(without("</s>", texts(sample.get("until"))), without("</s>", answer.until()));
                assertEquals(sample.get("gold").textValue(), answer.gold());
                if (sample.get("max_gen_toks").isInt()) {
                    assertEquals(
                            sample.get("max_gen_toks").intValue(),
                            Math.min(48, answer.maxNewTokens().orElse(USUAL_NEW_TOKENS)));
                }
                compareScores(sample, answer.rule());
            }
        }
    }

    private void compareScores(JsonNode sample, AnswerRule rule) {
        Map<String, String> extracted = rule.extract(sample.get("response").textValue());
        assertEquals(byName(sample.get("extracted")), extracted);
        programs.clear();
        Map<String, Double> scores = scores(rule, extracted);
        if (sample.has("program_sha256")) {
            assertEquals(sample.get("program_sha256").textValue(), sha256(programs.getFirst()));
        } else {
            Map<String, Double> expected = new LinkedHashMap<>();
            sample.get("metrics")
                    .properties()
                    .forEach(e -> expected.put(e.getKey(), e.getValue().doubleValue()));
            assertEquals(expected, scores, sample.get("response").textValue());
        }
    }

    private static void compareAnswers(Path file) {
        Task task = task(file.getFileName().toString().split("\\.")[1]);
        assertAll(JsonLines.read(file).stream().map(line -> () -> {
            AnswerRule rule = task.rule(new Question(
                    Optional.ofNullable(line.path("subtask").textValue()),
                    line.path("input").asText(""),
                    Optional.ofNullable(line.path("gold").textValue())));
            String response = line.get("response").textValue();
            for (JsonNode stop : line.path("until")) {
                response = response.split(Pattern.quote(stop.textValue()), 2)[0];
            }
            Map<String, String> extracted = rule.extract(response);
            assertEquals(byName(line.get("extracted")), extracted, line::toString);
            Map<String, Double> correct = new LinkedHashMap<>();
            line.path("correct")
                    .properties()
                    .forEach(e -> correct.put(e.getKey(), e.getValue().asBoolean() ? 1.0 : 0.0));
            Map<String, Double> scores = new LinkedHashMap<>();
            rule.score(extracted)
                    .forEach(score -> scores.put(score.filter(), score.value().orElseThrow()));
            assertEquals(correct, scores, line::toString);
        }));
    }

    private static Task task(String name) {
        return LmEvalTasks.all().stream()
                .filter(task -> task.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Map<String, Double> scores(AnswerRule rule, Map<String, String> extracted) {
        Map<String, Double> scores = new LinkedHashMap<>();
        rule.score(extracted)
                .forEach(score -> scores.put(score.key(), score.value().orElseThrow()));
        return scores;
    }

    private boolean keep(String program) {
        return programs.add(program);
    }

    private static Map<String, String> byName(JsonNode object) {
        Map<String, String> values = new LinkedHashMap<>();
        object.properties().forEach(e -> values.put(e.getKey(), e.getValue().textValue()));
        return values;
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.textValue()));
        return texts;
    }

    private static List<String> without(String removed, List<String> texts) {
        return texts.stream().filter(text -> !text.equals(removed)).toList();
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
