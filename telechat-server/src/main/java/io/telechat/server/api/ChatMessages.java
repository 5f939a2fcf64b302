// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.Role;
import io.telechat.infer.tools.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The field {@code messages}. */
final class ChatMessages {
    private final ChatTokenizer tokenizer;

    ChatMessages(ChatTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** @throws ApiException if they are none */
    List<ChatMessage> read(Fields request) {
        JsonNode given = request.get("messages")
                .filter(value -> value.isArray() && !value.isEmpty())
                .orElseThrow(
                        () -> ApiException.invalid("messages", "messages must be a list with at least one message"));
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            messages.add(message("messages[" + i + "]", given.get(i)));
        }
        return messages;
    }

    private ChatMessage message(String where, JsonNode json) {
        if (!(json instanceof ObjectNode object)) {
            throw ApiException.invalid(where, "%s must be an object", where);
        }
        Fields fields = new Fields(object);
        JsonNode given = object.path("role");
        Role role = switch (given.isTextual() ? given.textValue() : "") {
            case "system", "developer" -> Role.SYSTEM;
            case "user" -> Role.USER;
            case "assistant" -> Role.ASSISTANT;
            case "tool" -> Role.TOOL;
            default ->
                throw ApiException.invalid(
                        where + ".role", "%s.role must be system, developer, user, assistant or tool", where);
        };
        Optional<JsonNode> calls = fields.get("tool_calls").filter(value -> !value.isEmpty());
        if (role == Role.ASSISTANT && calls.isPresent()) {
            String said = fields.get("content").map(c -> text(where, c)).orElse("");
            return new ChatMessage(role, withCalls(where, said, calls.get()));
        }
        if (role == Role.ASSISTANT
                && fields.get("content").isEmpty()
                && fields.get("reasoning_content").isPresent()) {
            return ChatMessage.assistant(""); // one that was cut within its thoughts, which are not read again
        }
        JsonNode content = fields.get("content")
                .orElseThrow(() -> ApiException.invalid(where + ".content", "%s.content is missing", where));
        return new ChatMessage(role, text(where, content));
    }

    private static String text(String where, JsonNode content) {
        String at = where + ".content";
        if (content.isTextual()) {
            return whole(content.textValue());
        }
        if (!content.isArray()) {
            throw ApiException.invalid(at, "%s must be a string or a list of parts", at);
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            if (!"text".equals(part.path("type").textValue())) {
                throw ApiException.invalid(at, "%s has a part that is no text; only text can be read here", at);
            }
            if (!part.path("text").isTextual()) {
                throw ApiException.invalid(at, "%s has a part without its text", at);
            }
            text.append(part.path("text").textValue());
        }
        return whole(text.toString());
    }

    /** A text in which half a surrogate pair counts as U+FFFD, on its way to the tokenizer and everywhere else. */
    static String whole(String text) {
        boolean broken = text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        return !broken
                ? text
                : text.codePoints()
                        .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xfffd : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
    }

    private String withCalls(String where, String said, JsonNode calls) {
        List<String> texts = new ArrayList<>();
        for (JsonNode call : calls) {
            JsonNode function = call.path("function");
            if (!function.path("name").isTextual()
                    || !function.path("arguments").isTextual()) {
                throw ApiException.invalid(
                        where + ".tool_calls", "%s.tool_calls must have a function with name and arguments", where);
            }
            ToolCall made = new ToolCall(
                    "",
                    function.get("name").textValue(),
                    function.get("arguments").textValue());
            texts.add(made.written()
                    .orElseThrow(() -> ApiException.invalid(
                            where + ".tool_calls", "%s.tool_calls has arguments that are not JSON", where)));
        }
        return tokenizer
                .tools()
                .map(format -> format.call(said, texts))
                .orElseThrow(
                        () -> ApiException.invalid(where + ".tool_calls", "this model's chat format has no tools"));
    }
}
