// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Optional;

/** JSON objects within a text, such as a judge's reply. */
final class JsonReplies {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Beginnings of objects that are tried at most. */
    private static final int MOST = 100;

    private JsonReplies() {}

    /** The last object that has a field of this name; of objects in one another, the outer. */
    static Optional<JsonNode> lastWith(String field, String text) {
        JsonNode found = null;
        int tries = 0;
        for (int at = text.indexOf('{'); at >= 0 && tries < MOST; tries++) {
            int end = at + 1;
            try (JsonParser parser = MAPPER.createParser(text.substring(at))) {
                JsonNode node = MAPPER.readTree(parser);
                if (node.has(field)) {
                    found = node;
                    end = at + (int) parser.currentLocation().getCharOffset();
                }
            } catch (IOException e) {
                // No JSON begins here.
            }
            at = text.indexOf('{', end);
        }
        return Optional.ofNullable(found);
    }

    /** The text of a field, or empty. */
    static String text(JsonNode object, String field) {
        return object.path(field).asText("").strip();
    }
}
