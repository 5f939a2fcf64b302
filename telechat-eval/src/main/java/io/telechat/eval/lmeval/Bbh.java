// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.BbhSet;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Prompt.Shot;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** BIG-Bench Hard (Suzgun et al. 2022): 27 tasks, each behind three examples that are solved step by step. */
final class Bbh implements Task {
    private static final List<String> UNTIL = List.of("</s>", "Q", "\n\n");
    private static final int MAX_NEW_TOKENS = 1024;

    /** Loses the last character of a line, which is a period if all is well. */
    private static final List<ExactMatchRule.Named> FILTERS =
            List.of(new ExactMatchRule.Named("get-answer", RegexFilter.first("(?<=the answer is )(.*)(?=.)")));

    @Override
    public String name() {
        return "bbh";
    }

    @Override
    public int usualShots() {
        return 3;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        List<Subtask> subtasks = new ArrayList<>();
        for (BbhSet set : BbhSet.values()) {
            BbhFiles.read(set, source).ifPresent(files -> subtasks.add(subtask(set.fileName(), files, source)));
        }
        return subtasks;
    }

    private static Subtask subtask(String name, BbhFiles files, TaskSource source) {
        List<Shot> shots = Examples.first(files.shots(), source, files.file());
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(files.questions())) {
            String gold = row.text("target");
            items.add(new Item(
                    items.size(),
                    new FewShot(files.description(), shots, BbhFiles.stepwise(row.text("input")), ""),
                    new FreeAnswer(UNTIL, OptionalInt.of(MAX_NEW_TOKENS), gold, rule(Optional.of(gold)))));
        }
        return new Subtask(Optional.of(name), items);
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    private static AnswerRule rule(Optional<String> gold) {
        return new ExactMatchRule(FILTERS, ExactMatch.PLAIN, gold);
    }
}
