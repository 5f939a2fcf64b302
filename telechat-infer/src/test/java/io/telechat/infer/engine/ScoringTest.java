// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.TopLogits;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.Context;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.PassObserver;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scores are those of the logits of the whole prompt, and the same bits alone, in a batch, after preemption and behind a cached beginning. */
class ScoringTest {
    private static final int IDS = 260;

    @TempDir
    static Path directory;

    private static List<Path> models;

    @BeforeAll
    static void make() throws IOException {
        models = List.of(
                TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1),
                TinyModels.make(directory, "telechat2", TinyModels.CONFIG_TELECHAT2, 3));
    }

    private static LoadOptions options(int cachedTokens) {
        return LoadOptions.builder()
                .contextLength(900)
                .cacheSize(new CacheSize.Tokens(cachedTokens))
                .maxBatch(7)
                .build();
    }

    /** Collects what comes of some sequences. */
    private static final class Results implements EngineListener {
        private final Map<Integer, List<RowScore>> scores = new HashMap<>();
        private final List<CompletableFuture<Generation>> all;

        private Results(int count) {
            all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                all.add(new CompletableFuture<>());
            }
        }

        @Override
        public void token(int index, TokenEvent event) {
            // The scores count.
        }

        @Override
        public synchronized void scored(int index, List<RowScore> rows) {
            assertTrue(scores.put(index, rows) == null, "once");
        }

        @Override
        public void finished(int index, Generation generation) {
            all.get(index).complete(generation);
        }

        @Override
        public void failed(int index, RuntimeException failure) {
            all.get(index).completeExceptionally(failure);
        }

        private synchronized List<RowScore> get(int index) {
            return scores.get(index);
        }
    }

    private static Results run(ChatModel model, List<Request> requests) {
        Results results = new Results(requests.size());
        model.engine().submit(requests, results);
        results.all.forEach(CompletableFuture::join);
        return results;
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, IDS).toArray();
    }

    /** Prompts of all lengths, many of which begin like others, with some rows wanted of each, or all. */
    private static List<Request> requests(Random random) {
        int[] common = ids(600, 100);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            int[] prompt = ids(1 + random.nextInt(i % 5 == 0 ? 800 : 200), i);
            if (i % 3 != 0) {
                System.arraycopy(common, 0, prompt, 0, random.nextInt(Math.min(prompt.length, common.length)));
            }
            int rows = i % 7 == 0 ? prompt.length : 1 + random.nextInt(Math.min(prompt.length, 20));
            int[][] wanted = new int[rows][];
            for (int row = 0; row < rows; row++) {
                wanted[row] = ids(random.nextInt(4), random.nextLong());
            }
            requests.add(Request.scoring(prompt, wanted));
        }
        return requests;
    }

    /** From the logits of the prompt alone, by the definition. */
    private static List<RowScore> expected(ChatModel model, Request request) {
        int[][] wanted = ((Goal.Score) request.goal()).wanted();
        int first = request.prompt().length - wanted.length;
        List<RowScore> scores = new ArrayList<>();
        try (Context context = model.newContext()) {
            model.observe(request.prompt(), context, new PassObserver() {
                @Override
                public void logits(int firstRow, Tensor logits) {
                    for (int i = 0; i < logits.rows(); i++) {
                        if (firstRow + i >= first) {
                            scores.add(score(logits.rows(i, i + 1).toFloats(), wanted[firstRow + i - first]));
                        }
                    }
                }
            });
        }
        return scores;
    }

    private static RowScore score(float[] logits, int[] ids) {
        int best = 0;
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
            sum += Math.exp(logits[i]);
        }
        double logSum = Math.log(sum);
        return new RowScore(
                Arrays.stream(ids).mapToDouble(id -> logits[id] - logSum).toArray(), best);
    }

    private static void assertScores(List<RowScore> expected, List<RowScore> got, double tolerance, String what) {
        assertEquals(expected.size(), got.size(), what);
        for (int row = 0; row < expected.size(); row++) {
            assertEquals(expected.get(row).argmax(), got.get(row).argmax(), what);
            assertArrayEquals(expected.get(row).logprobs(), got.get(row).logprobs(), tolerance, what);
        }
    }

    @Test
    void scoresAreThoseOfTheLogitsOfThePromptAlone() {
        for (Path path : models) {
            try (ChatModel model = ChatModel.load(path, options(5_000))) {
                List<Request> requests = requests(new Random(1));
                Results results = run(model, requests);
                for (int i = 0; i < requests.size(); i++) {
                    assertScores(expected(model, requests.get(i)), results.get(i), 1e-12, path + ", " + i);
                }
            }
        }
    }

    @Test
    void scoresAreTheSameBitsInAnyCompany() {
        for (Path path : models) {
            List<Request> requests = requests(new Random(2));
            List<List<RowScore>> alone = new ArrayList<>();
            for (Request request : requests) {
                try (ChatModel model = ChatModel.load(path, options(5_000))) {
                    alone.add(run(model, List.of(request)).get(0));
                }
            }
            int scoring = requests.size();
            for (int i = 0; i < 5; i++) { // make others wait, and lose their blocks
                requests.add(Request.of(ids(30, i), GenerationOptions.greedy().withMaxNewTokens(300)));
            }
            for (int cachedTokens : new int[] {5_000, 1_000}) {
                for (int round = 0; round < 2; round++) {
                    List<Integer> order = new ArrayList<>();
                    for (int i = 0; i < requests.size(); i++) {
                        order.add(i);
                    }
                    Collections.shuffle(order, new Random(round));
                    try (ChatModel model = ChatModel.load(path, options(cachedTokens))) {
                        Results results =
                                run(model, order.stream().map(requests::get).toList());
                        for (int i = 0; i < order.size(); i++) {
                            if (order.get(i) < scoring) {
                                assertScores(alone.get(order.get(i)), results.get(i), 0, path + ", " + order.get(i));
                            }
                        }
                        EngineStats stats = model.engine().stats();
                        assertTrue(stats.prefixHits() > 0, stats.toString());
                        assertEquals(cachedTokens == 1_000, stats.preemptions() > 0, stats.toString());
                        assertEquals(0, stats.blocksUsed());
                    }
                }
            }
        }
    }

    @Test
    void allButTheRowsThatAreWantedComesFromTheCache() {
        try (ChatModel model = ChatModel.load(models.getFirst(), options(5_000))) {
            int[] prompt = ids(200, 1);
            run(model, List.of(Request.scoring(prompt, new int[][] {{1}})));
            for (int rows : new int[] {1, 3, 150, 200}) {
                long before = model.engine().stats().computedTokens();
                Results results = run(model, List.of(Request.scoring(prompt, new int[rows][0])));
                assertEquals(rows, model.engine().stats().computedTokens() - before);
                assertEquals(200 - rows, results.all.getFirst().join().usage().cachedTokens());
                assertEquals(rows, results.get(0).size());
            }
        }
    }

    @Test
    void nothingIsDrawnAndThePromptMayFillTheContext() {
        try (ChatModel model = ChatModel.load(models.getFirst(), options(5_000))) {
            Results results = run(model, List.of(Request.scoring(ids(900, 1), new int[900][0])));
            Generation generation = results.all.getFirst().join();
            assertEquals(FinishReason.LENGTH, generation.finishReason());
            assertEquals(0, generation.tokens().size());
            assertEquals(900, generation.usage().promptTokens());
            assertEquals(0, model.engine().stats().generatedTokens());
        }
    }

    @Test
    void idsThatTheModelDoesNotHaveAreRefused() {
        try (ChatModel model = ChatModel.load(models.getFirst(), options(5_000))) {
            Results results = new Results(1);
            assertThrows(
                    InvalidRequestException.class,
                    () -> model.engine().submit(List.of(Request.scoring(ids(5, 1), new int[][] {{3, -1}})), results));
        }
    }

    @Test
    void noMoreRowsCanBeScoredThanThereAre() {
        for (int rows : new int[] {0, 4}) {
            assertThrows(IllegalArgumentException.class, () -> Request.scoring(ids(3, 1), new int[rows][0]));
        }
    }

    @Test
    void theHighestLogitsAreEnoughWhereTheIdsAreAmongThem() {
        TopLogits top = new TopLogits(5, new int[] {1, 3}, new float[] {2, 4}, 1, 4.5);
        RowLogits row = new RowLogits(Optional.of(top), () -> new float[] {0, 2, 1, 4, -1});
        RowScore fromTop = Logprobs.score(row, 3, 1).orElseThrow();
        assertArrayEquals(new double[] {-0.5, -2.5}, fromTop.logprobs());
        assertEquals(3, fromTop.argmax());
        assertScores(
                List.of(score(new float[] {0, 2, 1, 4, -1}, new int[] {1, 0})),
                List.of(Logprobs.score(row, 1, 0).orElseThrow()),
                1e-14,
                "one id is not among them");
    }

    @Test
    void whatIsNoNumberHasNoScore() {
        for (float[] logits : new float[][] {{0, Float.NaN}, {Float.NaN, 0}, {1, Float.POSITIVE_INFINITY}}) {
            assertTrue(Logprobs.score(new RowLogits(Optional.empty(), () -> logits), 0)
                    .isEmpty());
        }
    }
}
