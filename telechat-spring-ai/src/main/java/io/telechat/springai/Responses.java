// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import io.telechat.infer.generation.Generation;
import io.telechat.infer.tools.ToolAnswer;
import io.telechat.infer.tools.ToolCall;
import java.util.List;
import java.util.UUID;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;

/** This library's answers as Spring AI's. One object for the parts of one answer, which share their id. */
final class Responses {
    private static final String CALLS = "TOOL_CALLS";

    private final String id = UUID.randomUUID().toString();
    private final Completion completion;

    Responses(Completion completion) {
        this.completion = completion;
    }

    ChatResponse whole(Generation generation) {
        ToolAnswer answer = completion.tools().answer(generation.text());
        return response(
                message(answer.content(), answer.calls()),
                generation,
                !answer.calls().isEmpty());
    }

    /** A part of a stream: text or a call. */
    ChatResponse part(String text, List<ToolCall> calls) {
        return new ChatResponse(
                List.of(new org.springframework.ai.chat.model.Generation(message(text, calls))),
                ChatResponseMetadata.builder().id(id).model(model()).build());
    }

    /** The end of a stream: why it came, and what it took. */
    ChatResponse end(Generation generation, boolean hasCalls) {
        return response(message("", List.of()), generation, hasCalls);
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

    private static AssistantMessage message(String text, List<ToolCall> calls) {
        return AssistantMessage.builder()
                .content(text)
                .toolCalls(calls.stream()
                        .map(call ->
                                new AssistantMessage.ToolCall(call.id(), "function", call.name(), call.arguments()))
                        .toList())
                .build();
    }
}
