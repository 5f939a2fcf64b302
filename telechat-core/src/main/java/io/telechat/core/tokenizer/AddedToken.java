// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * A token that the tokenizer class, rather than its model, finds in text.
 *
 * @param singleWord whether it is one only where it stands alone; otherwise it is glued to its neighbours as text
 * @param lstrip whether blanks to its left belong to it
 * @param rstrip whether blanks to its right belong to it
 * @param normalized whether it is looked for behind those that are not, in what these leave
 * @param special whether it is a mark, which text that came from people must not become; otherwise it is text with an id
 */
public record AddedToken(
        int id,
        String content,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        boolean normalized,
        boolean special) {
    /** A mark that takes no blanks with it. */
    public AddedToken(int id, String content, boolean singleWord) {
        this(id, content, singleWord, false, false, false, true);
    }
}
