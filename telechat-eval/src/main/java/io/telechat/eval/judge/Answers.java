// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A model's answers to dialogs. */
public final class Answers {
    /** The file of a run's directory. */
    public static final String FILE = "answers.jsonl";

    private final String name;
    private final Map<String, Reply> replies;

    /**
     * To one dialog.
     *
     * @param texts an answer for each open turn; none if there was a failure
     * @param failure why it could not be answered
     */
    record Reply(List<String> texts, Optional<String> failure) {
        Reply {
            texts = List.copyOf(texts);
        }

        static Reply failed(String why) {
            return new Reply(List.of(), Optional.of(why));
        }

        static Reply of(JsonNode json) {
            List<String> texts = new ArrayList<>();
            json.path("answers").forEach(text -> texts.add(text.asText()));
            return new Reply(texts, Optional.ofNullable(json.path("failure").textValue()));
        }

        ObjectNode json(String id) {
            ObjectNode json = JsonNodeFactory.instance.objectNode().put("id", id);
            texts.forEach(json.putArray("answers")::add);
            failure.ifPresent(why -> json.put("failure", why));
            return json;
        }
    }

    /** @param name of the model */
    Answers(String name, Map<String, Reply> replies) {
        this.name = name;
        this.replies = Map.copyOf(replies);
    }

    /**
     * Lines {@code {"id", "answer"}}, or {@code {"id", "answers": […]}} where a dialog has several open turns.
     *
     * @param place such a file, or the directory of an earlier run
     * @param dialogs those that are of interest
     * @throws InvalidInputException naming the line that is not like that, or if none of the dialogs is answered
     */
    public static Answers read(Path place, List<Dialog> dialogs) {
        Path file = Files.isDirectory(place) ? place.resolve(FILE) : place;
        Map<String, Dialog> known = new HashMap<>();
        dialogs.forEach(dialog -> known.put(dialog.id(), dialog));
        Map<String, Reply> replies = new HashMap<>();
        for (JsonRow row : JsonLines.rows(file)) {
            String id = row.filledText("id");
            Reply reply = reply(row);
            if (!known.containsKey(id)) {
                continue; // of a larger set
            }
            int wanted = known.get(id).answers();
            if (reply.failure.isEmpty() && reply.texts.size() != wanted) {
                throw new InvalidInputException(
                        "%s: has %d answers, the dialog '%s' wants %d", row.place(), reply.texts.size(), id, wanted);
            }
            if (replies.put(id, reply) != null) {
                throw new InvalidInputException("%s: there is an answer to '%s' already", row.place(), id);
            }
        }
        if (replies.isEmpty()) {
            throw new InvalidInputException("%s: has no answer to any of the dialogs", file);
        }
        return new Answers(place.toString(), replies);
    }

    private static Reply reply(JsonRow row) {
        JsonNode one = row.fields().path("answer");
        JsonNode several = row.fields().path("answers");
        if (row.fields().path("failure").isTextual()) {
            return Reply.failed(row.fields().get("failure").textValue());
        }
        boolean texts = several.isArray();
        for (JsonNode text : several) {
            texts &= text.isTextual();
        }
        if (one.isTextual() == texts) {
            throw new InvalidInputException(
                    "%s: must have either \"answer\", a text, or \"answers\", a list of texts", row.place());
        }
        return one.isTextual() ? new Reply(List.of(one.textValue()), Optional.empty()) : Reply.of(row.fields());
    }

    /** The model's, or of what they were read from. */
    public String name() {
        return name;
    }

    /** To a dialog; one that is not there counts as failed. */
    Reply to(Dialog dialog) {
        return replies.getOrDefault(dialog.id(), Reply.failed("there is no answer"));
    }
}
