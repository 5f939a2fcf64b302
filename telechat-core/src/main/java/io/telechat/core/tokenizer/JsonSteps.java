// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the readers of a tokenizer.json's parts have in common.
 *
 * @param path the file, for complaints
 */
record JsonSteps(Path path) {
    /** A part's steps: none if it is null, itself if it is no sequence. */
    List<JsonNode> steps(JsonNode part, String listName) {
        List<JsonNode> steps = new ArrayList<>();
        addSteps(part, listName, steps);
        return steps;
    }

    private void addSteps(JsonNode part, String listName, List<JsonNode> steps) {
        if (type(part).equals("Sequence")) {
            part.path(listName).forEach(step -> addSteps(step, listName, steps));
        } else if (!part.isMissingNode() && !part.isNull()) {
            steps.add(part);
        }
    }

    String type(JsonNode step) {
        return step.path("type").asText();
    }

    /** What a step looks for: {@code {"String": …}} or {@code {"Regex": …}}. */
    Pattern pattern(JsonNode step) {
        return regex(step)
                .map(regex -> Oniguruma.compile(path, regex))
                .orElseGet(() -> Oniguruma.literal(text(step.path("pattern").path("String"), "pattern")));
    }

    Optional<String> regex(JsonNode step) {
        JsonNode regex = step.path("pattern").path("Regex");
        return regex.isTextual() ? Optional.of(regex.textValue()) : Optional.empty();
    }

    /** A text that must be there, and not be empty. */
    String text(JsonNode node, String name) {
        if (!node.isTextual() || node.textValue().isEmpty()) {
            throw refused(Message.of("a step of it has no '%s'", name));
        }
        return node.textValue();
    }

    /** As {@link #text}, of one character. */
    char character(JsonNode node, String name) {
        String text = text(node, name);
        if (text.length() != 1) {
            throw refused(Message.of("a step of it has no '%s'", name));
        }
        return text.charAt(0);
    }

    void require(boolean holds, Message otherwise) {
        if (!holds) {
            throw refused(otherwise);
        }
    }

    InvalidModelException refused(Message reason) {
        return new InvalidModelException("%s: cannot be used: %s", path, reason);
    }
}
