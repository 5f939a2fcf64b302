// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.core.html.Page;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Where dialogs come from: a file of JSON lines, or our own set. */
public final class Dialogs {
    private static final String OWN = "(built-in dialogs)";

    private Dialogs() {}

    /** Sixty dialogs in ten dimensions, half of them Chinese, half English; the work of this project. */
    public static List<Dialog> own() {
        return parsed(OWN, JsonLines.rows(OWN, Page.resource(Dialogs.class, "dialogs.jsonl")));
    }

    /**
     * Lines {@code {"id", "dimension", "messages": [{"role", "content"}…]}}, and perhaps {@code "language"}, {@code "reference"} and
     * {@code "criteria"}.
     *
     * @throws InvalidInputException naming the line that is not like that
     */
    public static List<Dialog> read(Path file) {
        return parsed(file.toString(), JsonLines.rows(file));
    }

    /**
     * The first of each dimension and language.
     *
     * @param each how many
     */
    public static List<Dialog> first(List<Dialog> dialogs, int each) {
        Map<String, Integer> seen = new HashMap<>();
        return dialogs.stream()
                .filter(d -> seen.merge(d.dimension() + "\n" + d.language(), 1, Integer::sum) <= each)
                .toList();
    }

    /**
     * Those of some dimensions.
     *
     * @throws InvalidRequestException if there is none of one
     */
    public static List<Dialog> of(List<Dialog> dialogs, Set<String> dimensions) {
        for (String dimension : dimensions) {
            if (dialogs.stream().noneMatch(d -> d.dimension().equals(dimension))) {
                throw new InvalidRequestException(
                        "there is no dialog of the dimension %s; there are %s",
                        dimension,
                        String.join(
                                ", ",
                                dialogs.stream()
                                        .map(Dialog::dimension)
                                        .distinct()
                                        .toList()));
            }
        }
        return dialogs.stream().filter(d -> dimensions.contains(d.dimension())).toList();
    }

    private static List<Dialog> parsed(String source, List<JsonRow> rows) {
        if (rows.isEmpty()) {
            throw new InvalidInputException("%s: has no dialogs", source);
        }
        List<Dialog> dialogs = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        for (JsonRow row : rows) {
            Dialog dialog = dialog(row);
            if (!ids.add(dialog.id())) {
                throw new InvalidInputException("%s: there is a dialog '%s' already", row.place(), dialog.id());
            }
            dialogs.add(dialog);
        }
        return dialogs;
    }

    private static Dialog dialog(JsonRow row) {
        List<ChatMessage> messages = messages(row);
        return new Dialog(
                row.filledText("id"),
                row.filledText("dimension"),
                row.optionalText("language").orElseGet(() -> Language.codeOf(messages)),
                messages,
                row.optionalText("reference"),
                row.optionalText("criteria"));
    }

    private static List<ChatMessage> messages(JsonRow row) {
        JsonNode list = row.fields().path("messages");
        if (!list.isArray() || list.isEmpty()) {
            throw new InvalidInputException(
                    "%s: \"messages\" must be a list of {\"role\", \"content\"}, the last one the user's", row.place());
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode one : list) {
            messages.add(message(row, one));
            checkOrder(row, messages);
        }
        if (messages.getLast().role() != Role.USER) {
            throw new InvalidInputException(
                    "%s: the last message must be the user's: it is to be answered", row.place());
        }
        return messages;
    }

    private static ChatMessage message(JsonRow row, JsonNode one) {
        if (!one.path("role").isTextual() || !one.path("content").isTextual()) {
            throw new InvalidInputException(
                    "%s: \"messages\" must be a list of {\"role\", \"content\"}, the last one the user's", row.place());
        }
        if (one.get("content").textValue().isBlank()) {
            throw new InvalidInputException("%s: a message is empty", row.place());
        }
        try {
            return new ChatMessage(
                    Role.parse(one.get("role").textValue()), one.get("content").textValue());
        } catch (InvalidRequestException e) {
            throw new InvalidInputException(e, "%s: %s", row.place(), e.message());
        }
    }

    /** A system message comes first, an answer behind a question, and tools have no part in it. */
    private static void checkOrder(JsonRow row, List<ChatMessage> messages) {
        Role role = messages.getLast().role();
        boolean first = messages.size() == 1;
        boolean right = switch (role) {
            case SYSTEM -> first;
            case USER -> true;
            case ASSISTANT -> !first && messages.get(messages.size() - 2).role() == Role.USER;
            case TOOL -> false;
        };
        if (!right) {
            throw new InvalidInputException(
                    "%s: message %d cannot be of the role %s there", row.place(), messages.size(), role.lowerCase());
        }
    }
}
