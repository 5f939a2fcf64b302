// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.tools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.Role;
import io.telechat.infer.grammar.Grammar;
import io.telechat.infer.grammar.JsonSchema;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Functions that a model may call, or has to.
 *
 * @param offered descriptions of all functions by their names, {@code {"type": "function", "function": {"name": …, "description": …,
 *     "parameters": JSON schema}}}
 * @param forced names of those of which one has to be called; none if the model decides
 */
public record Tools(Map<String, JsonNode> offered, List<String> forced) {
    public static final Tools NONE = new Tools(Map.of(), List.of());

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    public Tools {
        offered = Collections.unmodifiableMap(new LinkedHashMap<>(offered));
        forced = List.copyOf(forced);
        if (!offered.keySet().containsAll(forced)) {
            throw new IllegalArgumentException("a function that is forced must be offered");
        }
    }

    /** Whether a function may have this name: 1 to 64 letters, digits, dots, dashes and underscores. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /**
     * The description of a function as {@link #offered} has it.
     *
     * @param parameters a JSON schema
     * @throws InvalidRequestException if no function may have this name
     */
    public static JsonNode function(String name, Optional<String> description, Optional<JsonNode> parameters) {
        if (!isName(name)) {
            throw new InvalidRequestException(
                    "'%s': the name of a tool has 1 to 64 letters, digits, dots, dashes and underscores", name);
        }
        ObjectNode function = JsonNodeFactory.instance.objectNode().put("name", name);
        description.ifPresent(text -> function.put("description", text));
        parameters.ifPresent(schema -> function.set("parameters", schema));
        ObjectNode whole = JsonNodeFactory.instance.objectNode().put("type", "function");
        whole.set("function", function);
        return whole;
    }

    /**
     * A conversation whose first message tells the model of the functions.
     *
     * @throws InvalidRequestException if the chat format has no tools
     */
    public List<ChatMessage> offer(List<ChatMessage> messages, ChatTokenizer tokenizer) {
        if (offered.isEmpty()) {
            return messages;
        }
        boolean hasSystem = !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM;
        List<String> schemas = offered.values().stream().map(JsonNode::toString).toList();
        List<ChatMessage> all = new ArrayList<>();
        all.add(ChatMessage.system(
                tokenizer.systemWithTools(hasSystem ? messages.getFirst().content() : "", schemas)));
        all.addAll(messages.subList(hasSystem ? 1 : 0, messages.size()));
        return all;
    }

    /**
     * What the answer has to be where a call is forced.
     *
     * @throws InvalidRequestException if the schema of a function's parameters cannot be kept to
     */
    public Optional<Grammar> grammar() {
        if (forced.isEmpty()) {
            return Optional.empty();
        }
        Map<String, JsonNode> schemas = new LinkedHashMap<>();
        for (String name : forced) {
            JsonNode schema = offered.get(name).path("function").path("parameters");
            boolean any = schema.isMissingNode() || schema.isNull() || schema.isEmpty();
            schemas.put(name, any ? JsonNodeFactory.instance.objectNode().put("type", "object") : schema);
        }
        return Optional.of(JsonSchema.call(ToolAnswer.OPEN + "\n", schemas, "\n" + ToolAnswer.CLOSE));
    }

    /** The calls in a whole answer. */
    public ToolAnswer answer(String text) {
        return offered.isEmpty() ? new ToolAnswer(text, List.of()) : ToolAnswer.parse(text, offered.keySet());
    }

    /** Takes an answer as it comes. */
    public ToolAnswerStream stream() {
        return new ToolAnswerStream(offered.keySet());
    }
}
