// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.Optional;

/**
 * A document: what is put to the model, and what is wanted of it.
 *
 * @param id row of the subtask's file, from 0
 * @param file under the data directory; empty unless each document has its own
 */
public record Item(int id, Prompt prompt, Query query, Optional<String> file) {
    /** One of many in a file. */
    public Item(int id, Prompt prompt, Query query) {
        this(id, prompt, query, Optional.empty());
    }
}
