// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** Cuts text into words, which are merged each on its own. May hand on other text than it was given. */
interface PreTokenizer {
    /** Takes words as stretches of a text, so that cutting need not copy. */
    interface Sink {
        void accept(String text, int from, int to);
    }

    /** Cuts {@code text[from … to)}, seeing nothing beyond it. Words are never empty. */
    void split(String text, int from, int to, Sink words);

    /** All of a text is one word. */
    PreTokenizer NONE = (text, from, to, words) -> words.accept(text, from, to);

    /** The words of the first, cut by the second. */
    default PreTokenizer then(PreTokenizer second) {
        return (text, from, to, words) ->
                split(text, from, to, (word, start, end) -> second.split(word, start, end, words));
    }

    /** A blank in front of whatever does not begin with one. */
    static PreTokenizer blankInFront() {
        return (text, from, to, words) -> {
            if (text.charAt(from) == ' ') {
                words.accept(text, from, to);
            } else {
                words.accept(" " + text.substring(from, to), 0, 1 + to - from);
            }
        };
    }
}
