// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.html.Page;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What answers are scored by, for each dimension and perhaps each language. */
public final class Criteria {
    private static final String OWN = "(built-in criteria)";

    private final List<Criterion> all;

    /**
     * Of a dimension.
     *
     * @param language of dialogs that they are for; any if empty
     * @param name of the dimension, for people
     */
    public record Criterion(String dimension, Optional<String> language, Optional<String> name, String text) {
        /** As files have it. */
        public ObjectNode json() {
            ObjectNode json = JsonNodeFactory.instance.objectNode().put("dimension", dimension);
            language.ifPresent(code -> json.put("language", code));
            name.ifPresent(text -> json.put("name", text));
            return json.put("criteria", text);
        }
    }

    private Criteria(List<Criterion> all) {
        this.all = List.copyOf(all);
    }

    /** Those of the ten dimensions of our own dialogs, in both languages. */
    public static Criteria own() {
        return parsed(OWN, JsonLines.rows(OWN, Page.resource(Criteria.class, "criteria.jsonl")));
    }

    /**
     * Lines {@code {"dimension", "criteria"}}, and perhaps {@code "language"} and {@code "name"}.
     *
     * @throws InvalidInputException naming the line that is not like that
     */
    public static Criteria read(Path file) {
        return parsed(file.toString(), JsonLines.rows(file));
    }

    private static Criteria parsed(String source, List<JsonRow> rows) {
        if (rows.isEmpty()) {
            throw new InvalidInputException("%s: has no criteria", source);
        }
        List<Criterion> all = new ArrayList<>();
        for (JsonRow row : rows) {
            Criterion one = new Criterion(
                    row.filledText("dimension"),
                    row.optionalText("language"),
                    row.optionalText("name"),
                    row.filledText("criteria"));
            boolean twice =
                    all.stream().anyMatch(c -> c.dimension.equals(one.dimension) && c.language.equals(one.language));
            if (twice) {
                throw new InvalidInputException("%s: there are criteria for '%s' already", row.place(), one.dimension);
            }
            all.add(one);
        }
        return new Criteria(all);
    }

    /** All of them. */
    public List<Criterion> all() {
        return all;
    }

    /**
     * What a dialog's answers are scored by: its own criteria, or those of its dimension, in its language if there are such.
     *
     * @throws InvalidInputException if there are none
     */
    String of(Dialog dialog) {
        return dialog.criteria()
                .or(() -> find(dialog, Optional.of(dialog.language())))
                .or(() -> find(dialog, Optional.empty()))
                .or(() -> all.stream()
                        .filter(c -> c.dimension.equals(dialog.dimension()))
                        .findFirst()
                        .map(Criterion::text))
                .orElseThrow(() -> new InvalidInputException(
                        "there are no criteria for '%s', the dimension of the dialog '%s' (--criteria)",
                        dialog.dimension(), dialog.id()));
    }

    private Optional<String> find(Dialog dialog, Optional<String> language) {
        return all.stream()
                .filter(c -> c.dimension.equals(dialog.dimension()) && c.language.equals(language))
                .findFirst()
                .map(Criterion::text);
    }

    /** The name of a dimension for people, if it has one: the first that is given. */
    Optional<String> name(String dimension) {
        return all.stream()
                .filter(c -> c.dimension.equals(dimension))
                .flatMap(c -> c.name.stream())
                .findFirst();
    }
}
