// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.JsonLines;
import java.util.Optional;

/** Fields of JSON lines. */
final class Rows {
    private Rows() {}

    /** @throws InvalidInputException if it is missing, no text, or empty */
    static String text(JsonLines.Row row, String field) {
        return optionalText(row, field)
                .orElseThrow(() -> new InvalidInputException("%s: \"%s\" is missing", row.place(), field));
    }

    /** @throws InvalidInputException if it is no text, or empty */
    static Optional<String> optionalText(JsonLines.Row row, String field) {
        JsonNode value = row.json().path(field);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual() || value.textValue().isBlank()) {
            throw new InvalidInputException("%s: \"%s\" must be a text that is not empty", row.place(), field);
        }
        return Optional.of(value.textValue());
    }
}
