// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * A function that the model wants called.
 *
 * @param id tells calls apart
 * @param arguments a JSON object, as text
 */
public record ToolCall(String id, String name, String arguments) {
    private static final ObjectMapper STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    /** As models write it, {@code {"name": …, "arguments": {…}}}; empty if the text is something else. */
    static Optional<ToolCall> read(String text, Set<String> names) {
        JsonNode json = json(text.strip()).orElse(STRICT.missingNode());
        String name = json.path("name").asText();
        if (!names.contains(name) || !json.path("arguments").isObject()) {
            return Optional.empty();
        }
        String id = "call_" + UUID.randomUUID().toString().replace("-", "").substring(0, 24);
        return Optional.of(new ToolCall(id, name, json.get("arguments").toString()));
    }

    /** As {@link io.telechat.core.chat.ToolFormat#call} wants it; empty if the arguments are not JSON. */
    public Optional<String> written() {
        return json(arguments).map(given -> {
            ObjectNode json = STRICT.createObjectNode().put("name", name);
            return json.set("arguments", given).toString();
        });
    }

    private static Optional<JsonNode> json(String text) {
        try {
            return Optional.ofNullable(STRICT.readTree(text)).filter(json -> !json.isMissingNode());
        } catch (JsonProcessingException | ArithmeticException e) {
            return Optional.empty();
        }
    }
}
