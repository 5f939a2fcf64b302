// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.ToolFormat;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.train.data.BadLineException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Reads a line of JSON in any of these forms:
 *
 * <ul>
 *   <li>{@code {"input": "question", "output": "answer"}}, the reference's, where {@code input} may hold several turns:
 *       {@code <_user>q<_bot>a<_user>q} (process_data.py); optional are {@code "instruction"}, which goes in front of the input,
 *       {@code "history"}, pairs of questions and answers before it, and {@code "system"};
 *   <li>{@code {"messages": [{"role": "user", "content": "…"}, …]}}; messages behind the last answer are left out; where the
 *       chat format has tools, {@code "tools"} beside the messages and {@code "tool_calls"} in them;
 *   <li>{@code {"data": "plain text"}} for continued pre-training.
 * </ul>
 *
 * A line with a field that carries part of the dialog in a way that is not read here is refused by the field's name.
 */
final class DialogParser {
    private static final String USER = "<_user>";
    private static final String BOT = "<_bot>";

    /** Fields of a line that no form reads. */
    private static final KeyRules LINE = KeyRules.saying("'%s' is %s, which telechat does not train on")
            .exactly("weight", 1) // 0 is not to be trained
            .refuse(
                    "functions",
                    "function_call",
                    "tool_calls",
                    "chosen",
                    "rejected",
                    "label",
                    "labels",
                    "images",
                    "image",
                    "audios",
                    "audio",
                    "videos",
                    "video");

    /** Fields of a message. */
    private static final KeyRules MESSAGE = KeyRules.saying("'%s' is %s, which telechat does not train on")
            .exactly("weight", 1) // 0 is not to be trained
            .refuse(
                    "function_call",
                    "reasoning_content",
                    "reasoning",
                    "thinking",
                    "thought",
                    "prefix",
                    "images",
                    "audio",
                    "refusal");

    private static final KeyRules BESIDE_MESSAGES = KeyRules.saying(
                    "'%s' is %s, which telechat does not read beside messages")
            .refuse("instruction", "history");
    private static final KeyRules BESIDE_DATA = KeyRules.saying("'%s' is %s, which telechat does not read beside data")
            .refuse("instruction", "history", "system", "tools", "input", "output");
    private static final KeyRules BESIDE_INPUT = KeyRules.saying(
                    "'%s' is %s, which telechat does not read beside input and output")
            .refuse("tools");

    private final Function<Role, Set<String>> markers;
    private final Optional<ToolFormat> tools;

    /** Without tools. */
    DialogParser(Set<String> markers) {
        this(role -> markers, Optional.empty());
    }

    /**
     * @param markers what the tokenizer or the chat format takes for a mark; no message of that role may hold one
     * @param tools how tools are offered and called, if the chat format has them
     */
    DialogParser(Function<Role, Set<String>> markers, Optional<ToolFormat> tools) {
        this.markers = markers;
        this.tools = tools;
    }

    /** Refuses a line, or a part of one, that has a field which these rules do not allow. */
    static void require(KeyRules rules, JsonNode json) throws BadLineException {
        Optional<Message> complaint = rules.complaint(json);
        if (complaint.isPresent()) {
            throw new BadLineException(Reason.UNUSED_FIELD, complaint.get());
        }
    }

    Dialog parse(JsonNode line) throws BadLineException {
        require(LINE, line);
        if (line.has("messages")) {
            require(BESIDE_MESSAGES, line);
            return conversation(withSystem(line, messages(line.get("messages"))));
        }
        if (line.has("data")) {
            require(BESIDE_DATA, line);
            return plain(LineJson.text(line, "data"));
        }
        if (!line.has("output") || !line.has("input") && !line.hasNonNull("instruction")) {
            throw new BadLineException(Reason.MISSING_FIELDS, "expected input and output, or messages, or data");
        }
        require(BESIDE_INPUT, line);
        List<ChatMessage> messages = new ArrayList<>();
        if (line.hasNonNull("system") && !LineJson.text(line, "system").isEmpty()) {
            messages.add(ChatMessage.system(LineJson.text(line, "system")));
        }
        addHistory(messages, line.path("history"));
        addTurns(messages, withoutPrefix(question(line), USER));
        messages.add(ChatMessage.assistant(withoutPrefix(LineJson.text(line, "output"), BOT)));
        return conversation(messages);
    }

    private Dialog plain(String text) throws BadLineException {
        if (text.isBlank()) {
            throw new BadLineException(Reason.EMPTY, "");
        }
        for (String marker : markers.apply(Role.USER)) {
            if (text.contains(marker)) {
                throw new BadLineException(Reason.ROLE_MARKER, "%s", marker);
            }
        }
        return new Dialog.Text(text);
    }

    /** {@code instruction + "\n" + input}, or the one that is there. */
    private static String question(JsonNode line) throws BadLineException {
        String input = line.hasNonNull("input") || !line.hasNonNull("instruction") ? LineJson.text(line, "input") : "";
        if (!line.hasNonNull("instruction")
                || LineJson.text(line, "instruction").isEmpty()) {
            return input;
        }
        return LineJson.text(line, "instruction") + (input.isEmpty() ? "" : "\n" + input);
    }

