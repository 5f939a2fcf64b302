// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The calls in an answer, {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>}, and what is said before them. What looks
 * like a call and is none stays text.
 */
record ToolCalls(String content, List<Call> calls) {
    /** @param arguments as a JSON text */
    record Call(String id, String name, String arguments) {
        ObjectNode json(String itsArguments) {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("id", id);
            json.put("type", "function");
            json.putObject("function").put("name", name).put("arguments", itsArguments);
            return json;
        }
    }

    static ToolCalls none(String text) {
        return new ToolCalls(text, List.of());
    }

    /** @param names of the functions there are */
    static ToolCalls parse(String text, Set<String> names) {
        StringBuilder content = new StringBuilder();
        List<Call> calls = new ArrayList<>();
        int at = 0;
        for (int open = text.indexOf(ChatTools.OPEN); open >= 0; open = text.indexOf(ChatTools.OPEN, at)) {
            int close = text.indexOf(ChatTools.CLOSE, open);
            int end = close < 0 ? text.length() : close;
            Optional<Call> call = call(text.substring(open + ChatTools.OPEN.length(), end), names);
            int next = close < 0 ? text.length() : close + ChatTools.CLOSE.length();
            content.append(text, at, call.isPresent() ? open : next);
            call.ifPresent(calls::add);
            at = next;
        }
        content.append(text.substring(at));
        return new ToolCalls(calls.isEmpty() ? text : content.toString().stripTrailing(), calls);
    }

    private static Optional<Call> call(String text, Set<String> names) {
        Optional<JsonNode> json = StrictJson.tryValue(text.strip());
        if (json.isEmpty()
                || !names.contains(json.get().path("name").asText())
                || !json.get().path("arguments").isObject()) {
            return Optional.empty();
        }
        String id = "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
        return Optional.of(new Call(
                id,
                json.get().get("name").textValue(),
                json.get().get("arguments").toString()));
    }

    boolean isEmpty() {
        return calls.isEmpty();
    }

    ArrayNode json() {
        ArrayNode json = JsonNodeFactory.instance.arrayNode();
        calls.forEach(call -> json.add(call.json(call.arguments())));
        return json;
    }
}
