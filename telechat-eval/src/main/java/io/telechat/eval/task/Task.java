// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.List;

/** A benchmark in one style. Has no state: its documents are made of the makers' files whenever they are asked for. */
public interface Task {
    /** As it is asked for, such as {@code mmlu}. */
    String name();

    /** How many solved examples stand before a question, unless another number is asked for. */
    int usualShots();

    /**
     * The documents, in the order of the makers' files. What is missing is noted in the source, and left out.
     *
     * @throws io.telechat.core.InvalidInputException if a file is not as its makers publish it
     * @throws io.telechat.core.InvalidRequestException if there cannot be so many shots
     */
    List<Subtask> load(TaskSource source);

    /** What tells it from others of its name, where a name does not stand for one task. */
    default String version() {
        return "";
    }

    /** Means over several subtasks, and of which. */
    default List<Group> groups() {
        return List.of(new Group(name(), subtask -> true));
    }

    /**
     * How an answer to a question of a subtask is read.
     *
     * @throws io.telechat.core.InvalidRequestException if answers are not read but their likelihoods compared
     */
    AnswerRule rule(Question question);
}