    private static void addHistory(List<ChatMessage> messages, JsonNode history) throws BadLineException {
        for (JsonNode turn : history) {
            if (turn.size() != 2 || !turn.path(0).isTextual() || !turn.path(1).isTextual()) {
                throw new BadLineException(Reason.MISSING_FIELDS, "history is not a list of [question, answer]");
            }
            messages.add(ChatMessage.user(turn.get(0).textValue()));
            messages.add(ChatMessage.assistant(turn.get(1).textValue()));
        }
        if (!history.isArray() && !history.isMissingNode() && !history.isNull()) {
            throw new BadLineException(Reason.MISSING_FIELDS, "history is not a list of [question, answer]");
        }
    }

    /** What stands beside the messages: a system message, and tools, which become part of it. */
    private List<ChatMessage> withSystem(JsonNode line, List<ChatMessage> messages) throws BadLineException {
        boolean begins = messages.getFirst().role() == Role.SYSTEM;
        String beside = line.hasNonNull("system") ? LineJson.text(line, "system") : "";
        if (begins && !beside.isEmpty()) {
            throw new BadLineException(Reason.UNUSED_FIELD, "'system' stands beside messages that begin with one");
        }
        List<String> schemas = ToolFields.schemas(line.path("tools"));
        if (beside.isEmpty() && schemas.isEmpty()) {
            return messages;
        }
        String system = begins ? messages.getFirst().content() : beside;
        List<ChatMessage> all = new ArrayList<>(begins ? messages.subList(1, messages.size()) : messages);
        all.addFirst(ChatMessage.system(
                schemas.isEmpty() ? system : toolFormat("tools").offer(system, schemas)));
        return all;
    }

    private ToolFormat toolFormat(String field) throws BadLineException {
        if (tools.isEmpty()) {
            throw new BadLineException(Reason.UNUSED_FIELD, "'%s': this tokenizer's chat format has no tools", field);
        }
        return tools.get();
    }

    static String withoutPrefix(String text, String prefix) {
        return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    }

    private static void addTurns(List<ChatMessage> messages, String input) throws BadLineException {
        String[] turns = input.split(USER, -1);
        for (int i = 0; i < turns.length; i++) {
            String[] parts = turns[i].split(BOT, -1);
            if (parts.length != (i + 1 < turns.length ? 2 : 1)) {
                throw new BadLineException(Reason.WRONG_TURNS, "turn %d has %d marks %s", i + 1, parts.length - 1, BOT);
            }
            messages.add(ChatMessage.user(parts[0]));
            if (parts.length == 2) {
                messages.add(ChatMessage.assistant(parts[1]));
            }
        }
    }

    private List<ChatMessage> messages(JsonNode list) throws BadLineException {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : list) {
            require(MESSAGE, message);
            try {
                Role role = Role.parse(LineJson.text(message, "role"));
                messages.add(new ChatMessage(role, content(role, message)));
            } catch (InvalidRequestException e) {
                throw new BadLineException(Reason.UNUSABLE_ROLE, e.message());
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

    /** With the calls of tools, whose content may be null. */
    private String content(Role role, JsonNode message) throws BadLineException {
        JsonNode calls = message.path("tool_calls");
        if (calls.isMissingNode() || calls.isNull() || calls.isArray() && calls.isEmpty()) {
            return LineJson.text(message, "content");
        }
        if (role != Role.ASSISTANT || !calls.isArray()) {
            throw new BadLineException(Reason.UNUSED_FIELD, "'tool_calls' is no list in a message of the assistant");
        }
        List<String> written = new ArrayList<>();
        for (JsonNode call : calls) {
            written.add(ToolFields.call(call.has("function") ? call.get("function") : call));
        }
        String content = message.hasNonNull("content") ? LineJson.text(message, "content") : "";
        return toolFormat("tool_calls").call(content, written);
    }

    private Dialog conversation(List<ChatMessage> messages) throws BadLineException {
        Role before = null;
        for (ChatMessage message : messages) {
            boolean fits = switch (message.role()) {
                case SYSTEM -> before == null || before == Role.ASSISTANT;
                case USER -> before == null || before == Role.SYSTEM || before == Role.ASSISTANT;
                case ASSISTANT -> before == Role.USER || before == Role.TOOL;
                case TOOL -> before == Role.ASSISTANT || before == Role.TOOL;
            };
            if (!fits) {
                throw new BadLineException(
                        Reason.WRONG_TURNS,
                        "%s message after %s",
                        message.role().lowerCase(),
                        before == null ? "nothing" : before.lowerCase());
            }
            before = message.role();
            if (message.content().isBlank()) {
                throw new BadLineException(
                        Reason.EMPTY, "%s message", message.role().lowerCase());
            }
            for (String marker : markers.apply(message.role())) {
                if (message.content().contains(marker)) {
                    throw new BadLineException(Reason.ROLE_MARKER, "%s", marker);
                }
            }
        }
        return new Dialog.Conversation(messages);
    }
}
