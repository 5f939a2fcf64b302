// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.AgievalSet;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.math.AgievalAnswer;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Query.Choice;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * AGIEval (Zhong et al. 2023): questions of exams for people, in English and Chinese. Most have choices, whose whole texts are
 * compared; two subtasks want a formula.
 */
final class Agieval implements Task {
    private static final String DELIMITER = " ";
    private static final List<String> UNTIL = List.of("Q:");
    private static final OptionalInt MAX_NEW_TOKENS = OptionalInt.of(32);

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
        List<Subtask> subtasks = new ArrayList<>();
        for (AgievalSet set : AgievalSet.values()) {
            source.optional(set.path()).ifPresent(file -> {
                List<Item> items = new ArrayList<>();
                for (JsonRow row : source.limited(JsonLines.rows(file))) {
                    FewShot prompt = new FewShot("", List.of(), set.question(row), DELIMITER);
                    items.add(new Item(items.size(), prompt, isCloze(set) ? clozeQuery(row) : choice(row)));
                }
                subtasks.add(new Subtask(Optional.of(set.fileName()), items));
            });
        }
        return subtasks;
    }

    private static boolean isCloze(AgievalSet set) {
        return set.answers() == AgievalSet.Answers.TEXT;
    }

    private static Choice choice(JsonRow row) {
        List<String> options = row.texts("options");
        return new Choice(options, DELIMITER, right(row, options.size()), true, true);
    }

    /** The places of the right options: their letters are one text, or a list. */
    private static Set<Integer> right(JsonRow row, int options) {
        JsonNode label = row.fields().path("label");
        String letters = label.isArray() ? String.join("", row.texts("label")) : row.text("label");
        Set<Integer> right = new HashSet<>();
        letters.chars().forEach(letter -> right.add(letter - 'A'));
        if (right.isEmpty() || right.stream().anyMatch(place -> place < 0 || place >= options)) {
            throw new InvalidInputException(
                    "%s: \"label\" must be letters of %d options from A, is \"%s\"", row.place(), options, letters);
        }
        return right;
    }

    private static FreeAnswer clozeQuery(JsonRow row) {
        return cloze(Optional.of(row.text("answer"))).query(UNTIL, MAX_NEW_TOKENS);
    }

    /** Reads formulas, the right one like the model's. */
    private static OneWayRule cloze(Optional<String> gold) {
        return new OneWayRule(
                "acc",
                response -> AgievalAnswer.extract(response).orElse(null),
                (found, right) -> AgievalAnswer.same(Optional.ofNullable(found), right),
                gold);
    }

    @Override
    public List<Group> groups() {
        return List.of(
                new Group(name(), subtask -> true),
                new Group("agieval_en", subtask -> !isChinese(subtask)),
                new Group("agieval_cn", Agieval::isChinese));
    }

    private static boolean isChinese(String subtask) {
        return AgievalSet.BY_NAME.get(subtask).chinese();
    }

    @Override
    public AnswerRule rule(Question question) {
        question.subtask().ifPresent(subtask -> {
            AgievalSet set = AgievalSet.BY_NAME.get(subtask);
            if (set == null || !isCloze(set)) {
                throw ByLikelihood.noAnswerToRead(subtask);
            }
        });
        return cloze(question.gold());
    }
}
