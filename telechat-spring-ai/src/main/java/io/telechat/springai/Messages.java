// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.ToolFormat;
import io.telechat.infer.tools.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.content.MediaContent;

/** Spring AI's messages as this library's. Only text can be read. */
final class Messages {
    private Messages() {}

    static List<ChatMessage> of(List<Message> messages, ChatTokenizer tokenizer) {
        return messages.stream().flatMap(message -> of(message, tokenizer)).toList();
    }

    private static Stream<ChatMessage> of(Message message, ChatTokenizer tokenizer) {
        return switch (message.getMessageType()) {
            case SYSTEM -> Stream.of(ChatMessage.system(text(message)));
            case USER -> Stream.of(ChatMessage.user(text(message)));
            case ASSISTANT -> Stream.of(ChatMessage.assistant(answer((AssistantMessage) message, tokenizer)));
            case TOOL ->
                ((ToolResponseMessage) message)
                        .getResponses().stream().map(r -> new ChatMessage(Role.TOOL, r.responseData()));
        };
    }

    private static String text(Message message) {
        if (message instanceof MediaContent content && !content.getMedia().isEmpty()) {
            throw new IllegalArgumentException(
                    "content of type " + content.getMedia().getFirst().getMimeType() + ": only text can be read");
        }
        return message.getText() == null ? "" : message.getText();
    }

    private static String answer(AssistantMessage answer, ChatTokenizer tokenizer) {
        if (!answer.hasToolCalls()) {
            return text(answer);
        }
        ToolFormat format = tokenizer
                .tools()
                .orElseThrow(() -> new IllegalArgumentException("this model's chat format has no tools"));
        List<String> calls = new ArrayList<>();
        for (AssistantMessage.ToolCall call : answer.getToolCalls()) {
            calls.add(new ToolCall(call.id(), call.name(), call.arguments())
                    .written()
                    .orElseThrow(
                            () -> new IllegalArgumentException("arguments that are not JSON: " + call.arguments())));
        }
        return format.call(text(answer), calls);
    }
}
