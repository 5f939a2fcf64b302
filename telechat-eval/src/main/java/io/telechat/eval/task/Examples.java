// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import io.telechat.core.InvalidRequestException;
import java.util.List;

/** The solved examples that a task has, of which some stand before its questions. */
public final class Examples {
    private Examples() {}

    /**
     * The first ones, as many as are wanted.
     *
     * @param where they come from, for messages
     * @throws InvalidRequestException if there are not so many
     */
    public static <T> List<T> first(List<T> examples, TaskSource source, Object where) {
        if (source.shots() > examples.size()) {
            throw new InvalidRequestException(
                    "%s: has %d solved examples, %d were asked for", where, examples.size(), source.shots());
        }
        return examples.subList(0, source.shots());
    }

    /** For tasks without examples. */
    public static void requireNone(String task, TaskSource source) {
        first(List.of(), source, task);
    }
}
