// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.eval.data.Bundled;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Prompt.Speaker;
import io.telechat.eval.task.Prompt.Turn;
import io.telechat.eval.task.TaskSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Turns with fields in braces. OpenCompass replaces one field after the other, so a field that is named in the text of an earlier
 * one is replaced there, too; other braces stay.
 */
record Template(List<Turn> turns) {
    static final Template EMPTY = new Template(List.of());

    Template {
        turns = List.copyOf(turns);
    }

    Template human(String text) {
        return with(new Turn(Speaker.HUMAN, text));
    }

    Template bot(String text) {
        return with(new Turn(Speaker.BOT, text));
    }

    private Template with(Turn turn) {
        return new Template(Stream.concat(turns.stream(), Stream.of(turn)).toList());
    }

    /** All of another one behind. */
    Template then(Template next) {
        return new Template(Stream.concat(turns.stream(), next.turns.stream()).toList());
    }

    /**
     * The first examples of a file beside this class, which says where they come from.
     *
     * @param question with {@code %s} for an example's
     */
    static Template examples(String file, String question, TaskSource source) {
        List<JsonNode> all = new ArrayList<>();
        Bundled.json(Template.class, file).path("shots").forEach(all::add);
        Template turns = EMPTY;
        for (JsonNode shot : Examples.first(all, source, file)) {
            turns = turns.human(question.formatted(shot.path("question").textValue()))
                    .bot(shot.path("answer").textValue());
        }
        return turns;
    }

    Template filled(Fields fields) {
        return new Template(turns.stream()
                .map(turn -> new Turn(turn.speaker(), fields.in(turn.text())))
                .toList());
    }

    Prompt.Dialog dialog() {
        return new Prompt.Dialog(turns);
    }
}
