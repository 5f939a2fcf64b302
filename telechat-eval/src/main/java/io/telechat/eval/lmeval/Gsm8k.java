// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.data.PythonRandom;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Prompt.Shot;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** GSM8K (Cobbe et al. 2021): word problems of arithmetic. Examples are drawn anew for each, always in the same way. */
final class Gsm8k implements Task {
    private static final String DELIMITER = " ";
    private static final String RESULT = "#### ";
    private static final int SEED = 1234;
    private static final List<String> UNTIL = List.of("Question:", "</s>", "<|im_end|>");
    private static final ExactMatch MATCH = ExactMatch.ignoring(",", "\\$", "\\A(?s).*#### ", "\\.$");
    private static final List<ExactMatchRule.Named> FILTERS = List.of(
            new ExactMatchRule.Named("strict-match", RegexFilter.first("#### (\\-?[0-9\\.\\,]+)")),
            new ExactMatchRule.Named("flexible-extract", RegexFilter.last("(-?[$0-9.,]{2,})|(-?[0-9]+)")));

    @Override
    public String name() {
        return "gsm8k";
    }

    @Override
    public int usualShots() {
        return 5;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        List<JsonRow> test = JsonLines.rows(source.required("gsm8k/test.jsonl"));
        List<Shot> pool = source.shots() == 0 ? List.of() : examples(source);
        PythonRandom random = new PythonRandom(SEED);
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(test)) {
            List<Shot> shots = random.sample(pool.size(), source.shots()).stream()
                    .map(pool::get)
                    .toList();
            String answer = row.text("answer");
            String gold =
                    answer.substring(answer.lastIndexOf(RESULT) < 0 ? 0 : answer.lastIndexOf(RESULT) + RESULT.length());
            items.add(new Item(
                    items.size(),
                    new FewShot("", shots, question(row), DELIMITER),
                    new FreeAnswer(UNTIL, OptionalInt.empty(), gold, rule(Optional.of(gold)))));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    private static List<Shot> examples(TaskSource source) {
        Path file = source.required("gsm8k/train.jsonl");
        List<Shot> pool = JsonLines.rows(file).stream()
                .map(row -> new Shot(question(row), row.text("answer")))
                .toList();
        Examples.first(pool, source, file);
        return pool;
    }

    private static String question(JsonRow row) {
        return "Question: " + row.text("question") + "\nAnswer:";
    }

    @Override
    public List<Group> groups() {
        return List.of();
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    private static AnswerRule rule(Optional<String> gold) {
        return new ExactMatchRule(FILTERS, MATCH, gold);
    }
}
