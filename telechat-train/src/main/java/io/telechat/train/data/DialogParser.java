// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.train.data.BadLineException.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads a line of JSON in any of these forms:
 *
 * <ul>
 *   <li>{@code {"input": "question", "output": "answer"}}, the reference's, where {@code input} may hold several turns:
 *       {@code <_user>q<_bot>a<_user>q} (process_data.py); an optional {@code "system"} goes in front;
 *   <li>{@code {"messages": [{"role": "user", "content": "…"}, …]}}; messages behind the last answer are left out;
 *   <li>{@code {"data": "plain text"}} for continued pre-training.
 * </ul>
 */
final class DialogParser {
    private static final String USER = "<_user>";
    private static final String BOT = "<_bot>";

    private static final ObjectReader READER = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .reader();

    private final Set<String> markers;

    /** @param markers what the tokenizer or the chat format takes for a mark; no message may hold one */
    DialogParser(Set<String> markers) {
        this.markers = Set.copyOf(markers);
    }

    static JsonNode json(byte[] line, int from, int to) throws BadLineException {
        JsonNode node;
        try {
            node = READER.readTree(line, from, to - from);
        } catch (JsonProcessingException e) {
            String message = e.getOriginalMessage().lines().findFirst().orElse("");
            throw new BadLineException(Reason.MALFORMED_JSON, message);
        } catch (IOException e) {
            throw new BadLineException(Reason.MALFORMED_JSON, "not UTF-8");
        }
        if (node == null || !node.isObject()) {
            throw new BadLineException(Reason.MALFORMED_JSON, "not an object");
        }
        return node;
    }

    Dialog parse(JsonNode line) throws BadLineException {
        if (line.has("messages")) {
            return conversation(messages(line.get("messages")));
        }
        if (line.has("data")) {
            String text = text(line, "data");
            if (text.isBlank()) {
                throw new BadLineException(Reason.EMPTY, "");
            }
            for (String marker : markers) {
                if (text.contains(marker)) {
                    throw new BadLineException(Reason.ROLE_MARKER, marker);
                }
            }
            return new Dialog.Text(text);
        }
        if (!line.has("input") || !line.has("output")) {
            throw new BadLineException(Reason.MISSING_FIELDS, "expected input and output, or messages, or data");
        }
        List<ChatMessage> messages = new ArrayList<>();
        if (line.hasNonNull("system") && !text(line, "system").isEmpty()) {
            messages.add(ChatMessage.system(text(line, "system")));
        }
        addTurns(messages, withoutPrefix(text(line, "input"), USER));
        messages.add(ChatMessage.assistant(withoutPrefix(text(line, "output"), BOT)));
        return conversation(messages);
    }

    static String text(JsonNode line, String field) throws BadLineException {
        JsonNode value = line.get(field);
        if (value == null || !value.isTextual()) {
            throw new BadLineException(Reason.MISSING_FIELDS, field + " is not a string");
        }
        return value.textValue();
    }

    static String withoutPrefix(String text, String prefix) {
        return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    }

    private static void addTurns(List<ChatMessage> messages, String input) throws BadLineException {
        String[] turns = input.split(USER, -1);
        for (int i = 0; i < turns.length; i++) {
            String[] parts = turns[i].split(BOT, -1);
            if (parts.length != (i + 1 < turns.length ? 2 : 1)) {
                throw new BadLineException(
                        Reason.WRONG_TURNS, "turn %d has %d marks %s".formatted(i + 1, parts.length - 1, BOT));
            }
            messages.add(ChatMessage.user(parts[0]));
            if (parts.length == 2) {
                messages.add(ChatMessage.assistant(parts[1]));
            }
        }
    }

    private static List<ChatMessage> messages(JsonNode list) throws BadLineException {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : list) {
            try {
                messages.add(new ChatMessage(Role.parse(text(message, "role")), text(message, "content")));
            } catch (InvalidRequestException e) {
                throw new BadLineException(Reason.UNUSABLE_ROLE, e.getMessage());
            }
        }
        while (!messages.isEmpty() && messages.getLast().role() != Role.ASSISTANT) {
            messages.removeLast();
        }
        if (messages.isEmpty()) {
            throw new BadLineException(Reason.MISSING_FIELDS, "messages has no assistant message");
        }
        return messages;
    }

    private Dialog conversation(List<ChatMessage> messages) throws BadLineException {
        Role before = null;
        for (ChatMessage message : messages) {
            boolean fits = switch (message.role()) {
                case SYSTEM -> before == null;
                case USER -> before == null || before == Role.SYSTEM || before == Role.ASSISTANT;
                case ASSISTANT -> before == Role.USER || before == Role.TOOL;
                case TOOL -> before == Role.ASSISTANT || before == Role.TOOL;
            };
            if (!fits) {
                throw new BadLineException(
                        Reason.WRONG_TURNS,
                        "%s message after %s"
                                .formatted(
                                        message.role().lowerCase(), before == null ? "nothing" : before.lowerCase()));
            }
            before = message.role();
            if (message.content().isBlank()) {
                throw new BadLineException(Reason.EMPTY, message.role().lowerCase() + " message");
            }
            for (String marker : markers) {
                if (message.content().contains(marker)) {
                    throw new BadLineException(Reason.ROLE_MARKER, marker);
                }
            }
        }
        return new Dialog.Conversation(messages);
    }
}
