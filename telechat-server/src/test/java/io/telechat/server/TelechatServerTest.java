// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import io.telechat.core.InvalidRequestException;
import io.telechat.server.load.LoadReport;
import io.telechat.server.load.LoadTest;
import io.telechat.server.load.RequestSets;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real server, asked by real clients over the loopback interface. */
class TelechatServerTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String QUESTION =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"temperature\":0,\"max_tokens\":%d%s}";

    @TempDir
    static Path directory;

    private static Served served;

    @BeforeAll
    static void start() throws IOException {
        served = new Served(directory, List.of());
    }

    @AfterAll
    static void stop() {
        served.close();
    }

    private static JsonNode json(HttpResponse<String> response) throws IOException {
        return MAPPER.readTree(response.body());
    }

    private static List<JsonNode> events(HttpResponse<String> response) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        for (String line : response.body().lines().toList()) {
            if (line.startsWith("data: {")) {
                events.add(MAPPER.readTree(line.substring(6)));
            }
        }
        return events;
    }

    @Test
    void aStreamIsTheWholeAnswerInPieces() throws Exception {
        JsonNode whole = json(served.post(CHAT, QUESTION.formatted("hi", 60, ",\"ignore_eos\":true")));
        HttpResponse<String> streamed = served.post(
                CHAT,
                QUESTION.formatted(
                        "hi", 60, ",\"ignore_eos\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        assertEquals(200, streamed.statusCode());
        StringBuilder text = new StringBuilder();
        List<JsonNode> events = events(streamed);
        events.forEach(e -> text.append(e.at("/choices/0/delta/content").asText("")));
        assertEquals(whole.at("/choices/0/message/content").asText(), text.toString());
        assertEquals(60, events.getLast().at("/usage/completion_tokens").asInt());
        assertEquals(
                "length",
                events.get(events.size() - 2).at("/choices/0/finish_reason").asText());
        assertTrue(streamed.body().endsWith("data: [DONE]\n\n"));
    }

    /** The prompt and its log-probabilities too, with the same offsets. */
    @Test
    void aStreamOfEchoedTextHasAllColumnsOfTheWholeAnswer() throws Exception {
        String body = "{\"prompt\":[\"one two\",\"three four\"],\"echo\":true,\"logprobs\":2,\"temperature\":0,"
                + "\"max_tokens\":%d%s}";
        for (int length : new int[] {0, 5}) {
            JsonNode whole = json(served.post("/v1/completions", body.formatted(length, "")));
            List<JsonNode> events = events(served.post("/v1/completions", body.formatted(length, ",\"stream\":true")));
            for (int index = 0; index < 2; index++) {
                JsonNode choice = whole.at("/choices/" + index);
                assertFalse(choice.isMissingNode(), whole::toString);
                StringBuilder text = new StringBuilder();
                for (JsonNode event : events) {
                    text.append(
                            event.at("/choices/0/index").asInt() == index
                                    ? event.at("/choices/0/text").asText()
                                    : "");
                }
                assertEquals(choice.get("text").asText(), text.toString());
                for (String column : List.of("tokens", "token_logprobs", "top_logprobs", "text_offset")) {
                    ArrayNode streamed = MAPPER.createArrayNode();
                    for (JsonNode event : events) {
                        if (event.at("/choices/0/index").asInt() == index) {
                            event.at("/choices/0/logprobs/" + column).forEach(streamed::add);
                        }
                    }
                    assertEquals(choice.at("/logprobs/" + column), streamed, column);
                }
            }
        }
    }

    @Test
    void manyAtOnceAreEachAnsweredAsIfAlone() throws Exception {
        List<String> alone = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            alone.add(json(served.post(CHAT, QUESTION.formatted("question " + i, 40, ",\"logprobs\":true")))
                    .get("choices")
                    .toString());
        }
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<HttpResponse<String>>> together = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                String body = QUESTION.formatted("question " + i, 40, ",\"logprobs\":true");
                together.add(pool.submit(() -> served.post(CHAT, body)));
            }
            for (int i = 0; i < 6; i++) {
                assertEquals(
                        alone.get(i), json(together.get(i).get()).get("choices").toString());
            }
        }
    }

    @Test
    void aClientThatLeavesStopsItsAnswer() throws Exception {
        for (String stream : List.of("true", "false")) {
            byte[] body = QUESTION.formatted("go on", 1900, ",\"ignore_eos\":true,\"stream\":" + stream)
                    .getBytes(StandardCharsets.UTF_8);
            double aborted = served.metric("telechat_request_success_total");
            try (Socket socket = new Socket("127.0.0.1", served.port())) {
                socket.getOutputStream()
                        .write(("POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                        + "Content-Length: " + body.length + "\r\n\r\n")
                                .getBytes(StandardCharsets.ISO_8859_1));
                socket.getOutputStream().write(body);
                assertTrue(served.becomes("telechat_num_requests_running", 1), "it runs");
            }
            assertTrue(served.becomes("telechat_num_requests_running", 0), "it ends when the client has left");
            assertTrue(served.becomes("telechat_request_success_total", aborted + 1));
            double tokens = served.metric("telechat_generation_tokens_total");
            Thread.sleep(50);
            assertEquals(tokens, served.metric("telechat_generation_tokens_total"), "nothing is computed for nobody");
        }
    }

    @Test
    void aFullQueueIsSaidBeforeTheStreamBegins() throws Exception {
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<HttpResponse<String>>> all = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                String body = QUESTION.formatted("wait " + i, 400, ",\"ignore_eos\":true,\"stream\":true");
                all.add(pool.submit(() -> served.post(CHAT, body)));
            }
            int refused = 0;
            for (Future<HttpResponse<String>> one : all) {
                HttpResponse<String> response = one.get();
                refused += response.statusCode() == 429 ? 1 : 0;
                assertTrue(Set.of(200, 429).contains(response.statusCode()), response.body());
                assertEquals(
                        response.statusCode() == 429,
                        response.headers().firstValue("Retry-After").isPresent());
            }
            assertTrue(refused > 0, "7 of 12 fit");
        }
    }

    @Test
    void wrongRequestsNameTheirField() throws Exception {
        String[][] wrong = {
            {",\"top_p\":-1", "top_p"},
            {",\"n\":0", "n"},
            {",\"top_k\":0.01", "top_k"},
            {",\"logit_bias\":{\"AI\":1}", "logit_bias"},
            {",\"stop\":[\"\"]", "stop"},
            {
                ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"no\"}}}",
                "response_format"
            },
            {",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "tools"}
        };
        for (String[] one : wrong) {
            HttpResponse<String> response = served.post(CHAT, QUESTION.formatted("x", 2, one[0]));
            assertEquals(400, response.statusCode(), one[0]);
            assertEquals(one[1], json(response).at("/error/param").asText(), response.body());
        }
        assertEquals(
                404,
                served.post(CHAT, QUESTION.formatted("x", 2, ",\"model\":\"gpt-4\""))
                        .statusCode());
        HttpResponse<String> tooLong = served.post(CHAT, QUESTION.formatted("x".repeat(3000), 2, ""));
        assertEquals("context_length_exceeded", json(tooLong).at("/error/code").asText());
    }

    @Test
    void jsonIsStrict() throws Exception {
        String[] wrong = {"{", "[]", "{\"a\":1,\"a\":2}", QUESTION.formatted("x", 1, "") + "}", "{\"temperature\":NaN}"
        };
        for (String body : wrong) {
            assertEquals(400, served.post(CHAT, body).statusCode(), body);
        }
        assertEquals(
                400,
                served.post(CHAT, QUESTION.formatted("x", 1, ",\"top_p\":1e400"))
                        .statusCode());
    }

    @Test
    void langchain4jTalksToIt() throws Exception {
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(served.url() + "/v1")
                .apiKey("none")
                .modelName("tiny")
                .temperature(0.0)
                .maxTokens(20)
                .build();
        String whole = model.chat("hello");
        CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(served.url() + "/v1")
                .apiKey("none")
                .modelName("tiny")
                .temperature(0.0)
                .maxTokens(20)
                .build()
                .chat(List.of(UserMessage.from("hello")), new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String partial) {
                        // The whole answer is all that counts.
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        streamed.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        streamed.completeExceptionally(error);
                    }
                });
        assertEquals(whole, streamed.get().aiMessage().text());
    }

    @Test
    void aLoadTestCountsEveryToken() throws Exception {
        try (LoadTest test = new LoadTest(served.url(), Optional.empty())) {
            int[] tokens = test.tokens(test.model());
            LoadReport report = test.closedLoop(RequestSets.make("chat", "tiny", tokens, 6), 3);
            assertEquals(0, report.errors(), report.firstError());
            assertEquals(6 * 128, report.tokens());
            LoadReport open = test.openLoop(RequestSets.make("chat", "tiny", tokens, 3), 50);
            assertEquals(3 * 128, open.tokens());
        }
        assertArrayEquals(
                RequestSets.make("mixed", "m", new int[] {1, 2, 3}, 5).toArray(),
                RequestSets.make("mixed", "m", new int[] {1, 2, 3}, 5).toArray());
    }

    @Test
    void keysAreWantedOnAllButHealthAndPage(@TempDir Path other) throws Exception {
        try (Served closed = new Served(other, List.of("first", "second"))) {
            assertEquals(200, closed.get("/health").statusCode());
            assertEquals(200, closed.get("/").statusCode());
            for (String path : List.of("/v1/models", "/metrics", "/version", "/v1/models/tiny", "/nothing")) {
                assertEquals(401, closed.get(path).statusCode(), path);
            }
            assertEquals(401, closed.post(CHAT, "{").statusCode(), "the key comes before the body");
        }
    }

    @Test
    void othersAreLetInWithAKeyOnly() {
        assertThrows(
                InvalidRequestException.class,
                () -> new ServerOptions(
                        "0.0.0.0", 0, List.of(), false, Set.of(), "m", List.of(), 1, Optional.empty(), true));
    }

    @Test
    void drainingLetsRunningAnswersEnd(@TempDir Path other) throws Exception {
        Served ending = new Served(other, List.of());
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<HttpResponse<String>> running = pool.submit(
                    () -> ending.post(CHAT, QUESTION.formatted("x", 600, ",\"ignore_eos\":true,\"stream\":true")));
            assertTrue(ending.becomes("telechat_num_requests_running", 1));
            ending.server().drain(Duration.ofMinutes(1));
            assertTrue(running.get().body().endsWith("data: [DONE]\n\n"));
        } finally {
            ending.close();
        }
    }
}
