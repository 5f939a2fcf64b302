// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import io.telechat.eval.data.Bundled;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Questions on 57 subjects with four choices, behind the first five of their development files ({@code mmlu_gen_4d595a}). */
final class Mmlu implements Task {
    private static final FourChoices LAYOUT =
            new FourChoices(false, List.of("input", "A", "B", "C", "D", "target"), Mmlu::rule);

    private static final String QUESTION =
            "There is a single choice question about %s. Answer the question by replying A, B, C or D.\n"
                    + "Question: {input}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\nAnswer: ";

    /** Of each subject. */
    private static final Map<String, String> CATEGORIES = Bundled.mmluCategories();

    @Override
    public String name() {
        return "mmlu";
    }

    @Override
    public int usualShots() {
        return 5;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        return CATEGORIES.keySet().stream()
                .map(subject -> subtask(subject, source))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Subtask> subtask(String subject, TaskSource source) {
        Template question = Template.EMPTY.human(QUESTION.formatted(subject.replace('_', ' ')));
        return LAYOUT.subtask(
                subject,
                question.bot("{target}\n"),
                question,
                "mmlu/dev/" + subject + "_dev.csv",
                "mmlu/test/" + subject + "_test.csv",
                source);
    }

    @Override
    public List<Group> groups() {
        return Group.byCategory(name(), Bundled.MMLU_CATEGORIES, CATEGORIES);
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    private static OneWayRule rule(Optional<String> gold) {
        return new OneWayRule(METRIC, Letters::firstOption, String::equals, gold);
    }
}
