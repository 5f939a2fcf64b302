// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.Role;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.grammar.JsonSchema;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The fields {@code tools} and {@code tool_choice}: which functions the model may call, or has to.
 *
 * @param offered schemas of all functions by their names; empty if none may be called
 * @param forced names of those of which one has to be called; empty if the model decides
 */
record ChatTools(Optional<ChatTokenizer> tokenizer, Map<String, JsonNode> offered, List<String> forced) {
    static final ChatTools NONE = new ChatTools(Optional.empty(), Map.of(), List.of());

    /** How the format writes calls (Hermes). */
    static final String OPEN = "<tool_call>";

    static final String CLOSE = "</tool_call>";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");
    private static final int MOST = 128;

    static ChatTools read(Fields request, ChatTokenizer tokenizer) {
        JsonNode given = request.get("tools").orElse(JsonNodeFactory.instance.arrayNode());
        if (!given.isArray() || given.size() > MOST) {
            throw ApiException.invalid("tools", "tools must be a list of at most %d functions", MOST);
        }
        Map<String, JsonNode> tools = new LinkedHashMap<>();
        for (int i = 0; i < given.size(); i++) {
            String where = "tools[" + i + "]";
            JsonNode name = given.get(i).path("function").path("name");
            if (!"function".equals(given.get(i).path("type").textValue()) || !name.isTextual()) {
                throw ApiException.invalid(where, "%s must have the type function, and a function with a name", where);
            }
            if (!NAME.matcher(name.textValue()).matches()) {
                throw ApiException.invalid(
                        where, "%s: a name has 1 to 64 letters, digits, dots, dashes and underscores", where);
            }
            tools.put(name.textValue(), given.get(i));
        }
        String choice = choice(request, tools);
        if (choice.equals("none") || tools.isEmpty()) {
            return NONE;
        }
        if (tokenizer.tools().isEmpty()) {
            throw ApiException.invalid("tools", "this model's chat format has no tools; TeleChat2's has");
        }
        List<String> forced = switch (choice) {
            case "auto" -> List.of();
            case "required" -> List.copyOf(tools.keySet());
            default -> List.of(choice.substring("function:".length()));
        };
        return new ChatTools(Optional.of(tokenizer), tools, forced);
    }

    /** {@code none}, {@code auto}, {@code required}, or {@code function:} and a name. */
    private static String choice(Fields request, Map<String, JsonNode> tools) {
        Optional<JsonNode> given = request.get("tool_choice");
        if (given.isEmpty()) {
            return "auto";
        }
        if (given.get().isTextual()
                && List.of("none", "auto", "required").contains(given.get().textValue())) {
            if (tools.isEmpty() && given.get().textValue().equals("required")) {
                throw ApiException.invalid("tool_choice", "tool_choice requires a tool, but there are none");
            }
            return given.get().textValue();
        }
        JsonNode name = given.get().path("function").path("name");
        if (!name.isTextual() || !tools.containsKey(name.textValue())) {
            throw ApiException.invalid(
                    "tool_choice", "tool_choice must be none, auto, required, or a function that tools names");
        }
        return "function:" + name.textValue();
    }

    /** The messages, of which the first tells the model of the tools. */
    List<ChatMessage> offer(List<ChatMessage> messages) {
        if (offered.isEmpty()) {
            return messages;
        }
        boolean hasSystem = messages.getFirst().role() == Role.SYSTEM;
        List<String> schemas = offered.values().stream().map(JsonNode::toString).toList();
        List<ChatMessage> all = new ArrayList<>();
        all.add(ChatMessage.system(tokenizer
                .orElseThrow()
                .systemWithTools(hasSystem ? messages.getFirst().content() : "", schemas)));
        all.addAll(messages.subList(hasSystem ? 1 : 0, messages.size()));
        return all;
    }

