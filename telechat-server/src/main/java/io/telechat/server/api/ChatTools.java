// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.infer.tools.Tools;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The fields {@code tools} and {@code tool_choice}: which functions the model may call, or has to. */
final class ChatTools {
    private static final int MOST = 128;

    private ChatTools() {}

    static Tools read(Fields request, ChatTokenizer tokenizer) {
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
            if (!Tools.isName(name.textValue())) {
                throw ApiException.invalid(
                        where, "%s: a name has 1 to 64 letters, digits, dots, dashes and underscores", where);
            }
            tools.put(name.textValue(), given.get(i));
        }
        String choice = choice(request, tools);
        if (choice.equals("none") || tools.isEmpty()) {
            return Tools.NONE;
        }
        if (tokenizer.tools().isEmpty()) {
            throw ApiException.invalid(
                    "tools",
                    "this model's chat format has no tools; those of TeleChat2, TeleChat3, Qwen2.5 and Qwen3 have");
        }
        List<String> forced = switch (choice) {
            case "auto" -> List.of();
            case "required" -> List.copyOf(tools.keySet());
            default -> List.of(choice.substring("function:".length()));
        };
        return new Tools(tools, forced);
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
}
