// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Generation and sessions on tiny models with random weights. */
class ChatModelTest {
    @TempDir
    static Path directory;

    private static Path model52b;
    private static Path model12b;
    private static Path telechat2;
    private static Path qwen;
    private static Path qwen3;

    @BeforeAll
    static void make() throws IOException {
        model52b = TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1);
        model12b = TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 2);
        telechat2 = TinyModels.make(directory, "telechat2", TinyModels.CONFIG_TELECHAT2, 3);
        qwen = TinyModels.make(
                directory, "qwen", TinyModels.CONFIG_QWEN.replace("\"seq_length\": 8", "\"seq_length\": 64"), 4);
        qwen3 = TinyModels.make(directory, "qwen3", TinyModels.CONFIG_QWEN3, 5);
    }

    private static List<Path> models() {
        return List.of(model52b, model12b, telechat2, qwen3);
    }

    private static final SamplingOptions RANDOM = new SamplingOptions(true, 1, 0, 1, 0, 1, 0, 0);

    private static GenerationOptions random(long seed) {
        return GenerationOptions.greedy().withSampling(RANDOM).withSeed(seed).withMaxNewTokens(30);
    }

    private static List<Integer> generate(ChatModel model, int[] prompt, GenerationOptions options) {
        return answer(model, prompt, options).tokens();
    }

    private static Generation answer(ChatModel model, int[] prompt, GenerationOptions options) {
        return model.generate(prompt, options, TokenListener.SILENT, new Cancellation());
    }

    @Test
    void threadsMayShareAModel() throws Exception {
        int[] prompt = {10, 11, 12, 13, 14};
        try (ChatModel model = ChatModel.load(model52b);
                ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<List<Integer>> alone = new ArrayList<>();
            List<Future<List<Integer>>> together = new ArrayList<>();
            for (int seed = 0; seed < 8; seed++) {
                alone.add(generate(model, prompt, random(seed)));
            }
            for (int seed = 0; seed < 8; seed++) {
                GenerationOptions options = random(seed);
                together.add(pool.submit(() -> generate(model, prompt, options)));
            }
            for (int seed = 0; seed < 8; seed++) {
                assertEquals(alone.get(seed), together.get(seed).get());
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameTokensForAnyNumberOfThreads() {
        int[] prompt = new int[90];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = 10 + i;
        }
        for (Path path : models()) {
            List<List<Integer>> answers = new ArrayList<>();
            for (int threads : new int[] {1, 2, 5}) {
                try (ChatModel model = ChatModel.load(
                        path, LoadOptions.builder().threads(threads).build())) {
                    answers.add(generate(model, prompt, random(42)));
                    answers.add(generate(model, prompt, random(42)));
                    assertNotEquals(answers.getFirst(), generate(model, prompt, random(43)));
                }
            }
            assertEquals(1, Set.copyOf(answers).size(), answers.toString());
        }
    }

    @Test
    void bothBackendsChooseTheSameTokens() {
        LoadOptions.Builder exact = LoadOptions.builder().activations(DType.F32);
        for (Path path : models()) {
            try (ChatModel cpu = ChatModel.load(path, exact.backend("cpu").build());
                    ChatModel nd4j = ChatModel.load(path, exact.backend("nd4j").build())) {
                assertEquals(
                        generate(cpu, new int[] {5, 6, 7}, random(1)), generate(nd4j, new int[] {5, 6, 7}, random(1)));
            }
        }
    }

    /** The whole text, seen as it streams. */
    private static String send(ChatSession session, String question) {
        StringBuilder streamed = new StringBuilder();
        Generation generation = session.send(question, token -> streamed.append(token.text()));
        assertEquals(generation.text(), streamed.toString());
        return generation.text();
    }

    @Test
    void aSecondTurnThatReusesTheCacheEqualsAFreshSession() {
        for (Path path : models()) {
            try (ChatModel model = ChatModel.load(path);
                    ChatModel other = ChatModel.load(path);
                    ChatSession first = model.newSession();
                    ChatSession second = other.newSession()) {
                first.setOptions(random(5));
                second.setOptions(random(5));
                send(first, "hello");
                second.setMessages(first.messages());
                Generation reused = first.send("and more", TokenListener.SILENT);
                Generation fresh = second.send("and more", TokenListener.SILENT);
                assertEquals(fresh.tokens(), reused.tokens());
                assertTrue(reused.usage().cachedTokens() > 5, reused.usage().toString());
                assertEquals(0, fresh.usage().cachedTokens());
                assertEquals(4, first.messages().size());
            }
        }
    }

    /** The rotation follows the prompt's length there: what was computed under another one is of no use. */
    @Test
    void aPromptBeyondTheTrainedLengthOfQwenIsComputedAfresh() {
        int[] first = new int[40];
        int[] second = Arrays.copyOf(first, 70);
        GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(40);
        LoadOptions longer = LoadOptions.builder().contextLength(200).build();
        try (ChatModel model = ChatModel.load(qwen, longer);
                ChatModel other = ChatModel.load(qwen, longer);
                Context context = other.newContext()) {
            answer(model, first, greedy);
            assertTrue(answer(model, first, greedy).usage().cachedTokens() > 0, "the same rotation");
            Generation reused = answer(model, second, greedy);
            assertEquals(0, reused.usage().cachedTokens());
            float[] logits = other.runner().feed(second, context.cache());
            for (int token : reused.tokens()) { // one by one, under the rotation of the prompt
                assertEquals(argmax(logits), token);
                logits = other.runner().feed(new int[] {token}, context.cache());
            }
        }
    }

    private static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 40})
    void aLongPromptInSeveralPassesEqualsOneByOneDecoding(int firstPart) {
        int[] prompt = new int[150];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = (i * 7) % 260;
        }
        for (Path path : models()) {
            try (ChatModel model = ChatModel.load(path);
                    Context whole = model.newContext();
                    Context parts = model.newContext()) {
                float[] expected = model.runner().feed(prompt, whole.cache());
                float[] actual = null;
                for (int i = 0; i < prompt.length; i += firstPart) {
                    int end = Math.min(prompt.length, i + firstPart);
                    actual = model.runner().feed(Arrays.copyOfRange(prompt, i, end), parts.cache());
                }
                for (int i = 0; i < expected.length; i++) {
                    assertEquals(expected[i], actual[i], 1e-4, path + " logit " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "Q8"})
    void narrowerCachesStayClose(DType cacheType) {
        int[] prompt = {9, 8, 7, 6, 5, 4, 3};
        try (ChatModel exact = ChatModel.load(model12b);
                ChatModel narrow = ChatModel.load(
                        model12b, LoadOptions.builder().cacheType(cacheType).build());
                Context a = exact.newContext();
                Context b = narrow.newContext()) {
            float[] expected = exact.runner().feed(prompt, a.cache());
            float[] actual = narrow.runner().feed(prompt, b.cache());
            double worst = 0;
            for (int i = 0; i < expected.length; i++) {
                worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
            }
            assertTrue(worst > 0 && worst < 0.1, "worst " + worst);
        }
    }

    @Test
    void stopTokensAndStringsEndTheAnswerAndStayOut() {
        try (ChatModel model = ChatModel.load(model12b)) {
            GenerationOptions free = random(3);
            Generation all = answer(model, new int[] {20, 21}, free);
            assertEquals(FinishReason.LENGTH, all.finishReason());
            int stop = all.tokens().get(10);
            Generation byToken = answer(model, new int[] {20, 21}, free.withStops(Set.of(stop), List.of()));
            assertEquals(FinishReason.STOP, byToken.finishReason());
            assertEquals(stop, byToken.tokens().getLast());
            String stopText = all.text().substring(4, 6);
            Generation byText = answer(model, new int[] {20, 21}, free.withStops(Set.of(), List.of(stopText)));
            assertEquals(FinishReason.STOP, byText.finishReason());
            assertEquals(all.text().substring(0, all.text().indexOf(stopText)), byText.text());
        }
    }

    @Test
    void logprobsAreThoseOfTheModelItself() {
        try (ChatModel model = ChatModel.load(model12b)) {
            GenerationOptions options =
                    GenerationOptions.greedy().withMaxNewTokens(3).withLogprobs(2);
            Generation generation = answer(model, new int[] {20, 21}, options);
            assertEquals(3, generation.logprobs().size());
            for (Generation.TokenLogprob logprob : generation.logprobs()) {
                assertEquals(logprob.id(), logprob.alternatives().getFirst().id());
                assertTrue(logprob.logprob() < 0
                        && logprob.logprob() >= logprob.alternatives().getLast().logprob());
            }
        }
    }

    @Test
    void cancellingKeepsWhatWasSaidSoFar() {
        try (ChatModel model = ChatModel.load(model12b);
                ChatSession session = model.newSession()) {
            session.setOptions(random(5).withMaxNewTokens(200));
            Cancellation stop = new Cancellation();
            List<String> heard = new ArrayList<>();
            Generation generation = session.send(
                    ChatMessage.user("hi"),
                    token -> {
                        heard.add(token.text());
                        if (heard.size() == 5) {
                            stop.cancel();
                        }
                    },
                    stop);
            assertEquals(FinishReason.CANCELLED, generation.finishReason());
            assertEquals(5, generation.tokens().size());
            assertEquals(2, session.messages().size());
        }
    }

    /** The 52B turns its cached keys when position 4,097 comes; an answer that ends just before leaves what is cached as it was. */
    @Test
    void endingAtALengthBoundaryLeavesTheCacheAsItWas() {
        int[] prompt = new int[4_095];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = 7 + i % 250;
        }
        GenerationOptions greedy = GenerationOptions.greedy().withMaxNewTokens(4);
        LoadOptions options = LoadOptions.builder().contextLength(5_000).build();
        try (ChatModel model = ChatModel.load(model52b, options);
                ChatModel other = ChatModel.load(model52b, options)) {
            answer(
                    model,
                    prompt,
                    greedy.withMaxNewTokens(2)); // 4,096 positions are cached, the last token would be one more
            Generation again = answer(model, prompt, greedy);
            Generation afresh = answer(other, prompt, greedy);
            assertEquals(4_094, again.usage().cachedTokens());
            assertEquals(afresh.tokens(), again.tokens());
            // Having crossed the boundary, the blocks are of no use for a prompt below it.
            assertEquals(0, answer(other, prompt, greedy).usage().cachedTokens());
        }
    }

    @Test
    void overflowIsAnErrorWithTheCountsAndChangesNothing() {
        try (ChatModel model = ChatModel.load(model12b);
                ChatSession session = model.newSession()) {
            session.setOptions(random(5));
            send(session, "first");
            List<ChatMessage> before = session.messages();
            ContextOverflowException e = assertThrows(
                    ContextOverflowException.class, () -> session.send("x".repeat(300), TokenListener.SILENT));
            assertTrue(e.getMessage().contains("256"), e.getMessage());
            assertEquals(before, session.messages());
        }
    }

    @Test
    void oldestTurnsAreDroppedIfAllowed() {
        try (ChatModel model = ChatModel.load(model12b);
                ChatSession session = model.newSession()) {
            session.setOptions(random(5)).setOverflowPolicy(OverflowPolicy.DROP_OLDEST_TURNS);
            for (int i = 0; i < 12; i++) {
                send(session, "message " + i);
            }
            Generation last = session.send("one more", TokenListener.SILENT);
            assertTrue(last.usage().droppedTurns() > 0, last.usage().toString());
            assertTrue(last.usage().promptTokens() + 30 <= 256, last.usage().toString());
            assertEquals(26, session.messages().size()); // the conversation keeps what the prompt leaves out
            assertThrows(ContextOverflowException.class, () -> session.send("x".repeat(300), TokenListener.SILENT));
        }
    }

    @Test
    void anInterruptedThreadGeneratesNoMore() {
        try (ChatModel model = ChatModel.load(model52b)) {
            Generation generation = model.generate(
                    new int[] {10, 11, 12},
                    random(1),
                    token -> Thread.currentThread().interrupt(),
                    new Cancellation());
            assertEquals(FinishReason.CANCELLED, generation.finishReason());
            assertEquals(1, generation.tokens().size());
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void aSessionOfAClosedModelIsRefused() {
        ChatModel model = ChatModel.load(model12b);
        model.close();
        assertThrows(IllegalStateException.class, model::newSession);
    }

    @Test
    void regeneratingReplacesTheLastAnswer() {
        try (ChatModel model = ChatModel.load(model12b);
                ChatSession session = model.newSession()) {
            assertThrows(
                    InvalidRequestException.class, () -> session.regenerate(TokenListener.SILENT, new Cancellation()));
            session.setOptions(random(5));
            String first = send(session, "hi");
            session.setOptions(random(6));
            String second =
                    session.regenerate(TokenListener.SILENT, new Cancellation()).text();
            assertNotEquals(first, second);
            assertEquals(List.of(ChatMessage.user("hi"), ChatMessage.assistant(second)), session.messages());
        }
    }

    enum Size {
        SMALL,
        LARGE
    }

    record Part(String name, int count) {}

    record Thing(Size size, boolean good, List<Part> parts, double weight) {}

    @Test
    void anAnswerIsARecordIfThatIsAskedFor() throws IOException {
        // Quotes and closing marks are likely, so that no text goes on for ever.
        Path path = TinyModels.make(directory, "records", TinyModels.CONFIG_52B.replace("256", "4096"), 5);
        try (ChatModel model = ChatModel.load(path);
                ChatSession session = model.newSession()) {
            session.setOptions(random(3)
                    .withMaxNewTokens(3_000)
                    .withLogitBias(Map.of(
                            model.tokenizer().encode("x\"")[2],
                            8f,
                            model.tokenizer().encode("x]")[2],
                            8f)));
            Thing thing = session.ask("what is it?", Thing.class);
            assertTrue(thing.size() != null && thing.parts() != null, thing.toString());
            assertEquals(2, session.messages().size());
            assertTrue(session.messages().getLast().content().startsWith("{"), "the record is the answer");
        }
    }

    @Test
    void badRequestsAreRefused() {
        try (ChatModel model = ChatModel.load(model12b);
                ChatSession session = model.newSession()) {
            assertThrows(InvalidRequestException.class, () -> session.send("", TokenListener.SILENT));
            session.setMarkerPolicy(MarkerPolicy.REJECT);
            assertThrows(InvalidRequestException.class, () -> session.send("<_bot>", TokenListener.SILENT));
            for (int[] prompt : new int[][] {{}, {-1}, {300}}) {
                assertThrows(InvalidRequestException.class, () -> answer(model, prompt, random(1)));
            }
            assertThrows(
                    InvalidRequestException.class,
                    () -> ChatModel.load(
                            model12b, LoadOptions.builder().contextLength(257).build()));
            assertThrows(
                    InvalidRequestException.class,
                    () -> ChatModel.load(
                            model12b, LoadOptions.builder().backend("tpu").build()));
        }
    }
}
