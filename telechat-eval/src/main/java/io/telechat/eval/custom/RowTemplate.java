// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.JsonRow;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with {@code {{field}}} where a row's value stands.
 *
 * @param text as the task's file has it
 */
record RowTemplate(String text) {
    private static final Pattern FIELD = Pattern.compile("\\{\\{\\s*([^{}]+?)\\s*}}");

    /**
     * The text of a row.
     *
     * @throws InvalidInputException if a field is not there, or is no text, number or truth value
     */
    String of(JsonRow row) {
        return FIELD.matcher(text)
                .replaceAll(match ->
                        Matcher.quoteReplacement(value(row, match.group(1)).asText()));
    }

    private static JsonNode value(JsonRow row, String field) {
        JsonNode value = row.fields().path(field);
        if (!value.isValueNode() || value.isNull()) {
            throw new InvalidInputException("%s: has no field \"%s\" that is a text or a number", row.place(), field);
        }
        return value;
    }

    /** The list that a row has in a field, if the text is that field alone. */
    JsonNode list(JsonRow row) {
        Matcher matcher = FIELD.matcher(text);
        return matcher.matches()
                ? row.fields().path(matcher.group(1))
                : row.fields().path("");
    }
}
