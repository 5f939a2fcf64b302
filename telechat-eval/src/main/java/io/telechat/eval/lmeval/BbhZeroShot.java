// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.BbhSet;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/**
 * BIG-Bench Hard (Suzgun et al. 2022) without examples.
 *
 * @param stepwise whether the model is asked to think before it answers; then the last of its answers counts, else the first
 */
record BbhZeroShot(boolean stepwise) implements Task {
    private static final List<String> UNTIL = List.of("</s>", "Q:", "<|im_end|>");
    private static final ExactMatch MATCH = ExactMatch.ignoring("\\.$", ",", "\\n", "\\\\", "\"");
    private static final String FLEXIBLE = "flexible-extract";
    private static final String STRICT = "strict-match";
    private static final RegexFilter ANNOUNCED =
            RegexFilter.first("((?<=The answer is )(.*)(?=.)|(?<=the answer is )(.*)(?=.)"
                    + "|(?<=The answer: )(.*)(?=.)|(?<=The final answer: )(.*)(?=.))");

    @Override
    public String name() {
        return stepwise ? "bbh_cot_zeroshot" : "bbh_zeroshot";
    }

    @Override
    public int usualShots() {
        return 0;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Examples.requireNone(name(), source);
        List<Subtask> subtasks = new ArrayList<>();
        for (BbhSet set : BbhSet.values()) {
            BbhFiles.read(set, source).ifPresent(files -> subtasks.add(subtask(set.fileName(), files, source)));
        }
        return subtasks;
    }

    private Subtask subtask(String name, BbhFiles files, TaskSource source) {
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(files.questions())) {
            String input = row.text("input");
            String gold = row.text("target");
            Question question = new Question(Optional.of(name), input, Optional.of(gold));
            items.add(new Item(
                    items.size(),
                    new FewShot(files.description(), List.of(), text(input), " "),
                    new FreeAnswer(UNTIL, OptionalInt.empty(), gold, rule(question))));
        }
        return new Subtask(Optional.of(name), items);
    }

    private String text(String input) {
        return "Q: " + input + (stepwise ? "\nA: Let's think step by step." : "\nA:");
    }

    @Override
    public AnswerRule rule(Question question) {
        BbhSet set = question.subtaskOf(name(), BbhSet.BY_NAME);
        UnaryOperator<String> flexible = BbhFilter.of(set.answers(), question.input(), stepwise);
        List<ExactMatchRule.Named> filters = stepwise
                ? List.of(new ExactMatchRule.Named(FLEXIBLE, flexible), new ExactMatchRule.Named(STRICT, ANNOUNCED))
                : List.of(
                        new ExactMatchRule.Named(STRICT, UnaryOperator.identity()),
                        new ExactMatchRule.Named(FLEXIBLE, flexible));
        return new ExactMatchRule(filters, MATCH, question.gold());
    }
}
