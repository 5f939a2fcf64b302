// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import io.telechat.eval.data.Bundled;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Chinese questions on 67 subjects with four choices, behind the first five of their development files ({@code cmmlu_gen_c13365}).
 * The bot's answer is begun.
 */
final class Cmmlu implements Task {
    private static final FourChoices LAYOUT =
            new FourChoices(true, List.of("question", "A", "B", "C", "D", "answer"), Cmmlu::rule);

    private static final String QUESTION = "以下是关于%s的单项选择题，请直接给出正确答案的选项。\n题目：{question}\nA. {A}\nB. {B}\nC. {C}\nD. {D}";
    private static final String ANSWER = "答案是: {answer}";

    private static final Map<String, String> NAMES = Bundled.cmmluNames();

    @Override
    public String name() {
        return "cmmlu";
    }

    @Override
    public int usualShots() {
        return 5;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        return NAMES.entrySet().stream()
                .map(subject -> subtask(subject.getKey(), subject.getValue(), source))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Subtask> subtask(String subject, String chinese, TaskSource source) {
        Template question = Template.EMPTY.human(QUESTION.formatted(chinese)).bot(ANSWER);
        return LAYOUT.subtask(
                subject, question, question, "cmmlu/dev/" + subject + ".csv", "cmmlu/test/" + subject + ".csv", source);
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    private static OneWayRule rule(Optional<String> gold) {
        return new OneWayRule(METRIC, Letters::firstCapital, String::equals, gold);
    }
}
