// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.ToolFormat;
import io.telechat.infer.tools.ToolCall;
import java.util.ArrayList;
import java.util.List;

/** LangChain4j's messages as this library's. Only text can be read. */
final class Messages {
    private Messages() {}

    static List<ChatMessage> of(List<dev.langchain4j.data.message.ChatMessage> messages, ChatTokenizer tokenizer) {
        return messages.stream().map(message -> of(message, tokenizer)).toList();
    }

    private static ChatMessage of(dev.langchain4j.data.message.ChatMessage message, ChatTokenizer tokenizer) {
        return switch (message) {
            case SystemMessage system -> ChatMessage.system(system.text());
            case UserMessage user -> ChatMessage.user(text(user.contents()));
            case AiMessage answer -> ChatMessage.assistant(text(answer, tokenizer));
            case ToolExecutionResultMessage result -> new ChatMessage(Role.TOOL, text(result.contents()));
            default -> throw new UnsupportedFeatureException("messages of type " + message.type());
        };
    }

    private static String text(List<Content> contents) {
        StringBuilder text = new StringBuilder();
        for (Content content : contents) {
            if (!(content instanceof TextContent part)) {
                throw new UnsupportedFeatureException("content of type " + content.type() + ": only text can be read");
            }
            text.append(part.text());
        }
        return text.toString();
    }

    private static String text(AiMessage answer, ChatTokenizer tokenizer) {
        String said = answer.text() == null ? "" : answer.text();
        if (!answer.hasToolExecutionRequests()) {
            return said;
        }
        ToolFormat format = tokenizer
                .tools()
                .orElseThrow(() -> new UnsupportedFeatureException("this model's chat format has no tools"));
        List<String> calls = new ArrayList<>();
        for (ToolExecutionRequest call : answer.toolExecutionRequests()) {
            calls.add(new ToolCall(call.id(), call.name(), call.arguments())
                    .written()
                    .orElseThrow(
                            () -> new UnsupportedFeatureException("arguments that are not JSON: " + call.arguments())));
        }
        return format.call(said, calls);
    }
}
