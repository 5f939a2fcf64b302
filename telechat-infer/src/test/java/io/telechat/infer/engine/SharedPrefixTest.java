// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What prompts that are submitted at once begin with is computed once, and nobody waits for ever for that. */
class SharedPrefixTest {
    @TempDir
    static Path directory;

    private static Path path;

    @BeforeAll
    static void make() throws IOException {
        path = TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1);
    }

    private static ChatModel load(int cachedTokens) {
        LoadOptions options = LoadOptions.builder()
                .contextLength(1_000)
                .cacheSize(new CacheSize.Tokens(cachedTokens))
                .maxBatch(9)
                .build();
        return ChatModel.load(path, options);
    }

    /** Collects what comes of some sequences. */
    private static final class Results implements EngineListener {
        private final List<CompletableFuture<Generation>> all;
        private final RowScore[] scores;

        private Results(int count) {
            all = IntStream.range(0, count)
                    .mapToObj(i -> new CompletableFuture<Generation>())
                    .toList();
            scores = new RowScore[count];
        }

        @Override
        public void token(int index, TokenEvent event) {
            // The end counts.
        }

        @Override
        public void scored(int index, List<RowScore> rows) {
            scores[index] = rows.getFirst();
        }

        @Override
        public void finished(int index, Generation generation) {
            all.get(index).complete(generation);
        }

        @Override
        public void failed(int index, RuntimeException failure) {
            all.get(index).completeExceptionally(failure);
        }

        private Generation get(int index) {
            return all.get(index).join();
        }
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, 260).toArray();
    }

    /** A text, and another one behind it that begins with a token that no other has. */
    private static int[] behind(int[] text, int number, int count) {
        int[] own = ids(count, 1_000 + number);
        own[0] = number;
        return IntStream.concat(IntStream.of(text), IntStream.of(own)).toArray();
    }

    private static Request scoring(int[] prompt) {
        return Request.scoring(prompt, new int[][] {{1, 2, 3}});
    }

    @Test
    void questionsBehindTheSameExamplesComputeThoseOnce() {
        int examples = 700; // not whole blocks
        List<Request> requests = IntStream.range(0, 64)
                .mapToObj(i -> scoring(behind(ids(examples, 1), i, 20 + i)))
                .toList();
        try (ChatModel model = load(20_000)) {
            Results results = new Results(64);
            model.engine().submit(requests, results);
            long own = 0;
            for (int i = 0; i < 64; i++) {
                assertEquals(i == 0 ? 0 : examples, results.get(i).usage().cachedTokens(), "question " + i);
                own += 20 + i;
            }
            assertEquals(examples + own, model.engine().stats().computedTokens());
            assertEquals(63L * examples, model.engine().stats().prefixHits());
        }
    }

    /** Some choices behind each of some contexts behind the same examples. */
    @Test
    void whatOnlySomeBeginWithIsComputedOnceAsWell() {
        List<Request> requests = new ArrayList<>();
        int[] examples = ids(150, 1);
        int computed = examples.length;
        for (int context = 0; context < 6; context++) {
            int[] text = behind(examples, context, 100);
            computed += 100;
            for (int choice = 0; choice < 4; choice++) {
                requests.add(scoring(behind(text, choice, 10)));
                computed += 10;
            }
        }
        try (ChatModel model = load(20_000)) {
            Results results = new Results(requests.size());
            model.engine().submit(requests, results);
            results.all.forEach(CompletableFuture::join);
            assertEquals(computed, model.engine().stats().computedTokens());
        }
    }

    @Test
    void whoSharesNothingIsNotHeldUp() {
        try (ChatModel model = load(20_000)) {
            int[] text = ids(500, 1);
            List<Request> requests = List.of(
                    scoring(behind(text, 1, 10)),
                    scoring(behind(text, 2, 10)).withSalt("mine"),
                    scoring(ids(60, 2)),
                    scoring(behind(text, 3, 10)));
            Results results = new Results(requests.size());
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < requests.size(); i++) {
                int index = i;
                results.all.get(i).thenRun(() -> order.add(index)); // on the engine's thread
            }
            model.engine().submit(requests, results);
            results.all.forEach(CompletableFuture::join);
            assertEquals(0, results.get(1).usage().cachedTokens());
            assertEquals(500, results.get(3).usage().cachedTokens());
            assertEquals(3, order.getLast());
        }
    }

    @Test
    void whoWaitsForOneThatIsCancelledGoesOn() {
        try (ChatModel model = load(20_000)) {
            int[] text = ids(900, 1);
            RowScore expected = score(model, behind(text, 1, 10));
            for (int round = 0; round < 20; round++) {
                String salt = "round " + round;
                Results first = new Results(1);
                Engine.Ticket ticket = model.engine()
                        .submit(List.of(scoring(behind(text, 0, 10)).withSalt(salt)), first);
                Results others = new Results(2);
                model.engine()
                        .submit(
                                List.of(
                                        scoring(behind(text, 1, 10)).withSalt(salt),
                                        scoring(behind(text, 2, 10)).withSalt(salt)),
                                others);
                ticket.cancel();
                assertEquals(FinishReason.LENGTH, others.get(0).finishReason());
                assertEquals(FinishReason.LENGTH, others.get(1).finishReason());
                Assertions.assertArrayEquals(expected.logprobs(), others.scores[0].logprobs());
            }
        }
    }

    private static RowScore score(ChatModel model, int[] prompt) {
        Results results = new Results(1);
        model.engine().submit(List.of(scoring(prompt)), results);
        results.get(0);
        return results.scores[0];
    }

    /** Little memory, so that those who are waited for lose theirs; some are cancelled, some answer. */
    @Test
    void nobodyWaitsForEver() {
        Random random = new Random(5);
        int[][] texts = {ids(300, 1), ids(500, 2), behind(ids(300, 1), 7, 200)};
        try (ChatModel model = load(1_300)) {
            List<Results> all = new ArrayList<>();
            for (int i = 0; i < 120; i++) {
                int[] prompt = behind(texts[random.nextInt(3)], random.nextInt(5), 1 + random.nextInt(150));
                GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(1 + random.nextInt(150));
                List<Request> requests = List.of(random.nextBoolean() ? scoring(prompt) : Request.of(prompt, options));
                Results results = new Results(1);
                all.add(results);
                Engine.Ticket ticket = model.engine().submit(requests, results);
                if (random.nextInt(8) == 0) {
                    results.all.getFirst().orTimeout(random.nextInt(20), java.util.concurrent.TimeUnit.MILLISECONDS);
                    results.all.getFirst().whenComplete((g, e) -> ticket.cancel());
                }
            }
            Assertions.assertTimeoutPreemptively(
                    Duration.ofMinutes(2),
                    () -> all.forEach(results ->
                            results.all.getFirst().exceptionally(e -> null).join()));
            assertTrue(model.engine().stats().preemptions() > 0);
        }
    }
}
