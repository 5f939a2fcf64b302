// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import io.telechat.eval.data.HellaSwagRow;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
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

/** Which of four ends a description of an activity has ({@code hellaswag_gen_6faab5}). */
final class HellaSwag implements Task {
    private static final Template QUESTION =
            Template.EMPTY.human("{ctx}\nQuestion: Which ending makes the most sense?\nA. {A}\nB. {B}\nC. {C}\nD. {D}\n"
                    + "You may choose from 'A', 'B', 'C', 'D'.\nAnswer:");

    private static final String ACTIVITY_END = ": ";

    @Override
    public String name() {
        return "hellaswag";
    }

    @Override
    public int usualShots() {
        return 0;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Examples.requireNone(name(), source);
        List<Item> items = new ArrayList<>();
        for (JsonRow line : source.limited(JsonLines.rows(source.required("hellaswag/hellaswag_val.jsonl")))) {
            HellaSwagRow row = HellaSwagRow.of(line);
            OneWayRule rule = rule(Optional.of(Letters.OPTIONS.substring(row.right(), row.right() + 1)));
            items.add(new Item(
                    items.size(), QUESTION.filled(fields(row)).dialog(), rule.query(List.of(), OptionalInt.empty())));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    /** The activity itself is not shown. */
    private static Fields fields(HellaSwagRow row) {
        String description = row.activity().substring(row.activity().indexOf(ACTIVITY_END) + ACTIVITY_END.length());
        Fields fields = Fields.of("ctx", description);
        for (int i = 0; i < row.endings().size(); i++) {
            fields = fields.with(
                    Letters.OPTIONS.substring(i, i + 1), row.endings().get(i));
        }
        return fields.with("label", "");
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
        return new OneWayRule(METRIC, Letters::firstOption, String::equals, gold);
    }
}
