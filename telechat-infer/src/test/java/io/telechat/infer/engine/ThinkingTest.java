// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceModel;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.Speculation;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import io.telechat.infer.grammar.JsonSchema;
import io.telechat.infer.sampling.SamplingOptions;
import io.telechat.infer.thinking.ThoughtMarks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Thoughts in front of answers, their bound, and the answers' forms. */
class ThinkingTest {
    private static final ThoughtMarks BEGUN = new ThoughtMarks("<think>", "</think>", true);
    private static final ThoughtMarks OPEN = new ThoughtMarks("<think>", "</think>", false);

    /** Written with bytes, one token each. */
    private static final ThoughtMarks IN_TEXT = new ThoughtMarks("[", "]]", true);

    private static final SamplingOptions RANDOM = new SamplingOptions(true, 1, 0, 1, 0, 1, 0, 0);

    @TempDir
    static Path directory;

    private static Path checkpoint;
    private static ChatModel model;

    @BeforeAll
    static void load() throws IOException {
        checkpoint = TinyModels.makeThinking(directory, "thinking", 4);
        model = ChatModel.load(checkpoint);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static GenerationOptions greedy(int tokens) {
        return GenerationOptions.greedy().withMaxNewTokens(tokens);
    }

    private static GenerationOptions random(long seed, int tokens) {
        return greedy(tokens).withSampling(RANDOM).withSeed(seed).withLogprobs(2);
    }

    private static Generation run(ChatModel which, int[] prompt, GenerationOptions options) {
        return which.generate(prompt, options, TokenListener.SILENT);
    }

    private static Generation run(int[] prompt, GenerationOptions options) {
        return run(model, prompt, options);
    }

    private static int[] prompt(int count) {
        return IntStream.range(0, count).map(i -> 40 + i * 7 % 60).toArray();
    }

    private static int id(String mark) {
        return model.tokenizer().id(mark).orElseThrow();
    }

    /** What comes of pressing the closing mark on a model that goes on by itself before and behind it. */
    @Test
    void theForcedEndIsReadLikeAnyOtherText() {
        int[] prompt = prompt(30);
        int[] closing = closing();
        Generation free = run(prompt, greedy(40));
        for (int most : new int[] {0, 1, 9}) {
            Generation bounded = run(prompt, greedy(40).withThinking(BEGUN).withMaxThinkingTokens(most));
            List<Integer> begin = new ArrayList<>(free.tokens().subList(0, most));
            Arrays.stream(closing).forEach(begin::add);
            int[] longer = IntStream.concat(
                            Arrays.stream(prompt), begin.stream().mapToInt(i -> i))
                    .toArray();
            Generation rest = run(longer, greedy(40 - begin.size()));
            List<Integer> expected = new ArrayList<>(begin);
            expected.addAll(rest.tokens());
            assertEquals(expected, bounded.tokens());
            assertEquals(most, bounded.usage().thinkingTokens());
            assertEquals(40, bounded.usage().completionTokens());
            assertEquals(rest.text().strip(), bounded.text());
        }
    }

    /** A newline, the mark, and an empty line, in front of which this vocabulary has a blank. */
    private static int[] closing() {
        int newline = 7 + '\n';
        return new int[] {newline, id("</think>"), 7 + 256, newline, newline};
    }

    @Test
    void drawnTokensAreTheSameUpToTheBound() {
        Generation free = run(prompt(20), random(3, 30));
        Generation bounded = run(prompt(20), random(3, 30).withThinking(BEGUN).withMaxThinkingTokens(12));
        assertEquals(free.tokens().subList(0, 12), bounded.tokens().subList(0, 12));
        assertEquals(free.logprobs().subList(0, 12), bounded.logprobs().subList(0, 12));
        assertEquals(30, bounded.logprobs().size());
        int[] whole = IntStream.concat(
                        Arrays.stream(prompt(20)), bounded.tokens().stream().mapToInt(i -> i))
                .toArray();
        Generation read = EngineAnswer.of(model, Request.of(whole, greedy(1)).withPromptLogprobs(2));
        assertEquals(
                read.promptLogprobs().subList(19, 49),
                bounded.logprobs(),
                "those of forced tokens are the model's, too");
    }

    private static List<Request> requests() {
        GenerationOptions closesItself = random(1, 60).withLogitBias(Map.of(id("</think>"), 6f, 7 + 'x', 5f));
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            requests.add(
                    Request.of(prompt(60 + i), random(i, 70).withThinking(BEGUN).withMaxThinkingTokens(20 + i)));
            requests.add(Request.of(prompt(60 + i), closesItself.withSeed(i).withThinking(BEGUN)));
            requests.add(Request.of(prompt(60), greedy(70).withThinking(IN_TEXT).withMaxThinkingTokens(3 * i)));
            requests.add(Request.of(
                    prompt(60 + i),
                    greedy(60)
                            .withThinking(OPEN)
                            .withMaxThinkingTokens(10 + i)
                            .withLogitBias(i == 0 ? Map.of() : Map.of(id("<think>"), 40f))
                            .withGrammar(JsonSchema.anyObject())));
        }
        return requests;
    }

