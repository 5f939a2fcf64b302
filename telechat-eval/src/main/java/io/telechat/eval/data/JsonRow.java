// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.TextFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A JSON object of a benchmark's file, whose fields are asked for by name.
 *
 * @param place of it, for messages
 */
public record JsonRow(String place, JsonNode fields) {
    /**
     * What a list of a file's only object holds.
     *
     * @throws InvalidInputException if there is none of that name
     */
    public static List<JsonRow> list(Path file, String name) {
        JsonNode list = whole(file).fields.path(name);
        if (!list.isArray()) {
            throw new InvalidInputException("%s: has no list \"%s\"", file, name);
        }
        List<JsonRow> rows = new ArrayList<>();
        for (JsonNode object : list) {
            String place = Message.of("%s row %d", file, rows.size() + 1).localized();
            rows.add(new JsonRow(place, object));
        }
        return rows;
    }

    /** A file's only object. */
    public static JsonRow whole(Path file) {
        return new JsonRow(file.toString(), JsonFiles.parse(file.toString(), TextFiles.read(file)));
    }

    /** @throws InvalidInputException if there is no such field, or it is not a text */
    public String text(String name) {
        JsonNode value = fields.path(name);
        if (!value.isTextual()) {
            throw new InvalidInputException("%s: \"%s\" must be a text", place, name);
        }
        return value.textValue();
    }

    /**
     * Empty if there is no such field, or it is null.
     *
     * @throws InvalidInputException if it is something else than a text
     */
    public String textOrEmpty(String name) {
        return fields.path(name).isMissingNode() || fields.path(name).isNull() ? "" : text(name);
    }

    /** @throws InvalidInputException if there is no such field, or it is not a text, or blank */
    public String filledText(String name) {
        return optionalText(name).orElseThrow(() -> new InvalidInputException("%s: \"%s\" is missing", place, name));
    }

    /**
     * Likewise; empty if there is no such field, or it is null.
     *
     * @throws InvalidInputException if it is something else than a text, or blank
     */
    public Optional<String> optionalText(String name) {
        JsonNode value = fields.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isTextual() || value.textValue().isBlank()) {
            throw new InvalidInputException("%s: \"%s\" must be a text that is not empty", place, name);
        }
        return Optional.of(value.textValue());
    }

    /** @throws InvalidInputException if there is no such field, or it is not a list of texts, one or more */
    public List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        JsonNode value = fields.path(name);
        value.forEach(text -> texts.add(text.textValue()));
        if (!value.isArray() || texts.isEmpty() || texts.contains(null)) {
            throw new InvalidInputException("%s: \"%s\" must be a list of texts", place, name);
        }
        return texts;
    }
}
