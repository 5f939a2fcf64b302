// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import io.telechat.infer.generation.Generation;
import io.telechat.infer.tools.ToolAnswer;
import io.telechat.infer.tools.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;

/** This library's answers as Spring AI's. One object for the parts of one answer, which share their id. */
final class Responses {
    private static final String CALLS = "TOOL_CALLS";

    /** As Spring AI's own models name thoughts in the metadata of a message. */
    private static final String REASONING = "reasoningContent";

    private final String id = UUID.randomUUID().toString();
    private final Completion completion;

    Responses(Completion completion) {
        this.completion = completion;
    }

    ChatResponse whole(Generation generation) {
        ToolAnswer answer = completion.tools().answer(generation.text());
        return response(
                message(answer.content(), generation.thinking(), answer.calls()),
                generation,
                !answer.calls().isEmpty());
    }

    /** A part of a stream: text or a call. */
    ChatResponse part(String text, List<ToolCall> calls) {
        return part(message(text, "", calls));
    }

    /** A part of a stream that is of the thoughts. */
    ChatResponse thinking(String thoughts) {
        return part(message("", thoughts, List.of()));
    }

    private ChatResponse part(AssistantMessage message) {
        return new ChatResponse(
                List.of(new org.springframework.ai.chat.model.Generation(message)),
                ChatResponseMetadata.builder().id(id).model(model()).build());
    }

    /** The end of a stream: why it came, and what it took. */
    ChatResponse end(Generation generation, boolean hasCalls) {
        return response(message("", "", List.of()), generation, hasCalls);
    }

    private ChatResponse response(AssistantMessage message, Generation generation, boolean hasCalls) {
        ChatGenerationMetadata metadata = ChatGenerationMetadata.builder()
                .finishReason(hasCalls ? CALLS : generation.finishReason().name())
                .build();
        return new ChatResponse(
                List.of(new org.springframework.ai.chat.model.Generation(message, metadata)),
                ChatResponseMetadata.builder()
                        .id(id)
                        .model(model())
                        .usage(new DefaultUsage(
                                generation.usage().promptTokens(),
                                generation.usage().completionTokens()))
                        .build());
    }

    private String model() {
        return completion.model().info().architecture();
    }

    private static AssistantMessage message(String text, String thoughts, List<ToolCall> calls) {
        return AssistantMessage.builder()
                .content(text)
                .properties(thoughts.isEmpty() ? Map.of() : Map.of(REASONING, thoughts))
                .toolCalls(calls.stream()
                        .map(call ->
                                new AssistantMessage.ToolCall(call.id(), "function", call.name(), call.arguments()))
                        .toList())
                .build();
    }
}
