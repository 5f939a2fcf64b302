// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import io.telechat.core.InvalidRequestException;
import io.telechat.eval.data.BbhSet;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
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

/** BIG-Bench Hard, behind its makers' three examples of thinking step by step ({@code bbh_gen_5b92b0}). */
final class Bbh implements Task {
    private static final String PROMPT =
            "Follow the given examples and answer the question.\n%s\n\n" + "Q: {input}\nA: Let's think step by step.";
    private static final OptionalInt MAX_NEW_TOKENS = OptionalInt.of(512);
    private static final int SHOTS = 3;

    @Override
    public String name() {
        return "bbh";
    }

    @Override
    public int usualShots() {
        return SHOTS;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        if (source.shots() != SHOTS) {
            throw new InvalidRequestException(
                    "%s: has %d solved examples, %d were asked for", name(), SHOTS, source.shots());
        }
        return Arrays.stream(BbhSet.values())
                .map(set -> subtask(set, source))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Subtask> subtask(BbhSet set, TaskSource source) {
        Optional<Path> examples = source.optional(set.examples());
        Optional<Path> questions = source.optional(set.questions());
        if (examples.isEmpty() || questions.isEmpty()) {
            return Optional.empty();
        }
        Template template = Template.EMPTY.human(
                PROMPT.formatted(BbhSet.withoutCanary(examples.get(), Lines.read(examples.get()))));
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(JsonRow.list(questions.get(), "examples"))) {
            Fields fields = Fields.of("input", row.text("input")).with("target", "");
            OneWayRule rule = rule(set, Optional.of(row.text("target")));
            items.add(new Item(items.size(), template.filled(fields).dialog(), rule.query(List.of(), MAX_NEW_TOKENS)));
        }
        return Optional.of(new Subtask(Optional.of(set.fileName()), items));
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.subtaskOf(name(), BbhSet.BY_NAME), question.gold());
    }

    private static OneWayRule rule(BbhSet set, Optional<String> gold) {
        return set.answers() == BbhSet.Answers.OPTION
                ? new OneWayRule(METRIC, BbhAnswer::choice, String::equals, gold.map(BbhAnswer::choice))
                : new OneWayRule(METRIC, BbhAnswer::free, BbhAnswer::sameText, gold.map(BbhAnswer::free));
    }
}
