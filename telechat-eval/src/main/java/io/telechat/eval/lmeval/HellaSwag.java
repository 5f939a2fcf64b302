// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.HellaSwagRow;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Query.Choice;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** HellaSwag (Zellers et al. 2019): which of four ends a description of an activity has. */
final class HellaSwag implements Task {
    private static final String DELIMITER = " ";

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
            items.add(new Item(
                    items.size(),
                    new FewShot("", List.of(), row.activity(), DELIMITER),
                    new Choice(row.endings(), DELIMITER, Set.of(row.right()), false, true)));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    @Override
    public List<Group> groups() {
        return List.of();
    }

    @Override
    public AnswerRule rule(Question question) {
        throw ByLikelihood.noAnswerToRead(name());
    }
}
