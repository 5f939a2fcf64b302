// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import java.util.List;
import java.util.Map;

/**
 * The scores of a task.
 *
 * @param task its name
 * @param subtasks of each subtask, or of the task itself if it has none, in order
 * @param groups means over several subtasks
 */
public record TaskScores(String task, List<Part> subtasks, List<Part> groups) {
    public TaskScores {
        subtasks = List.copyOf(subtasks);
        groups = List.copyOf(groups);
    }

    /**
     * Scores of some documents.
     *
     * @param size how many documents
     * @param metrics by {@code metric,filter}; without those that were not determined
     * @param unweighted of a group: means over its subtasks, each counted the same; empty for a subtask
     * @param members of a group: the names of its subtasks; empty for a subtask
     */
    public record Part(
            String name, int size, Map<String, Mean> metrics, Map<String, Double> unweighted, List<String> members) {
        public Part {
            members = List.copyOf(members);
        }
    }
}
