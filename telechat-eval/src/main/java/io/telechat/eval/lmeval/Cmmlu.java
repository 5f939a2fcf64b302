// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.Bundled;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** CMMLU (Li et al. 2023): Chinese questions on 67 subjects with four choices. */
final class Cmmlu implements Task {
    private static final FourChoices LAYOUT = new FourChoices(true, "答案：", true);

    /** The Chinese name of each subject. */
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
                .map(subject -> LAYOUT.subtask(
                        subject.getKey(),
                        "以下是关于" + subject.getValue() + "的单项选择题，请直接给出正确答案的选项。\n\n",
                        "cmmlu/dev/" + subject.getKey() + ".csv",
                        "cmmlu/test/" + subject.getKey() + ".csv",
                        source))
                .flatMap(Optional::stream)
                .toList();
    }

    @Override
    public AnswerRule rule(Question question) {
        throw ByLikelihood.noAnswerToRead(name());
    }
}
