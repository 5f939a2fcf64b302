// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import io.telechat.core.InvalidRequestException;
import io.telechat.eval.custom.OwnTask;
import io.telechat.eval.lmeval.LmEvalTasks;
import io.telechat.eval.opencompass.OpenCompassTasks;
import io.telechat.eval.task.Style;
import io.telechat.eval.task.Task;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The benchmarks that there are. */
public final class Tasks {
    private Tasks() {}

    /** All of a style. */
    public static List<Task> all(Style style) {
        return switch (style) {
            case LM_EVAL -> LmEvalTasks.all();
            case OPENCOMPASS -> OpenCompassTasks.all();
        };
    }

    /** Whether a name is that of a file with a task of a user's own. */
    public static boolean isFile(String name) {
        return name.endsWith(".yaml") || name.endsWith(".yml");
    }

    /**
     * One of a style, or of a user's own, whose file ends with {@code .yaml}.
     *
     * @throws InvalidRequestException if there is none of that name
     */
    public static Task find(String name, Style style) {
        if (isFile(name)) {
            return OwnTask.read(Path.of(name));
        }
        return all(style).stream()
                .filter(task -> task.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidRequestException(
                        "%s: there is no such task in the style %s: %s",
                        name, style, all(style).stream().map(Task::name).collect(Collectors.joining(", "))));
    }

    /**
     * Several of a style, each once.
     *
     * @throws InvalidRequestException if there is none of a name, or no name, or two tasks are called the same
     */
    public static List<Task> find(List<String> names, Style style) {
        List<Task> found = new ArrayList<>();
        for (String name : names.stream().map(String::strip).distinct().toList()) {
            Task task = find(name, style);
            if (found.stream().anyMatch(other -> other.name().equals(task.name()))) {
                throw new InvalidRequestException(
                        "%s: another of these tasks is called %s, too; its results would have the same name",
                        name, task.name());
            }
            found.add(task);
        }
        if (found.isEmpty()) {
            throw new InvalidRequestException(
                    "which tasks? --tasks takes some of: %s",
                    all(style).stream().map(Task::name).collect(Collectors.joining(",")));
        }
        return found;
    }
}
