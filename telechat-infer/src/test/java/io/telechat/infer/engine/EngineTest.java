// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What comes of a request is the same bits alone, in a batch, after preemption and from the prefix cache. */
class EngineTest {
    @TempDir
    static Path directory;

    private static Path model52b;
    private static List<Path> models;

    @BeforeAll
    static void make() throws IOException {
        model52b = TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1);
        models = List.of(
                model52b,
                TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 2),
                TinyModels.make(directory, "telechat2", TinyModels.CONFIG_TELECHAT2, 3));
    }

    private static final SamplingOptions RANDOM = new SamplingOptions(true, 1, 0, 1, 0, 1.1f, 0, 0);

    /** Draws at random, so that any other bit in a logit would soon give another token; tells all log-probabilities. */
    private static GenerationOptions random(long seed, int tokens) {
        return GenerationOptions.greedy()
                .withSampling(RANDOM)
                .withSeed(seed)
                .withMaxNewTokens(tokens)
                .withLogprobs(1);
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, 260).toArray();
    }

    /** Collects what comes of some sequences. */
    private static final class Results implements EngineListener {
        private final Map<Integer, CompletableFuture<Generation>> all = new ConcurrentHashMap<>();
        private final CountDownLatch begun = new CountDownLatch(1);

        private CompletableFuture<Generation> of(int index) {
            return all.computeIfAbsent(index, i -> new CompletableFuture<>());
        }

        @Override
        public void token(int index, TokenEvent event) {
            begun.countDown();
        }

        @Override
        public void finished(int index, Generation generation) {
            of(index).complete(generation);
        }

        @Override
        public void failed(int index, RuntimeException failure) {
            of(index).completeExceptionally(failure);
        }

        private Generation get(int index) {
            return of(index).join();
        }
    }

    private static Generation run(ChatModel model, Request request) {
        Results results = new Results();
        model.engine().submit(List.of(request), results);
        return results.get(0);
    }

    private static LoadOptions options(int cachedTokens) {
        return options(cachedTokens, DType.F32);
    }

    private static LoadOptions options(int cachedTokens, DType cacheType) {
        return LoadOptions.builder()
                .cacheType(cacheType)
                .contextLength(250)
                .cacheSize(new CacheSize.Tokens(cachedTokens))
                .maxBatch(7)
                .build();
    }

    private static List<Request> requests() {
        List<Request> requests = new ArrayList<>();
        int[] common = ids(90, 100);
        for (int i = 0; i < 12; i++) {
            int[] prompt = ids(3 + 17 * i % 150, i);
            if (i % 3 == 0) {
                System.arraycopy(common, 0, prompt, 0, Math.min(prompt.length, 40 + 5 * i));
            }
            requests.add(Request.of(prompt, random(i, 20 + 7 * i % 60)));
        }
        return requests;
    }

    private static void assertSame(Generation expected, Generation got, String what) {
        assertEquals(expected.tokens(), got.tokens(), what);
        assertEquals(expected.logprobs(), got.logprobs(), what);
        assertEquals(expected.text(), got.text(), what);
        assertEquals(expected.finishReason(), got.finishReason(), what);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "Q8"})
    void aSequenceGivesTheSameBitsInAnyCompany(DType cacheType) {
        for (Path path : models) {
            List<Generation> alone = new ArrayList<>();
            for (Request request : requests()) {
                try (ChatModel model = ChatModel.load(path, options(250, cacheType))) {
                    alone.add(run(model, request));
                }
            }
            for (int cachedTokens : new int[] {4_000, 400, 250}) {
                try (ChatModel model = ChatModel.load(path, options(cachedTokens, cacheType))) {
                    for (int round = 0; round < 2; round++) {
                        Results results = new Results();
                        model.engine().submit(requests(), results);
                        for (int i = 0; i < alone.size(); i++) {
                            assertSame(alone.get(i), results.get(i), path + ", " + cachedTokens + ", " + i);
                        }
                    }
                    EngineStats stats = model.engine().stats();
                    assertEquals(0, stats.running());
                    assertEquals(0, stats.blocksUsed());
                    assertTrue(cachedTokens < 4_000 || stats.prefixHits() > 0, stats.toString());
                    assertEquals(cachedTokens < 4_000, stats.preemptions() > 0, stats.toString());
                }
            }
        }
    }

    @Test
    void choicesOfOnePromptComputeItOnce() {
        try (ChatModel model = ChatModel.load(model52b, options(4_000))) {
            int[] prompt = ids(150, 1);
            Results results = new Results();
            List<Request> requests = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                requests.add(Request.of(prompt, random(i, 10)));
            }
            model.engine().submit(requests, results);
            for (int i = 0; i < 5; i++) {
                assertEquals(i == 0 ? 0 : 149, results.get(i).usage().cachedTokens());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "Q8"})
    void generatedTokensServeTheNextPrompt(DType cacheType) {
        for (Path path : models) {
            try (ChatModel model = ChatModel.load(path, options(4_000, cacheType))) {
                int[] prompt = ids(70, 1);
                Generation first = run(model, Request.of(prompt, random(1, 100)));
                int[] next = IntStream.concat(
                                Arrays.stream(prompt), first.tokens().stream().mapToInt(i -> i))
                        .toArray();
                Generation second = run(model, Request.of(next, random(2, 10)));
                assertEquals(169, second.usage().cachedTokens());
                assertSame(run(model, Request.of(next, random(2, 10)).withSalt("other")), second, path.toString());
            }
        }
    }

    @Test
    void aSaltKeepsPromptsApart() {
        try (ChatModel model = ChatModel.load(model52b, options(4_000))) {
            Request request = Request.of(ids(100, 1), random(1, 3));
            run(model, request);
            assertEquals(0, run(model, request.withSalt("mine")).usage().cachedTokens());
            assertEquals(99, run(model, request.withSalt("mine")).usage().cachedTokens());
        }
    }

    /** The 52B turns its cached keys when position 4,097 comes: of shared blocks, each sequence has to turn its own. */
    @Test
    void sequencesThatShareBlocksCrossALengthBoundaryEachForItself() {
        LoadOptions roomy = LoadOptions.builder()
                .contextLength(4_200)
                .cacheSize(new CacheSize.Tokens(30_000))
                .build();
        LoadOptions tight = LoadOptions.builder()
                .contextLength(4_200)
                .cacheSize(new CacheSize.Tokens(6_000))
                .build();
        int[] prompt = ids(4_080, 7);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            requests.add(Request.of(prompt, random(i, 20 + 10 * i)));
        }
        List<Generation> alone = new ArrayList<>();
        for (Request request : requests) {
            try (ChatModel model = ChatModel.load(model52b, roomy)) {
                alone.add(run(model, request));
            }
        }
        for (LoadOptions options : List.of(roomy, tight)) {
            try (ChatModel model = ChatModel.load(model52b, options)) {
                Results results = new Results();
                model.engine().submit(requests, results);
                for (int i = 0; i < 3; i++) {
                    assertSame(alone.get(i), results.get(i), "choice " + i);
                }
                assertEquals(0, model.engine().stats().blocksUsed());
                assertEquals(options == tight, model.engine().stats().preemptions() > 0);
            }
        }
    }

    @Test
    void logprobsOfAPromptAreThoseOfGeneratingIt() {
        for (Path path : models) {
            try (ChatModel model = ChatModel.load(path, options(4_000))) {
                int[] prompt = ids(20, 1);
                Generation first = run(model, Request.of(prompt, random(1, 120)));
                int[] all = IntStream.concat(
                                Arrays.stream(prompt), first.tokens().stream().mapToInt(i -> i))
                        .toArray();
                Generation read = run(model, Request.of(all, random(1, 1)).withPromptLogprobs(1));
                assertEquals(all.length - 1, read.promptLogprobs().size());
                assertEquals(first.logprobs(), read.promptLogprobs().subList(19, 19 + 120), "no bit differs");
            }
        }
    }

    @Test
    void logprobsOfPromptsSurvivePreemption() {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            requests.add(Request.of(ids(120 + i, i), random(i, 100)).withPromptLogprobs(1));
        }
        List<Generation> alone = new ArrayList<>();
        try (ChatModel model = ChatModel.load(model52b, options(4_000))) {
            requests.forEach(request -> alone.add(run(model, request)));
        }
        try (ChatModel model = ChatModel.load(model52b, options(300))) {
            Results results = new Results();
            model.engine().submit(requests, results);
            for (int i = 0; i < requests.size(); i++) {
                assertSame(alone.get(i), results.get(i), "request " + i);
                assertEquals(alone.get(i).promptLogprobs(), results.get(i).promptLogprobs());
            }
            assertTrue(model.engine().stats().preemptions() > 0);
        }
    }

    @Test
    void anEmbeddingMayFillTheContext() {
        LoadOptions options = LoadOptions.builder().contextLength(192).build();
        try (ChatModel model = ChatModel.load(model52b, options)) {
            assertEquals(
                    FinishReason.LENGTH,
                    run(model, Request.embedding(ids(192, 1))).finishReason());
        }
    }

    @Test
    void cancellingEndsASequenceSoonAndFreesItsBlocks() {
        try (ChatModel model = ChatModel.load(model52b, options(4_000))) {
            Results results = new Results();
            Request endless = Request.of(ids(5, 1), random(1, 240));
            Engine.Ticket ticket = model.engine().submit(List.of(endless, endless, endless), results);
            ticket.cancel();
            for (int i = 0; i < 3; i++) {
                assertEquals(FinishReason.CANCELLED, results.get(i).finishReason());
                assertTrue(results.get(i).tokens().size() < 240);
            }
            assertEquals(0, model.engine().stats().blocksUsed());
        }
    }

    @Test
    void whatCannotBeIsRefusedBeforeItWaits() {
        LoadOptions options = LoadOptions.builder().maxBatch(1).maxQueue(2).build();
        try (ChatModel model = ChatModel.load(model52b, options)) {
            Engine engine = model.engine();
            Results results = new Results();
            Request good = Request.of(ids(5, 1), random(1, 50));
            assertThrows(
                    ContextOverflowException.class,
                    () -> engine.submit(
                            List.of(good, Request.of(new int[model.contextLength()], random(1, 1))), results));
            assertThrows(
                    InvalidRequestException.class,
                    () -> engine.submit(List.of(Request.of(new int[] {100_000}, random(1, 1))), results));
            assertThrows(QueueFullException.class, () -> engine.submit(List.of(good, good, good, good), results));
            engine.submit(List.of(good, good, good), results);
            assertEquals(50, results.get(2).tokens().size());
        }
    }

    @Test
    void biasMinimumAndStopsShapeTheAnswer() {
        try (ChatModel model = ChatModel.load(model52b, options(4_000))) {
            GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(30);
            GenerationOptions biased = greedy.withLogitBias(Map.of(77, 100f));
            assertEquals(
                    Set.of(77),
                    Set.copyOf(run(model, Request.of(ids(5, 1), biased)).tokens()));
            GenerationOptions stopping = biased.withStops(Set.of(77), List.of());
            assertEquals(1, run(model, Request.of(ids(5, 1), stopping)).tokens().size());
            Generation later = run(model, Request.of(ids(5, 1), stopping.withMinNewTokens(9)));
            assertEquals(10, later.tokens().size());
            assertNotEquals(77, later.tokens().get(8));
        }
    }

    @Test
    void aClosedEngineEndsWhatItHasAndTakesNoMore() {
        ChatModel model = ChatModel.load(model52b, options(4_000));
        Results results = new Results();
        Request endless = Request.of(ids(5, 1), random(1, 240));
        model.engine().submit(List.of(endless, endless), results);
        model.close();
        Map<FinishReason, Integer> reasons = new TreeMap<>();
        for (int i = 0; i < 2; i++) {
            reasons.merge(results.get(i).finishReason(), 1, Integer::sum);
        }
        assertEquals(Map.of(FinishReason.CANCELLED, 2), reasons);
        assertThrows(IllegalStateException.class, () -> model.engine().submit(List.of(endless), results));
    }
}
