// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** Turns words into ids. */
interface BpeModel {
    /**
     * Appends the ids of {@code text[from … to)}.
     *
     * @param run room for a word's symbols; empty before and after
     */
    void encode(String text, int from, int to, IntList run, IntList ids);
}
