// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.service.AiServices;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.generation.Generation;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's own types over tiny models with random weights: forms are kept to, whatever they say. */
class TelechatLangChain4jTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    static Path directory;

    private static ChatModel model;

    @BeforeAll
    static void load() throws IOException {
        model = ChatModel.load(TinyModels.makeWithTools(directory, "telechat2", 3));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static ChatRequestParameters greedy(int tokens) {
        return ChatRequestParameters.builder().topK(1).maxOutputTokens(tokens).build();
    }

    private static TelechatChatModel chat(int tokens) {
        return new TelechatChatModel(model, greedy(tokens), List.of());
    }

    /** What a handler has been told. */
    private static final class Heard implements StreamingChatResponseHandler {
        private final StringBuilder text = new StringBuilder();
        private final List<CompleteToolCall> calls = new ArrayList<>();
        private final StringBuilder thinking = new StringBuilder();
        private final AtomicInteger pieces = new AtomicInteger();
        private final CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
        private final int most;

        Heard(int most) {
            this.most = most;
        }

        @Override
        public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
            text.append(partial.text());
            if (pieces.incrementAndGet() == most) {
                context.streamingHandle().cancel();
            }
        }

        @Override
        public void onPartialThinking(PartialThinking partial) {
            thinking.append(partial.text());
        }

        @Override
        public void onCompleteToolCall(CompleteToolCall call) {
            calls.add(call);
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            whole.complete(response);
        }

        @Override
        public void onError(Throwable failure) {
            whole.completeExceptionally(failure);
        }
    }

    @Test
    void answersAreThoseOfTheLibrary() {
        Generation expected;
        try (ChatSession session =
                model.newSession().setOptions(model.defaults().withMaxNewTokens(30))) {
            session.setMessages(
                    List.of(ChatMessage.system("Be brief."), ChatMessage.user("one"), ChatMessage.assistant("two")));
            expected = session.send("three");
        }
        ChatResponse response = chat(30).chat(
                        SystemMessage.from("Be brief."),
                        UserMessage.from("one"),
                        AiMessage.from("two"),
                        UserMessage.from("three"));
        assertEquals(expected.text(), response.aiMessage().text());
        assertEquals(expected.usage().promptTokens(), response.tokenUsage().inputTokenCount());
        assertEquals(expected.tokens().size(), response.tokenUsage().outputTokenCount());
        assertEquals(expected.finishReason().name(), response.finishReason().name());
    }

    @Test
    void aStreamIsTheWholeAnswer() throws Exception {
        Heard heard = new Heard(-1);
        new TelechatStreamingChatModel(model, greedy(40), List.of()).chat("hello", heard);
        ChatResponse whole = heard.whole.get(30, TimeUnit.SECONDS);
        assertEquals(chat(40).chat("hello"), whole.aiMessage().text());
        assertEquals(whole.aiMessage().text(), heard.text.toString());
    }

    @Test
    void cancelledStreamsAreSilentAndTheEngineIsFree() throws Exception {
        Heard heard = new Heard(2);
        new TelechatStreamingChatModel(model, greedy(3000), List.of()).chat("hello", heard);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while ((heard.pieces.get() < 2 || model.engine().stats().running() > 0) && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertEquals(0, model.engine().stats().running());
        assertEquals(2, heard.pieces.get());
        assertFalse(heard.whole.isDone());
    }

    @Test
    void failuresComeToTheHandler() {
        Heard heard = new Heard(-1);
        UserMessage picture = UserMessage.from(ImageContent.from(URI.create("http://127.0.0.1/a.png")));
        new TelechatStreamingChatModel(model).chat(List.of(picture), heard);
        ExecutionException failed = assertThrows(ExecutionException.class, () -> heard.whole.get(30, TimeUnit.SECONDS));
        assertInstanceOf(UnsupportedFeatureException.class, failed.getCause());
        assertThrows(UnsupportedFeatureException.class, () -> chat(5).chat(picture));
    }

    record City(String name, int inhabitants, boolean coastal) {}

    interface Geographer {
        City largestOf(String country);

        String ask(String question);
    }

    @Test
    void aServiceReturnsRecords() {
        Geographer geographer = AiServices.create(Geographer.class, chat(400));
        assertNotNull(geographer.largestOf("Which is the largest city of {{it}}?"));
        assertNotNull(geographer.ask("Why?"));
    }

    private static final ToolSpecification WEATHER = ToolSpecification.builder()
            .name("weather")
            .description("Tells the weather")
            .parameters(JsonObjectSchema.builder()
                    .addEnumProperty("city", List.of("Paris", "Rome"))
                    .addIntegerProperty("days")
                    .required("city", "days")
                    .build())
            .build();

    private static ChatRequest forced(int tokens) {
        return ChatRequest.builder()
                .messages(UserMessage.from("How is the weather?"))
                .toolSpecifications(WEATHER)
                .toolChoice(ToolChoice.REQUIRED)
                .topK(1)
                .maxOutputTokens(tokens)
                .build();
    }

    @Test
    void aRequiredCallComesAndItsResultGoesBack() throws Exception {
        ChatResponse response = chat(200).chat(forced(200));
        assertEquals(FinishReason.TOOL_EXECUTION, response.metadata().finishReason());
        ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
        JsonNode arguments = MAPPER.readTree(call.arguments());
        assertEquals("weather", call.name());
        assertTrue(List.of("Paris", "Rome").contains(arguments.get("city").asText()));
        assertTrue(arguments.get("days").isIntegralNumber());

        ChatResponse after = chat(10).chat(
                        UserMessage.from("How is the weather?"),
                        response.aiMessage(),
                        ToolExecutionResultMessage.from(call, "rain"));
        assertEquals(10, after.metadata().tokenUsage().outputTokenCount());
    }

    @Test
    void aStreamedCallIsToldOnce() throws Exception {
        Heard heard = new Heard(-1);
        new TelechatStreamingChatModel(model).chat(forced(200), heard);
        ChatResponse whole = heard.whole.get(30, TimeUnit.SECONDS);
        assertEquals(1, heard.calls.size());
        assertEquals(
                whole.aiMessage().toolExecutionRequests().getFirst().arguments(),
                heard.calls.getFirst().toolExecutionRequest().arguments());
        assertEquals("", heard.text.toString());
    }

    /** A tool of an application. */
    static final class Clock {
        private final AtomicInteger asked = new AtomicInteger();

        @Tool("Tells the time")
        String time(@P("where") String city) {
            asked.incrementAndGet();
            return "noon in " + city;
        }
    }

    @Test
    void toolsMayBeOffered() {
        Geographer geographer = AiServices.builder(Geographer.class)
                .chatModel(chat(20))
                .tools(new Clock())
                .build();
        assertNotNull(geographer.ask("What time is it?"));
    }

    @Test
    void listenersHearOfAnswers() {
        AtomicInteger tokens = new AtomicInteger();
        ChatModelListener listener = new ChatModelListener() {
            @Override
            public void onResponse(ChatModelResponseContext context) {
                tokens.addAndGet(context.chatResponse().metadata().tokenUsage().outputTokenCount());
            }
        };
        ChatResponse response =
                new TelechatChatModel(model, greedy(7), List.of(listener)).chat(UserMessage.from("hello"));
        assertEquals(response.tokenUsage().outputTokenCount(), tokens.get());
        assertTrue(tokens.get() > 0);
    }

    @Test
    void embeddingsAndCounts() {
        TelechatEmbeddingModel embeddings = new TelechatEmbeddingModel(model);
        assertEquals(model.info().hidden(), embeddings.dimension());
        Response<List<Embedding>> all =
                embeddings.embedAll(List.of(TextSegment.from("a cat"), TextSegment.from("a dog")));
        assertEquals(2, all.content().size());
        assertEquals(
                model.embed(List.of("a cat")).getFirst()[0],
                all.content().getFirst().vector()[0]);
        TelechatTokenCountEstimator counts = new TelechatTokenCountEstimator(model);
        assertEquals(model.countTokens("a cat"), counts.estimateTokenCountInText("a cat"));
        assertEquals(model.countTokens("a cat"), counts.estimateTokenCountInMessage(UserMessage.from("a cat")));
    }

    @Test
    void thoughtsAreBesideTheAnswer(@TempDir Path other) throws Exception {
        LoadOptions options = LoadOptions.builder().maxThinkingTokens(10).build();
        try (ChatModel thinking = ChatModel.load(TinyModels.makeThinking(other, "thinking", 4), options)) {
            AiMessage whole = new TelechatChatModel(thinking, greedy(40), List.of())
                    .chat(UserMessage.from("hello"))
                    .aiMessage();
            assertFalse(whole.thinking().isEmpty());
            assertFalse(whole.text().contains(whole.thinking()));
            Heard heard = new Heard(Integer.MAX_VALUE);
            new TelechatStreamingChatModel(thinking, greedy(40), List.of())
                    .chat(List.of(UserMessage.from("hello")), heard);
            assertEquals(whole, heard.whole.get(60, TimeUnit.SECONDS).aiMessage());
            assertEquals(whole.text(), heard.text.toString());
            assertEquals(whole.thinking(), heard.thinking.toString());
        }
    }
}
