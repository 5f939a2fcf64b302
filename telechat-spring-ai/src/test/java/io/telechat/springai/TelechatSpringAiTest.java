// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
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
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.function.FunctionToolCallback;
import org.springframework.util.MimeTypeUtils;

/** Spring AI's own types over tiny models with random weights: forms are kept to, whatever they say. */
class TelechatSpringAiTest {
    private static final List<Message> TALK = List.of(
            new SystemMessage("Be brief."),
            new UserMessage("one"),
            new AssistantMessage("two"),
            new UserMessage("three"));

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

    private static TelechatChatOptions.Builder greedy(int tokens) {
        return TelechatChatOptions.builder().topK(1).maxTokens(tokens);
    }

    private static TelechatChatModel chat(int tokens) {
        return new TelechatChatModel(model, greedy(tokens).build());
    }

    private static String text(List<ChatResponse> parts) {
        return parts.stream()
                .map(part -> part.getResult().getOutput().getText())
                .collect(Collectors.joining());
    }

    @Test
    void answersAreThoseOfTheLibrary() {
        Generation expected;
        try (ChatSession session =
                model.newSession().setOptions(model.defaults().withMaxNewTokens(30))) {
            session.setMessages(List.of(
                    io.telechat.core.chat.ChatMessage.system("Be brief."),
                    io.telechat.core.chat.ChatMessage.user("one"),
                    io.telechat.core.chat.ChatMessage.assistant("two")));
            expected = session.send("three");
        }
        ChatResponse response = chat(30).call(new Prompt(TALK));
        assertEquals(expected.text(), response.getResult().getOutput().getText());
        assertEquals(
                expected.usage().promptTokens(),
                response.getMetadata().getUsage().getPromptTokens());
        assertEquals(expected.tokens().size(), response.getMetadata().getUsage().getCompletionTokens());
        assertEquals(
                expected.finishReason().name(),
                response.getResult().getMetadata().getFinishReason());
    }

    @Test
    void aStreamHasTheSameTextAndEndsWithTheCounts() {
        ChatResponse whole = chat(30).call(new Prompt(TALK));
        List<ChatResponse> parts =
                chat(30).stream(new Prompt(TALK)).collectList().block();
        assertEquals(whole.getResult().getOutput().getText(), text(parts));
        assertTrue(parts.size() > 10);
        ChatResponse last = parts.getLast();
        assertEquals(
                whole.getMetadata().getUsage().getTotalTokens(),
                last.getMetadata().getUsage().getTotalTokens());
        assertEquals("LENGTH", last.getResult().getMetadata().getFinishReason());
    }

    @Test
    void aCancelledStreamStopsTheWork() {
        List<ChatResponse> parts = new ArrayList<>();
        chat(4000).stream(new Prompt(TALK)).take(3).doOnNext(parts::add).blockLast();
        assertEquals(3, parts.size());
        assertFalse(chat(5).call("next").isEmpty()); // the engine is free for others
    }

    @Test
    void optionsOfAPromptComeBeforeThoseOfTheModel() {
        ChatResponse response = chat(30).call(
                        new Prompt(TALK, ChatOptions.builder().maxTokens(4).build()));
        assertEquals(4, response.getMetadata().getUsage().getCompletionTokens());
        assertEquals(
                chat(4).call(new Prompt(TALK)).getResult().getOutput().getText(),
                response.getResult().getOutput().getText());
    }

    @Test
    void theSameSeedGivesTheSameAnswer() {
        TelechatChatOptions options = TelechatChatOptions.builder()
                .temperature(3.0)
                .seed(7)
                .maxTokens(20)
                .build();
        TelechatChatModel drawn = new TelechatChatModel(model, options);
        assertEquals(
                drawn.call(new Prompt(TALK)).getResult().getOutput().getText(),
                drawn.call(new Prompt(TALK)).getResult().getOutput().getText());
        assertEquals(options, options.mutate().build());
    }

    record City(String name, int inhabitants) {}

    @Test
    void aSchemaIsKeptTo() {
        City city = ChatClient.create(chat(2000))
                .prompt("A city?")
                .call()
                .entity(City.class, spec -> spec.useProviderStructuredOutput());
        assertTrue(city != null && city.name() != null);
    }

    record Place(String town) {}

    private static ToolCallback weather(List<Place> asked) {
        return FunctionToolCallback.builder("weather", (Place place) -> {
                    asked.add(place);
                    return "rain";
                })
                .description("The weather somewhere.")
                .inputType(Place.class)
                .build();
    }

