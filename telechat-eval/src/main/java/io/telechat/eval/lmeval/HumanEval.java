// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.HumanEvalRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.ProgramRule;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import io.telechat.eval.task.TaskSource.ProgramCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** HumanEval (Chen et al. 2021): Python functions to be completed, which are run against tests. */
final class HumanEval implements Task {
    private static final List<String> UNTIL = List.of("\nclass", "\ndef", "\n#", "\nif", "\nprint");
    private static final int MAX_NEW_TOKENS = 1024;

    @Override
    public String name() {
        return "humaneval";
    }

    @Override
    public int usualShots() {
        return 0;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Examples.requireNone(name(), source);
        List<Item> items = new ArrayList<>();
        List<HumanEvalRow> rows = HumanEvalRow.read(source.required(HumanEvalRow.PACKED, HumanEvalRow.UNPACKED));
        for (HumanEvalRow row : source.limited(rows)) {
            ProgramRule rule = rule(Optional.of(row), source.programs());
            items.add(new Item(
                    items.size(),
                    new FewShot("", List.of(), row.prompt(), ""),
                    new FreeAnswer(UNTIL, OptionalInt.of(MAX_NEW_TOKENS), row.id(), rule)));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    @Override
    public List<Group> groups() {
        return List.of();
    }

    /** Reads only: what was to be completed, and how it is tested, is not part of the question. */
    @Override
    public AnswerRule rule(Question question) {
        return rule(Optional.empty(), Optional.empty());
    }

    private static ProgramRule rule(Optional<HumanEvalRow> function, Optional<ProgramCheck> check) {
        return new ProgramRule("create_test", response -> response, function.map(row -> row::program), check);
    }
}
