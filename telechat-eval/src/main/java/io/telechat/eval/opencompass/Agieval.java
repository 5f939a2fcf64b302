// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.eval.data.AgievalSet;
import io.telechat.eval.data.AgievalSet.Answers;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.math.AgievalAnswer;
import io.telechat.eval.math.MathStyle;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * Questions of exams for people, without examples ({@code agieval_gen_a0c741}). Where more letters than one may be right, answers
 * are read and compared as those of mathematics, so plain letters never count: that is how it is configured.
 */
final class Agieval implements Task {
    private static final Map<String, AgievalSet> SETS =
            Arrays.stream(AgievalSet.values()).collect(Collectors.toMap(AgievalSet::fileName, set -> set));

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
        return source.optional("agieval/v1/" + set.fileName() + ".jsonl")
                .map(file -> new Subtask(Optional.of(set.fileName()), items(set, file, source)));
    }

    private static List<Item> items(AgievalSet set, Path file, TaskSource source) {
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(JsonRow.lines(file))) {
            Fields fields = Fields.of("problem_input", set.question(row)).with("label", "");
            items.add(new Item(
                    items.size(),
                    Template.EMPTY.human("{problem_input}").filled(fields).dialog(),
                    rule(set, Optional.of(gold(row))).query(OptionalInt.empty())));
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
        String name = SubtaskNames.required(question, name(), SETS.keySet());
        return rule(SETS.get(name), question.gold());
    }

    private static OneWay rule(AgievalSet set, Optional<String> gold) {
        if (set.answers() == Answers.LETTER) {
            return new OneWay(Letters::firstCapital, (found, right) -> !right.isEmpty() && found.equals(right), gold);
        }
        return new OneWay(
                response -> AgievalAnswer.extractOpenCompass(response).orElse(null),
                (found, right) -> found != null && MathStyle.OPENCOMPASS_AGIEVAL.equal(found, right),
                gold);
    }
}