    private static void assertSame(Generation expected, Generation got, String what) {
        assertEquals(expected.tokens(), got.tokens(), what);
        assertEquals(expected.logprobs(), got.logprobs(), what);
        assertEquals(expected.text(), got.text(), what);
        assertEquals(expected.thinking(), got.thinking(), what);
        assertEquals(expected.usage().thinkingTokens(), got.usage().thinkingTokens(), what);
        assertEquals(expected.finishReason(), got.finishReason(), what);
    }

    @Test
    void theSameComesInABatchAfterPreemptionAndOfGuesses() {
        List<Request> requests = requests();
        List<Generation> alone =
                requests.stream().map(r -> EngineAnswer.of(model, r)).toList();
        assertTrue(alone.stream()
                .anyMatch(g -> !g.text().isEmpty() && !g.thinking().isEmpty()));
        for (LoadOptions options : List.of(
                LoadOptions.builder()
                        .contextLength(250)
                        .cacheSize(new CacheSize.Tokens(320))
                        .maxBatch(7)
                        .build(),
                LoadOptions.builder().speculation(Speculation.ngram(6)).build(),
                LoadOptions.builder()
                        .speculation(Speculation.model(checkpoint, 4))
                        .build())) {
            try (ChatModel other = ChatModel.load(checkpoint, options)) {
                List<Generation> got = together(other, requests);
                for (int i = 0; i < alone.size(); i++) {
                    assertSame(alone.get(i), got.get(i), "request " + i);
                }
                boolean guesses = options.speculation().isPresent();
                EngineStats stats = other.engine().stats();
                assertTrue(guesses ? stats.acceptedTokens() > 0 : stats.preemptions() > 0, stats.toString());
                if (guesses) {
                    for (int i = 0; i < alone.size(); i++) {
                        assertSame(alone.get(i), EngineAnswer.of(other, requests.get(i)), "request " + i + ", alone");
                    }
                }
            }
        }
    }

    private static List<Generation> together(ChatModel which, List<Request> requests) {
        List<CompletableFuture<Generation>> results = requests.stream()
                .map(request -> new CompletableFuture<Generation>())
                .toList();
        which.engine().submit(requests, new EngineListener() {
            @Override
            public void token(int index, TokenEvent event) {
                // The whole answer is all that counts.
            }

            @Override
            public void finished(int index, Generation generation) {
                results.get(index).complete(generation);
            }

            @Override
            public void failed(int index, RuntimeException failure) {
                results.get(index).completeExceptionally(failure);
            }
        });
        return results.stream().map(CompletableFuture::join).toList();
    }

    @Test
    void whatStreamsIsWhatComes() {
        for (Request request : requests()) {
            List<TokenEvent> events = new ArrayList<>();
            Generation generation = model.generate(request.prompt(), request.options(), events::add);
            assertEquals(
                    generation.text(), events.stream().map(TokenEvent::text).collect(Collectors.joining()));
            assertEquals(
                    generation.thinking(),
                    events.stream().map(TokenEvent::thinking).collect(Collectors.joining()));
            assertEquals(
                    generation.tokens(),
                    events.stream().filter(e -> !e.isRest()).map(TokenEvent::id).toList());
        }
    }

    @Test
    void aFormBindsTheAnswerAlone() throws IOException {
        GenerationOptions form = random(5, 300).withGrammar(JsonSchema.compile(new ObjectMapper().readTree("""
            {"type": "object", "properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"]}\
            """)));
        for (GenerationOptions options : List.of(
                form.withThinking(BEGUN).withMaxThinkingTokens(15),
                form.withThinking(BEGUN).withMaxThinkingTokens(0),
                form.withThinking(OPEN).withMaxThinkingTokens(0),
                form.withThinking(OPEN).withMaxThinkingTokens(15).withLogitBias(Map.of(id("<think>"), 100f)),
                form.withThinking(OPEN),
                form.withThinking(BEGUN).withLogitBias(Map.of(id("</think>"), 8f)),
                form.withThinking(IN_TEXT).withMaxThinkingTokens(15))) {
            Generation generation = run(prompt(20), options);
            assertTrue(generation.text().matches("\\{ ?\"a\" ?: ?\"[xy]\" ?}"), generation.toString());
            assertEquals(FinishReason.STOP, generation.finishReason());
        }
        Generation thought = run(prompt(20), form.withThinking(BEGUN).withMaxThinkingTokens(15));
        assertFalse(thought.thinking().startsWith("{"));
        Generation opened = run(
                prompt(20),
                form.withThinking(OPEN).withMaxThinkingTokens(15).withLogitBias(Map.of(id("<think>"), 100f)));
        assertEquals(15, opened.usage().thinkingTokens());
        Generation undecided = run(prompt(20), form.withThinking(OPEN).withLogitBias(Map.of(id("<think>"), -100f)));
        assertEquals(0, undecided.usage().thinkingTokens());
    }

