// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Some of a task's subtasks, whose scores are averaged.
 *
 * @param name in the results
 * @param has tells its subtasks by name
 */
public record Group(String name, Predicate<String> has) {
    /** All subtasks of a task, then those of each category. */
    public static List<Group> byCategory(String task, List<String> categories, Map<String, String> categoryOf) {
        List<Group> groups = new ArrayList<>();
        groups.add(new Group(task, subtask -> true));
        for (String category : categories) {
            groups.add(new Group(task + "_" + category, subtask -> category.equals(categoryOf.get(subtask))));
        }
        return groups;
    }
}
