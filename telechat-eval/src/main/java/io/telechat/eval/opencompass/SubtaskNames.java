// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.core.InvalidRequestException;
import io.telechat.eval.task.Question;
import java.util.Set;
import java.util.TreeSet;

/** For tasks whose subtasks have their answers read in different ways. */
final class SubtaskNames {
    private SubtaskNames() {}

    /** @throws InvalidRequestException if a question does not tell its subtask, or the task has no such one */
    static String required(Question question, String task, Set<String> known) {
        return question.subtask()
                .filter(known::contains)
                .orElseThrow(() -> new InvalidRequestException(
                        "%s: how an answer is read depends on the subtask, which must be one of %s",
                        task, String.join(", ", new TreeSet<>(known))));
    }
}