    @Test
    void aFormBeginsBehindTheTokenThatEndsTheThoughts(@TempDir Path other) throws IOException {
        Path its = TinyModels.makeThinking(other, "pieces", 4);
        List<Piece> pieces = new ArrayList<>(
                SentencePieceModel.read(its.resolve("tokenizer.model")).pieces());
        int both = pieces.size();
        pieces.add(new Piece("]x", -2, Piece.Type.NORMAL));
        SentencePieceWriter.write(its.resolve("tokenizer.model"), pieces);
        boolean cameAlong = false;
        try (ChatModel which = ChatModel.load(its)) {
            for (int seed = 0; seed < 10; seed++) {
                GenerationOptions options = random(seed, 60)
                        .withThinking(IN_TEXT)
                        .withLogitBias(Map.of(7 + ']', 50f, both, 50f))
                        .withGrammar(JsonSchema.compile(new ObjectMapper().readTree("{\"enum\": [\"one\", \"two\"]}")));
                Generation generation = run(which, prompt(20), options);
                assertTrue(generation.text().matches("\"(one|two)\""), generation.toString());
                int closing = generation.tokens().size() - generation.text().length() - 1;
                cameAlong |= generation.tokens().get(closing) == both;
            }
        }
        assertTrue(cameAlong, "what ended the thoughts has brought an x along");
    }

    @Test
    void anAnswerOfAFormDoesNotEndInThoughts() {
        GenerationOptions ends = greedy(80)
                .withStops(Set.of(7 + 'e'), List.of())
                .withLogitBias(Map.of(7 + 'e', 50f))
                .withThinking(BEGUN)
                .withMaxThinkingTokens(10);
        assertEquals(1, run(prompt(20), ends).tokens().size());
        Generation kept = run(prompt(20), ends.withGrammar(JsonSchema.anyObject()));
        assertEquals(10, kept.usage().thinkingTokens());
        assertTrue(kept.text().startsWith("{"), kept.text());
    }

    @Test
    void stopStringsEndTheAnswerAloneAndLengthsCountAll() {
        GenerationOptions dots = greedy(30)
                .withLogitBias(Map.of(7 + '.', 100f))
                .withThinking(BEGUN)
                .withMaxThinkingTokens(10);
        Generation stopped = run(prompt(20), dots.withStops(Set.of(), List.of("...", "\n")));
        assertEquals("..........", stopped.thinking());
        assertEquals("", stopped.text());
        assertEquals(10 + 5 + 3, stopped.tokens().size());
        Generation least = run(
                prompt(20),
                dots.withStops(Set.of(7 + '.'), List.of()).withMinNewTokens(20).withMaxThinkingTokens(3));
        assertEquals(21, least.tokens().size());
        Generation cut = run(prompt(20), dots.withMaxNewTokens(12));
        assertEquals("..........", cut.thinking());
        assertTrue(cut.hasOnlyThoughts());
        assertEquals(FinishReason.LENGTH, cut.finishReason());
    }

    @Test
    void whatIsForcedDoesNotEndTheGeneration() {
        GenerationOptions options = greedy(20)
                .withStops(Set.of(7 + '\n', id("</think>")), List.of())
                .withLogitBias(Map.of(7 + '.', 100f))
                .withThinking(BEGUN)
                .withMaxThinkingTokens(0);
        assertEquals(20, run(prompt(20), options).tokens().size());
    }

    @Test
    void aCancelledGenerationHasTheThoughtsThatWereHeard() {
        Cancellation stop = new Cancellation();
        List<TokenEvent> heard = new ArrayList<>();
        Generation generation = model.generate(
                prompt(20),
                greedy(200).withLogitBias(Map.of(7 + '.', 100f)).withThinking(BEGUN),
                event -> {
                    heard.add(event);
                    if (heard.size() == 7) {
                        stop.cancel();
                    }
                },
                stop);
        assertEquals(".......", generation.thinking());
        assertEquals(7, generation.usage().thinkingTokens());
        assertEquals("", generation.text());
    }

    private record Choice(boolean good) {}

    @Test
    void aConversationHasAnswersOnly() {
        try (ChatSession session = model.newSession()) {
            session.setOptions(random(1, 60).withThinking(BEGUN).withMaxThinkingTokens(8));
            Generation generation = session.send("hello");
            assertFalse(generation.thinking().isEmpty());
            assertEquals(
                    ChatMessage.assistant(generation.text()), session.messages().getLast());
            session.setOptions(session.options().withMaxNewTokens(100));
            session.ask("good?", Choice.class);
            assertTrue(session.messages().getLast().content().matches("\\{ ?\"good\" ?: ?(true|false) ?}"));
        }
    }
}
