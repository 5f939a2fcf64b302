// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.data.Bundled;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** MMLU (Hendrycks et al. 2021): questions on 57 subjects with four choices. */
final class Mmlu implements Task {
    private static final FourChoices LAYOUT = new FourChoices(false, "Answer:", false);

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
                .map(subject -> LAYOUT.subtask(
                        subject,
                        "The following are multiple choice questions (with answers) about " + subject.replace('_', ' ')
                                + ".\n\n",
                        "mmlu/dev/" + subject + "_dev.csv",
                        "mmlu/test/" + subject + "_test.csv",
                        source))
                .flatMap(Optional::stream)
                .toList();
    }

    @Override
    public List<Group> groups() {
        return Group.byCategory(name(), Bundled.MMLU_CATEGORIES, CATEGORIES);
    }

    @Override
    public AnswerRule rule(Question question) {
        throw ByLikelihood.noAnswerToRead(name());
    }
}
