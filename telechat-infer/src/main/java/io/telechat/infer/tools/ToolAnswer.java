// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The calls in an answer, {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>} as Hermes models write them, and what is said
 * beside them. What looks like a call and is none stays text.
 */
public record ToolAnswer(String content, List<ToolCall> calls) {
    static final String OPEN = "<tool_call>";
    static final String CLOSE = "</tool_call>";

    private static final ObjectMapper STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    public ToolAnswer {
        calls = List.copyOf(calls);
    }

    /** @param names of the functions there are */
    static ToolAnswer parse(String text, Set<String> names) {
        StringBuilder content = new StringBuilder();
        List<ToolCall> calls = new ArrayList<>();
        int at = 0;
        for (int open = text.indexOf(OPEN); open >= 0; open = text.indexOf(OPEN, at)) {
            int close = text.indexOf(CLOSE, open);
            int end = close < 0 ? text.length() : close;
            Optional<ToolCall> call = call(text.substring(open + OPEN.length(), end), names);
            int next = close < 0 ? text.length() : close + CLOSE.length();
            content.append(text, at, call.isPresent() ? open : next);
            call.ifPresent(calls::add);
            at = next;
        }
        content.append(text.substring(at));
        return new ToolAnswer(calls.isEmpty() ? text : content.toString().stripTrailing(), calls);
    }

    private static Optional<ToolCall> call(String text, Set<String> names) {
        JsonNode json;
        try {
            json = STRICT.readTree(text.strip());
        } catch (JsonProcessingException | ArithmeticException e) {
            return Optional.empty();
        }
        String name = json.path("name").asText();
        if (!names.contains(name) || !json.path("arguments").isObject()) {
            return Optional.empty();
        }
        String id = "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
        return Optional.of(new ToolCall(id, name, json.get("arguments").toString()));
    }
}
