// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.List;
import java.util.Optional;

/**
 * The documents of one file.
 *
 * @param name empty where a task has no parts
 */
public record Subtask(Optional<String> name, List<Item> items) {
    public Subtask {
        items = List.copyOf(items);
    }
}
