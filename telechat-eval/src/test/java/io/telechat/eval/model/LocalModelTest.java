// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.Goldens;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.run.StopStrings;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Score;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What lm-evaluation-harness made of a small model. */
class LocalModelTest {
    private static final Path EVAL = Goldens.shared("eval");
    /** The log-likelihoods of the reference are of float64. */
    private static final double TOLERANCE = 2e-3;

    @TempDir
    private static Path directory;

    private static ChatModel shared;

    @BeforeAll
    static void joinModelAndTokenizer() throws IOException {
        assumeTrue(Files.isDirectory(EVAL), EVAL + " is not on this machine");
        for (Path folder : List.of(EVAL.resolve("model"), Goldens.shared("tokenizers/telechat-52b"))) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Path copy = directory.resolve(file.getFileName());
                    if (Files.notExists(copy)) {
                        Files.copy(file, copy);
                    }
                }
            }
        }
        shared = load();
    }

    /** Runs of the model itself. */
    static List<String> runs() throws IOException {
        if (!Files.isDirectory(EVAL)) {
            return List.of("none");
        }
        try (Stream<Path> runs = Files.list(EVAL.resolve("goldens"))) {
            return runs.map(run -> run.getFileName().toString())
                    .filter(name -> !name.endsWith("_responses"))
                    .sorted()
                    .toList();
        }
    }

    private static ChatModel load() {
        LoadOptions options = LoadOptions.builder()
                .cacheSize(new CacheSize.Tokens(16_384))
                .maxQueue(10_000)
                .build();
        return ChatModel.load(directory, options);
    }

    @AfterAll
    static void closeModel() {
        if (shared != null) {
            shared.close();
        }
    }

    /** Of the one model that all runs share. */
    private static LocalModel shared(PromptForm form) {
        return new LocalModel(shared, "golden", "", form, 16);
    }

    private static PromptForm form(JsonNode run) {
        return new PromptForm(number(run, "max_length"), number(run, "max_gen_toks"), false, false, false);
    }

    private static OptionalInt number(JsonNode node, String name) {
        return node.path(name).isInt() ? OptionalInt.of(node.get(name).asInt()) : OptionalInt.empty();
    }

    @ParameterizedTest
    @MethodSource("runs")
    void samplesAreThoseOfTheReference(String name) throws Exception {
        Path folder = EVAL.resolve("goldens").resolve(name);
        JsonNode run = new ObjectMapper().readTree(folder.resolve("run.json").toFile());
        List<JsonNode> samples =
                JsonLines.read(folder.resolve("samples_" + run.get("task").asText() + ".jsonl"));
        LocalModel model = shared(form(run));
        List<Runnable> checks = new ArrayList<>();
        for (JsonNode sample : samples) { // all at once, so that they share their beginnings
            checks.add(sample.has("continuations") ? likelihoods(model, sample) : answer(model, sample));
        }
        checks.forEach(Runnable::run);
    }

    private static Asked asked(JsonNode sample, Query query) {
        Prompt prompt = new Prompt.FewShot("", List.of(), sample.get("context").asText(), "");
        return new Asked(
                "golden", Optional.empty(), new Item(sample.get("doc_id").asInt(), prompt, query));
    }

    private static Runnable likelihoods(LocalModel model, JsonNode sample) {
        List<String> texts = texts(sample.get("continuations"));
        Query.Choice choice = new Query.Choice(texts, "", Set.of(0), false, false);
        CompletableFuture<Likelihoods> result = model.likelihoods(asked(sample, choice), choice);
        return () -> {
            Likelihoods found = result.join();
            assertEquals(sample.get("context_tokens").asInt(), found.contextTokens());
            for (int i = 0; i < texts.size(); i++) {
                double expected = sample.get("loglikelihoods").get(i).asDouble();
                assertArrayEquals(
                        ints(sample.get("continuation_ids").get(i)), found.ids().get(i));
                assertEquals(expected, found.sums()[i], TOLERANCE + 1e-5 * Math.abs(expected), texts.get(i));
                assertEquals(sample.get("is_greedy").get(i).asBoolean(), found.greedy()[i]);
                assertEquals(sample.get("truncated_tokens").get(i).asInt(), found.truncated()[i]);
            }
        };
    }

    private static Runnable answer(LocalModel model, JsonNode sample) {
        List<String> until = texts(sample.get("until"));
        OptionalInt length = OptionalInt.of(sample.get("max_gen_toks").asInt());
        Query.FreeAnswer query = new Query.FreeAnswer(until, length, "", new Nothing());
        CompletableFuture<Answer> result = model.answer(asked(sample, query), query);
        return () -> {
            assertEquals(
                    sample.get("context_tokens").asInt(),
                    result.join().contextTokens().getAsInt());
            assertEquals(
                    sample.get("response").asText(),
                    StopStrings.cut(result.join().text(), until, model.endOfText()));
        };
    }

    /** Answers are compared as they are. */
    private record Nothing() implements AnswerRule {
        @Override
        public Map<String, String> extract(String response) {
            return Map.of();
        }

        @Override
        public List<Score> score(Map<String, String> extracted) {
            return List.of();
        }
    }

    /** However many are computed beside it, and whether its beginning has been computed before. */
    @Test
    void likelihoodsDoNotDependOnCompany() throws Exception {
        JsonNode sample = JsonLines.read(EVAL.resolve("goldens/mmlu_5shot/samples_mmlu.jsonl"))
                .getFirst();
        List<String> texts = List.of(" A", " B", " C and more", " D or E");
        Query.Choice choice = new Query.Choice(texts, "", Set.of(0), false, false);
        double[] alone;
        try (LocalModel model = new LocalModel(load(), "golden", "", PromptForm.PLAIN, 16)) {
            alone = model.likelihoods(asked(sample, choice), choice).join().sums();
            assertArrayEquals(
                    alone,
                    model.likelihoods(asked(sample, choice), choice).join().sums(),
                    "from the cache");
        }
        LocalModel model = shared(PromptForm.PLAIN);
        List<CompletableFuture<Likelihoods>> all = new ArrayList<>();
        for (JsonNode other : JsonLines.read(EVAL.resolve("goldens/mmlu_5shot/samples_mmlu.jsonl"))) {
            all.add(model.likelihoods(asked(other, choice), choice));
        }
        assertArrayEquals(alone, all.getFirst().join().sums());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static int[] ints(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt();
        }
        return ids;
    }
}
