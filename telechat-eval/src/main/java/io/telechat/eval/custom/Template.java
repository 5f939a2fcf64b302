// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with {@code {{field}}} where a row's value stands.
 *
 * @param text as the task's file has it
 */
record Template(String text) {
    private static final Pattern FIELD = Pattern.compile("\\{\\{\\s*([^{}]+?)\\s*}}");

    /**
     * The text of a row.
     *
     * @param place of the row, for messages
     * @throws InvalidInputException if a field is not there, or is no text, number or truth value
     */
    String of(JsonNode row, String place) {
        return FIELD.matcher(text)
                .replaceAll(match -> Matcher.quoteReplacement(
                        value(row, match.group(1), place).asText()));
    }

    private static JsonNode value(JsonNode row, String field, String place) {
        JsonNode value = row.path(field);
        if (!value.isValueNode() || value.isNull()) {
            throw new InvalidInputException("%s: has no field \"%s\" that is a text or a number", place, field);
        }
        return value;
    }

    /** The list that a row has in a field, if the text is that field alone. */
    JsonNode list(JsonNode row) {
        Matcher matcher = FIELD.matcher(text);
        return matcher.matches() ? row.path(matcher.group(1)) : row.path("");
    }
}
