// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * Writes blanks as a visible character, as SentencePiece does (the tokenizers library's Metaspace).
 *
 * @param replacement the visible character
 * @param addsPrefix whether one is put in front of text that does not begin with it
 * @param cuts whether each begins a word
 */
record Metaspace(char replacement, boolean addsPrefix, boolean cuts) implements PreTokenizer {
    @Override
    public void split(String text, int from, int to, Sink words) {
        String visible = text.substring(from, to).replace(' ', replacement);
        if (addsPrefix && visible.charAt(0) != replacement) {
            visible = replacement + visible;
        }
        int start = 0;
        for (int end = 1; cuts && end < visible.length(); end++) {
            if (visible.charAt(end) == replacement) {
                words.accept(visible, start, end);
                start = end;
            }
        }
        words.accept(visible, start, visible.length());
    }
}
