// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.tools.ToolAnswer;
import io.telechat.infer.tools.ToolCall;
import java.util.List;
import java.util.UUID;

/** This library's answers as LangChain4j's. */
final class Responses {
    private Responses() {}

    static ChatResponse of(Completion completion, Generation generation) {
        ToolAnswer answer = completion.tools().answer(generation.text());
        List<ToolExecutionRequest> calls =
                answer.calls().stream().map(Responses::request).toList();
        return ChatResponse.builder()
                .aiMessage(AiMessage.builder()
                        .text(calls.isEmpty() || !answer.content().isEmpty() ? answer.content() : null)
                        .thinking(generation.thinking().isEmpty() ? null : generation.thinking())
                        .toolExecutionRequests(calls)
                        .build())
                .metadata(new ChatResponseMetadata.Builder<>()
                        .id(UUID.randomUUID().toString())
                        .modelName(completion.model().info().architecture())
                        .tokenUsage(new TokenUsage(
                                generation.usage().promptTokens(),
                                generation.usage().completionTokens()))
                        .finishReason(calls.isEmpty() ? reason(generation) : FinishReason.TOOL_EXECUTION)
                        .build())
                .build();
    }

    static ToolExecutionRequest request(ToolCall call) {
        return ToolExecutionRequest.builder()
                .id(call.id())
                .name(call.name())
                .arguments(call.arguments())
                .build();
    }

    private static FinishReason reason(Generation generation) {
        return switch (generation.finishReason()) {
            case STOP -> FinishReason.STOP;
            case LENGTH -> FinishReason.LENGTH;
            case CANCELLED -> FinishReason.OTHER;
        };
    }
}
