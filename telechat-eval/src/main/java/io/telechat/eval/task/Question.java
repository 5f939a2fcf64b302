// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import io.telechat.core.InvalidRequestException;
import java.util.Optional;
import java.util.SortedMap;

/**
 * What of a document decides how its answer is read.
 *
 * @param subtask empty where a task has none
 * @param input the question; empty if only answers are known
 * @param gold the right answer; empty if answers are to be read, but not scored
 */
public record Question(Optional<String> subtask, String input, Optional<String> gold) {
    /**
     * The subtask of a task whose subtasks have their answers read in different ways.
     *
     * @param known all of the task, by name
     * @throws InvalidRequestException if it is not told, or the task has no such one
     */
    public <T> T subtaskOf(String task, SortedMap<String, T> known) {
        return subtask.map(known::get)
                .orElseThrow(() -> new InvalidRequestException(
                        "%s: how an answer is read depends on the subtask, which must be one of %s",
                        task, String.join(", ", known.keySet())));
    }
}