    /** What the answer has to be where a call is forced. */
    Optional<Grammar> grammar() {
        if (forced.isEmpty()) {
            return Optional.empty();
        }
        Map<String, JsonNode> schemas = new LinkedHashMap<>();
        for (String name : forced) {
            JsonNode schema = offered.get(name).path("function").path("parameters");
            boolean any = schema.isMissingNode() || schema.isNull() || schema.isEmpty();
            schemas.put(name, any ? JsonNodeFactory.instance.objectNode().put("type", "object") : schema);
        }
        return Optional.of(JsonSchema.call(OPEN + "\n", schemas, "\n" + CLOSE));
    }

    /** The calls in a whole answer. */
    ToolCalls calls(String text) {
        return offered.isEmpty() ? ToolCalls.none(text) : ToolCalls.parse(text, offered.keySet());
    }

    /** Takes an answer as it comes. */
    Stream stream() {
        return new Stream(!offered.isEmpty());
    }

    /**
     * Turns the text of an answer into deltas. Up to the first mark of a call, text is sent on as soon as it cannot be part of one;
     * behind it, whole calls.
     */
    final class Stream {
        private final boolean looks;
        private final StringBuilder held = new StringBuilder();
        private boolean inCalls;
        private int sent;

        private Stream(boolean looks) {
            this.looks = looks;
        }

        List<ObjectNode> add(String text) {
            if (!looks) {
                return text.isEmpty() ? List.of() : List.of(content(text));
            }
            held.append(text);
            List<ObjectNode> deltas = new ArrayList<>();
            if (!inCalls) {
                int open = held.indexOf(OPEN);
                inCalls = open >= 0;
                int free = inCalls ? open : surelyText();
                String said = inCalls ? held.substring(0, free).stripTrailing() : held.substring(0, free);
                held.delete(0, free);
                if (!said.isEmpty()) {
                    deltas.add(content(said));
                }
            }
            for (int close = held.indexOf(CLOSE); inCalls && close >= 0; close = held.indexOf(CLOSE)) {
                deltas.addAll(calls(held.substring(0, close + CLOSE.length())));
                held.delete(0, close + CLOSE.length());
            }
            return deltas;
        }

        /** What is left at the end. */
        List<ObjectNode> finish() {
            String rest = held.toString();
            held.setLength(0);
            if (!inCalls) {
                return rest.isEmpty() ? List.of() : List.of(content(rest));
            }
            return rest.isBlank() ? List.of() : calls(rest);
        }

        boolean hasCalls() {
            return sent > 0;
        }

        /** How much is neither the beginning of a mark nor blanks, which are dropped before one. */
        private int surelyText() {
            int end = held.length() - beginningOfMark();
            while (end > 0 && Character.isWhitespace(held.charAt(end - 1))) {
                end--;
            }
            return end;
        }

        private int beginningOfMark() {
            for (int length = Math.min(OPEN.length() - 1, held.length()); length > 0; length--) {
                if (OPEN.startsWith(held.substring(held.length() - length))) {
                    return length;
                }
            }
            return 0;
        }

        private List<ObjectNode> calls(String text) {
            ToolCalls found = ToolCalls.parse(text, offered.keySet());
            List<ObjectNode> deltas = new ArrayList<>();
            if (!found.content().isEmpty()) {
                deltas.add(content(found.content()));
            }
            for (ToolCalls.Call call : found.calls()) {
                // The first delta has id and name, which clients read there only; the second the arguments.
                deltas.add(delta(call.json("").put("index", sent)));
                ObjectNode more = JsonNodeFactory.instance.objectNode().put("index", sent++);
                more.putObject("function").put("arguments", call.arguments());
                deltas.add(delta(more));
            }
            return deltas;
        }

        private ObjectNode delta(ObjectNode call) {
            ObjectNode delta = JsonNodeFactory.instance.objectNode();
            delta.putArray("tool_calls").add(call);
            return delta;
        }

        private ObjectNode content(String text) {
            return JsonNodeFactory.instance.objectNode().put("content", text);
        }
    }
}
