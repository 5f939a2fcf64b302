// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.eval.EvalResults;
import io.telechat.eval.EvalSettings;
import io.telechat.eval.Evaluation;
import io.telechat.eval.custom.OwnTask;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Style;
import io.telechat.eval.task.Task;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is asked of a server, and what becomes of its replies; the server is played. */
class RemoteModelTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Query.Choice CHOICE = new Query.Choice(List.of("a", "bc"), " ", Set.of(0), false, false);

    @TempDir
    private Path directory;

    private final List<JsonNode> requests = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private String card = "{\"id\": \"m\", \"owned_by\": \"telechat\", \"max_model_len\": 100}";
    private Function<JsonNode, String> reply = request -> "{\"choices\": [{\"text\": \" x\"}]}";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/v1/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String answer = "{\"data\": [" + card + "]}";
            if (body.length > 0) {
                requests.add(MAPPER.readTree(body));
                answer = reply.apply(requests.getLast());
            }
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(bytes.length == 0 ? 503 : 200, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private RemoteModel model(Optional<Tokenizer> tokenizer, PromptForm form) {
        String url = "http://127.0.0.1:" + server.getAddress().getPort();
        OpenAiClient client = new OpenAiClient(url, Optional.empty(), Duration.ofMillis(1));
        return new RemoteModel(client, ServedModel.find(client, Optional.empty()), tokenizer, form, 1);
    }

    /** A token a byte. */
    private Optional<Tokenizer> bytes() throws IOException {
        SentencePieceWriter.write(directory.resolve("tokenizer.model"), SentencePieceWriter.byteVocabulary());
        return Optional.of(ChatTokenizer.load(directory).tokenizer());
    }

    private static Asked asked(String prompt, Query query) {
        return new Asked("t", Optional.empty(), new Item(0, new Prompt.FewShot("", List.of(), prompt, " "), query));
    }

    private static Query.FreeAnswer free(int length, String... until) {
        return new Query.FreeAnswer(List.of(until), OptionalInt.of(length), "", null);
    }

    private Answer answer(RemoteModel model, String prompt, Query.FreeAnswer query) {
        try (model) {
            return model.answer(asked(prompt, query), query).join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }

    @Test
    void asksGreedilyAndForFourStopsAtMost() throws IOException {
        Answer answer = answer(model(Optional.empty(), PromptForm.PLAIN), "Q", free(7, "1", "2", "3", "4", "5"));

        assertEquals(" x", answer.text());
        JsonNode request = requests.getFirst();
        assertEquals(MAPPER.readTree("""
            {"model": "m", "temperature": 0, "repetition_penalty": 1, "max_tokens": 7, "stop": ["1", "2", "3", "4"], "prompt": "Q"}
            """), request);
    }

    @Test
    void aServerOfOthersIsNotAskedForWhatItDoesNotKnow() {
        card = "{\"id\": \"m\", \"owned_by\": \"openai\"}";
        answer(model(Optional.empty(), PromptForm.PLAIN), "Q", free(7));

        assertFalse(requests.getFirst().has("repetition_penalty"));
        assertFalse(requests.getFirst().has("stop"));
    }

    @Test
    void whatIsTooLongForTheServerLosesItsBeginning() throws IOException {
        Optional<Tokenizer> tokenizer = bytes();
        int whole = tokenizer.get().encode("a".repeat(200)).length;
        Answer answer = answer(model(tokenizer, PromptForm.PLAIN), "a".repeat(200), free(10));

        assertEquals(90, requests.getFirst().path("prompt").size());
        assertEquals(OptionalInt.of(whole), answer.contextTokens());
        assertEquals(whole - 90, answer.truncated());
    }

    @Test
    void aLengthThatCannotBeKeptToIsRefused() {
        PromptForm form = new PromptForm(OptionalInt.of(50), OptionalInt.empty(), false, false, false);

        assertThrows(InvalidRequestException.class, () -> answer(model(Optional.empty(), form), "Q", free(7)));
    }

    @Test
    void anAnswerOfThoughtsOnlyIsEmpty() {
        PromptForm chat = new PromptForm(OptionalInt.empty(), OptionalInt.empty(), true, true, false);
        reply = request -> "{\"choices\": [{\"message\": {\"content\": null, \"reasoning_content\": \"hm\"}}]}";

        assertEquals("", answer(model(Optional.empty(), chat), "Q", free(7)).text());
        reply = request -> "{\"choices\": [{\"message\": {}}]}";
        assertThrows(InvalidInputException.class, () -> answer(model(Optional.empty(), chat), "Q", free(7)));
    }

    /** Each token is as likely as its place in the text says; the last one is generated. */
    private static String echo(JsonNode request, boolean top) {
        StringBuilder values = new StringBuilder("null");
        StringBuilder tops = new StringBuilder("null");
        for (int i = 1; i <= request.path("prompt").size(); i++) {
            values.append(", -").append(i);
            tops.append(i % 2 == 0 ? ", {\"x\": -0.5}" : ", {}");
        }
        return "{\"choices\": [{\"logprobs\": {\"token_logprobs\": [%s], \"top_logprobs\": %s}}]}"
                .formatted(values, top ? "[" + tops + "]" : "null");
    }

    @Test
    void likelihoodsAreSumsOfWhatIsEchoed() throws IOException {
        reply = request -> echo(request, true);
        Optional<Tokenizer> tokenizer = bytes();
        int n = tokenizer.get().encode("Q").length;
        try (RemoteModel model = model(tokenizer, PromptForm.PLAIN)) {
            Likelihoods found = model.likelihoods(asked("Q", CHOICE), CHOICE).join();

            assertEquals(n + 2, requests.getFirst().path("prompt").size(), "a blank and a letter");
            assertEquals(-n - (n + 1), found.sums()[0]);
            assertEquals(-n - (n + 1) - (n + 2), found.sums()[1]);
            assertFalse(found.greedy()[0]);
        }
    }

    @Test
    void aServerThatEchoesNothingIsSaidToBeNoneForLikelihoods() throws IOException {
        Optional<Tokenizer> tokenizer = bytes();
        for (String silent : List.of("{\"choices\": [{\"text\": \"x\"}]}", "", "half")) {
            reply = request -> silent.equals("half") ? echo(request, false) : silent;
            try (RemoteModel model = model(tokenizer, PromptForm.PLAIN)) {
                CompletionException e = assertThrows(
                        CompletionException.class,
                        () -> model.likelihoods(asked("Q", CHOICE), CHOICE).join());
                String part = silent.isEmpty() ? "503" : "does not echo";
                assertTrue(
                        e.getCause().getMessage().contains(part), e.getCause().getMessage());
            }
        }
    }

    private EvalResults run(Task task, Path out) {
        EvalSettings settings = new EvalSettings(
                Style.LM_EVAL, Path.of(""), OptionalInt.empty(), OptionalInt.empty(), PromptForm.PLAIN, false);
        try (RemoteModel model = model(Optional.empty(), PromptForm.PLAIN)) {
            return new Evaluation(settings, Optional.empty())
                    .run(List.of(task), model, Optional.of(out), true, (name, done, total) -> {});
        }
    }

    @Test
    void whenTheServerFallsSilentTheRunGoesOnLater() throws IOException {
        Files.writeString(
                directory.resolve("q.jsonl"),
                "{\"q\": \"a\", \"a\": \"x\"}\n{\"q\": \"b\", \"a\": \"x\"}\n{\"q\": \"c\", \"a\": \"x\"}\n");
        Task task = OwnTask.read(
                Files.writeString(directory.resolve("t.yaml"), "data: q.jsonl\nprompt: '{{q}}'\ngold: '{{a}}'\n"));
        Function<JsonNode, String> good = reply;
        reply = request -> request.path("prompt").asText().equals("b") ? "" : good.apply(request);
        Path cut = directory.resolve("cut");
        TelechatException failure = assertThrows(TelechatException.class, () -> run(task, cut));
        assertTrue(failure.getMessage().contains("503"), failure.getMessage());

        requests.clear();
        reply = good;
        run(task, cut);
        assertEquals(
                List.of("b", "c"),
                requests.stream().map(r -> r.path("prompt").asText()).toList());
        run(task, directory.resolve("whole"));
        for (String file : List.of("results.json", "samples_t.jsonl")) {
            assertEquals(
                    Files.readString(directory.resolve("whole").resolve(file)), Files.readString(cut.resolve(file)));
        }
    }
}
