// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.ToolFormat;
import io.telechat.core.checkpoint.JsonReason;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.train.data.BadLineException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
    private static final KeyRules LINE = KeyRules.notTo("train on")
            .only("weight", 1)
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
    private static final KeyRules MESSAGE = KeyRules.notTo("train on")
            .only("weight", 1)
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

    private static final KeyRules BESIDE_MESSAGES =
            KeyRules.notTo("read beside messages").refuse("instruction", "history");
    private static final KeyRules BESIDE_DATA =
            KeyRules.notTo("read beside data").refuse("instruction", "history", "system", "tools", "input", "output");
    private static final KeyRules BESIDE_INPUT =
            KeyRules.notTo("read beside input and output").refuse("tools");

    private static final ObjectReader READER = new ObjectMapper(JsonFactory.builder()
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .reader();

    private final Set<String> markers;
    private final Optional<ToolFormat> tools;

    /** Without tools. */
    DialogParser(Set<String> markers) {
        this(markers, Optional.empty());
    }

    /**
     * @param markers what the tokenizer or the chat format takes for a mark; no message may hold one
     * @param tools how tools are offered and called, if the chat format has them
     */
    DialogParser(Set<String> markers, Optional<ToolFormat> tools) {
        this.markers = Set.copyOf(markers);
        this.tools = tools;
    }

    static JsonNode json(byte[] line, int from, int to) throws BadLineException {
        JsonNode node;
        try {
            node = READER.readTree(line, from, to - from);
        } catch (JsonProcessingException e) {
            throw new BadLineException(Reason.MALFORMED_JSON, wholeValue(line, from, e));
        } catch (IOException e) {
            throw new BadLineException(Reason.MALFORMED_JSON, "not UTF-8");
        }
        if (node == null || !node.isObject()) {
            throw new BadLineException(Reason.MALFORMED_JSON, node != null && node.isArray() ? ARRAY : "not an object");
        }
        return node;
    }

    private static final String ARRAY =
            "it begins a JSON array; one dialog per line is needed, for example with jq -c '.[]' FILE";
    private static final String INDENTED =
            "it begins indented JSON; one dialog per line is needed, for example with jq -c . FILE";

    /** A line that a value begins on and does not end is of a file that is one value, which is what there is to say. */
    private static String wholeValue(byte[] line, int from, JsonProcessingException e) {
        if (e.getOriginalMessage().contains("end-of-input")) {
            int first = from;
            while (first < line.length && (line[first] == ' ' || line[first] == '\t' || line[first] < 0)) {
                first++; // the byte order mark, too
            }
            if (first < line.length && line[first] == '[') {
                return ARRAY;
            }
            if (first < line.length && line[first] == '{') {
                return INDENTED;
            }
        }
        return JsonReason.of(e);
    }

    private static void require(KeyRules rules, JsonNode json) throws BadLineException {
        Optional<String> complaint = rules.complaint(json);
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
            return plain(text(line, "data"));
        }
        if (!line.has("output") || !line.has("input") && !line.hasNonNull("instruction")) {
            throw new BadLineException(Reason.MISSING_FIELDS, "expected input and output, or messages, or data");
        }
        require(BESIDE_INPUT, line);
        List<ChatMessage> messages = new ArrayList<>();
        if (line.hasNonNull("system") && !text(line, "system").isEmpty()) {
            messages.add(ChatMessage.system(text(line, "system")));
        }
        addHistory(messages, line.path("history"));
        addTurns(messages, withoutPrefix(question(line), USER));
        messages.add(ChatMessage.assistant(withoutPrefix(text(line, "output"), BOT)));
        return conversation(messages);
    }

    private Dialog plain(String text) throws BadLineException {
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

    /** {@code instruction + "\n" + input}, or the one that is there. */
    private static String question(JsonNode line) throws BadLineException {
        String input = line.hasNonNull("input") || !line.hasNonNull("instruction") ? text(line, "input") : "";
        if (!line.hasNonNull("instruction") || text(line, "instruction").isEmpty()) {
            return input;
        }
        return text(line, "instruction") + (input.isEmpty() ? "" : "\n" + input);
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
        String beside = line.hasNonNull("system") ? text(line, "system") : "";
        if (begins && !beside.isEmpty()) {
            throw new BadLineException(Reason.UNUSED_FIELD, "'system' stands beside messages that begin with one");
        }
        List<String> schemas = schemas(line.path("tools"));
        if (beside.isEmpty() && schemas.isEmpty()) {
            return messages;
        }
        String system = begins ? messages.getFirst().content() : beside;
        List<ChatMessage> all = new ArrayList<>(begins ? messages.subList(1, messages.size()) : messages);
        all.addFirst(ChatMessage.system(
                schemas.isEmpty() ? system : toolFormat("tools").offer(system, schemas)));
        return all;
    }

    /** A list, or a text that holds one. */
    private static List<String> schemas(JsonNode tools) throws BadLineException {
        JsonNode list = tools;
        if (tools.isTextual() && !tools.textValue().isBlank()) {
            byte[] text = tools.textValue().getBytes(StandardCharsets.UTF_8);
            try {
                list = READER.readTree(text);
            } catch (IOException e) {
                throw new BadLineException(Reason.MISSING_FIELDS, "tools is not a list of schemas");
            }
        }
        if (!list.isArray() && !list.isMissingNode() && !list.isNull() && !list.isTextual()) {
            throw new BadLineException(Reason.MISSING_FIELDS, "tools is not a list of schemas");
        }
        List<String> schemas = new ArrayList<>();
        list.forEach(tool -> schemas.add(tool.toString()));
        return schemas;
    }

    private ToolFormat toolFormat(String field) throws BadLineException {
        if (tools.isEmpty()) {
            throw new BadLineException(
                    Reason.UNUSED_FIELD, "'%s': this tokenizer's chat format has no tools".formatted(field));
        }
        return tools.get();
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

    private List<ChatMessage> messages(JsonNode list) throws BadLineException {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : list) {
            require(MESSAGE, message);
            try {
                Role role = Role.parse(text(message, "role"));
                messages.add(new ChatMessage(role, content(role, message)));
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

    /** With the calls of tools, whose content may be null. */
    private String content(Role role, JsonNode message) throws BadLineException {
        JsonNode calls = message.path("tool_calls");
        if (calls.isMissingNode() || calls.isNull() || calls.isArray() && calls.isEmpty()) {
            return text(message, "content");
        }
        if (role != Role.ASSISTANT || !calls.isArray()) {
            throw new BadLineException(Reason.UNUSED_FIELD, "'tool_calls' is no list in a message of the assistant");
        }
        List<String> written = new ArrayList<>();
        for (JsonNode call : calls) {
            written.add(call(call.has("function") ? call.get("function") : call));
        }
        String content = message.hasNonNull("content") ? text(message, "content") : "";
        return toolFormat("tool_calls").call(content, written);
    }

    /** Arguments are an object, or, as the OpenAI API has it, a text that holds one. */
    private static String call(JsonNode function) throws BadLineException {
        JsonNode arguments = function.path("arguments");
        try {
            arguments = arguments.isTextual() ? READER.readTree(arguments.textValue()) : arguments;
        } catch (IOException e) {
            throw new BadLineException(Reason.MISSING_FIELDS, "arguments of a tool call are no JSON");
        }
        if (!function.path("name").isTextual() || !arguments.isObject()) {
            throw new BadLineException(Reason.MISSING_FIELDS, "a tool call needs a name and arguments");
        }
        return "{\"name\": %s, \"arguments\": %s}".formatted(function.get("name"), arguments);
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
