// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.eval.data.AgievalSet;
import io.telechat.eval.data.AgievalSet.Answers;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.math.AgievalAnswer;
import io.telechat.eval.math.MathStyle;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Questions of exams for people, without examples ({@code agieval_gen_a0c741}). Where more letters than one may be right, answers
 * are read and compared as those of mathematics, so plain letters never count: that is how it is configured.
 */
final class Agieval implements Task {
    @Override
    public String name() {
        return "agieval";
    }

    @Override
    public int usualShots() {
        return 0;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Examples.requireNone(name(), source);
        return Arrays.stream(AgievalSet.values())
                .map(set -> subtask(set, source))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Subtask> subtask(AgievalSet set, TaskSource source) {
        return source.optional(set.path())
                .map(file -> new Subtask(Optional.of(set.fileName()), items(set, file, source)));
    }

    private static List<Item> items(AgievalSet set, Path file, TaskSource source) {
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(JsonLines.rows(file))) {
            Fields fields = Fields.of("problem_input", set.question(row)).with("label", "");
            items.add(new Item(
                    items.size(),
                    Template.EMPTY.human("{problem_input}").filled(fields).dialog(),
                    rule(set, Optional.of(gold(row))).query(List.of(), OptionalInt.empty())));
        }
        return items;
    }

    /** The letters, or else the text. */
    private static String gold(JsonRow row) {
        JsonNode label = row.fields().path("label");
        if (!label.isArray()) {
            String letter = row.textOrEmpty("label");
            return letter.isEmpty() ? row.textOrEmpty("answer") : letter;
        }
        return label.isEmpty() ? row.textOrEmpty("answer") : String.join("", row.texts("label"));
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.subtaskOf(name(), AgievalSet.BY_NAME), question.gold());
    }

    private static OneWayRule rule(AgievalSet set, Optional<String> gold) {
        if (set.answers() == Answers.LETTER) {
            return new OneWayRule(
                    METRIC, Letters::firstCapital, (found, right) -> !right.isEmpty() && found.equals(right), gold);
        }
        return new OneWayRule(
                METRIC,
                response -> AgievalAnswer.extractOpenCompass(response).orElse(null),
                (found, right) -> found != null && MathStyle.OPENCOMPASS_AGIEVAL.equal(found, right),
                gold);
    }
}
