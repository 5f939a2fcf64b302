// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Word problems of arithmetic, behind four fixed examples ({@code gsm8k_gen_1d7fe4}). */
final class Gsm8k implements Task {
    private static final String QUESTION = "Question: %s\nLet's think step by step\nAnswer:";
    private static final OptionalInt MAX_NEW_TOKENS = OptionalInt.of(512);
    private static final String GOLD_MARK = "#### ";

    @Override
    public String name() {
        return "gsm8k";
    }

    @Override
    public int usualShots() {
        return 4;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Template template =
                Template.examples("gsm8k_shots.json", QUESTION, source).human(QUESTION.formatted("{question}"));
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(JsonLines.rows(source.required("gsm8k/test.jsonl")))) {
            Fields fields = Fields.of("question", row.text("question")).with("answer", "");
            OneWayRule rule = rule(Optional.of(gold(row)));
            items.add(new Item(items.size(), template.filled(fields).dialog(), rule.query(List.of(), MAX_NEW_TOKENS)));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    private static String gold(JsonRow row) {
        String[] parts = row.text("answer").split(GOLD_MARK, -1);
        if (parts.length == 1) {
            throw new InvalidInputException("%s: \"answer\" must end with \"#### \" and a number", row.place());
        }
        return parts[1].replace(",", "");
    }

    @Override
    public List<Group> groups() {
        return List.of();
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    private static OneWayRule rule(Optional<String> gold) {
        return new OneWayRule(METRIC, Gsm8kAnswer::number, Gsm8kAnswer::same, gold);
    }
}