    @Test
    void aCallThatIsRequiredComes() {
        List<Place> asked = new ArrayList<>();
        TelechatChatOptions options =
                greedy(2000).toolCallbacks(weather(asked)).toolRequired(true).build();
        ChatResponse response = new TelechatChatModel(model).call(new Prompt("Will it rain?", options));
        assertTrue(response.hasToolCalls());
        assertEquals("TOOL_CALLS", response.getResult().getMetadata().getFinishReason());
        AssistantMessage.ToolCall call =
                response.getResult().getOutput().getToolCalls().getFirst();
        assertEquals("weather", call.name());
        assertTrue(call.arguments().contains("town"), call.arguments());

        ToolResponseMessage result = ToolResponseMessage.builder()
                .responses(List.of(new ToolResponseMessage.ToolResponse(call.id(), call.name(), "rain")))
                .build();
        ChatResponse after = chat(5).call(new Prompt(
                List.of(new UserMessage("Will it rain?"), response.getResult().getOutput(), result)));
        assertTrue(after.getMetadata().getUsage().getPromptTokens() > 0);
    }

    @Test
    void aStreamedCallComesWhole() {
        TelechatChatOptions options = greedy(2000)
                .toolCallbacks(weather(new ArrayList<>()))
                .toolRequired(true)
                .build();
        List<ChatResponse> parts = new TelechatChatModel(model)
                .stream(new Prompt("Will it rain?", options)).collectList().block();
        assertEquals(1, parts.stream().filter(ChatResponse::hasToolCalls).count());
        assertEquals("", text(parts));
    }

    @Test
    void whatCannotBeReadIsRefused() {
        UserMessage image = UserMessage.builder()
                .text("What is this?")
                .media(new Media(MimeTypeUtils.IMAGE_PNG, URI.create("file:///image.png")))
                .build();
        IllegalArgumentException failure =
                assertThrows(IllegalArgumentException.class, () -> chat(5).call(new Prompt(image)));
        assertEquals("content of type image/png: only text can be read", failure.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> chat(5).call(new Prompt("x", greedy(5).outputSchema("{").build())));
        ToolCallback misnamed = FunctionToolCallback.builder("a b", (Place place) -> "")
                .inputType(Place.class)
                .build();
        assertThrows(
                InvalidRequestException.class,
                () -> chat(5).call(new Prompt(
                        "x", greedy(5).toolCallbacks(misnamed).build())));
        assertThrows(
                IllegalArgumentException.class,
                () -> chat(5).stream(new Prompt(image)).blockLast());
    }

    @Test
    void embeddingsAreThoseOfTheLibrary() {
        TelechatEmbeddingModel embeddings = new TelechatEmbeddingModel(model);
        List<String> texts = List.of("tea", "a longer text");
        EmbeddingResponse response = embeddings.embedForResponse(texts);
        assertArrayEquals(
                model.embed(texts).get(1), response.getResults().get(1).getOutput());
        assertArrayEquals(model.embed(texts).getFirst(), embeddings.embed(new Document("tea")));
        assertEquals(model.info().hidden(), embeddings.dimensions());
        assertEquals(
                model.countTokens("tea") + model.countTokens("a longer text"),
                response.getMetadata().getUsage().getPromptTokens());
    }

    @Test
    void tokensAreThoseOfTheTokenizer() {
        TelechatTokenCountEstimator counts = new TelechatTokenCountEstimator(model);
        assertEquals(model.countTokens("one two"), counts.estimate("one two"));
        assertEquals(
                model.countTokens("one") + model.countTokens("two"),
                counts.estimate(List.of(new UserMessage("one"), new AssistantMessage("two"))));
    }

    @Test
    void thoughtsAreInTheMetadata(@TempDir Path other) throws IOException {
        LoadOptions options = LoadOptions.builder().maxThinkingTokens(10).build();
        try (ChatModel thinking = ChatModel.load(TinyModels.makeThinking(other, "thinking", 4), options)) {
            TelechatChatModel chat = new TelechatChatModel(thinking, greedy(40).build());
            AssistantMessage whole = chat.call(new Prompt(TALK)).getResult().getOutput();
            String thoughts = (String) whole.getMetadata().get("reasoningContent");
            assertFalse(thoughts.isEmpty());
            List<ChatResponse> parts =
                    chat.stream(new Prompt(TALK)).collectList().block();
            assertEquals(whole.getText(), text(parts));
            assertEquals(
                    thoughts,
                    parts.stream()
                            .map(part -> (String)
                                    part.getResult().getOutput().getMetadata().getOrDefault("reasoningContent", ""))
                            .collect(Collectors.joining()));
        }
    }
}
