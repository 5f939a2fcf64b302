// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.train.data.BadLineException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What data say of tools, in the forms in which they say it. */
final class ToolFields {
    private ToolFields() {}

    /** A list, or a text that holds one. */
    static List<String> schemas(JsonNode tools) throws BadLineException {
        JsonNode list = tools;
        if (tools.isTextual() && !tools.textValue().isBlank()) {
            byte[] text = tools.textValue().getBytes(StandardCharsets.UTF_8);
            try {
                list = LineJson.READER.readTree(text);
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

    /** Arguments are an object, or, as the OpenAI API has it, a text that holds one. */
    static String call(JsonNode function) throws BadLineException {
        JsonNode arguments = function.path("arguments");
        try {
            arguments = arguments.isTextual() ? LineJson.READER.readTree(arguments.textValue()) : arguments;
        } catch (IOException e) {
            throw new BadLineException(Reason.MISSING_FIELDS, "arguments of a tool call are no JSON");
        }
        if (!function.path("name").isTextual() || !arguments.isObject()) {
            throw new BadLineException(Reason.MISSING_FIELDS, "a tool call needs a name and arguments");
        }
        return "{\"name\": %s, \"arguments\": %s}".formatted(function.get("name"), arguments);
    }
}
