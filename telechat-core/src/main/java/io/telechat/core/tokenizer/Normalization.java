// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.text.Normalizer;
import java.util.function.UnaryOperator;

/** What is done to text before it is cut. Lone surrogates stay what they are. */
final class Normalization {
    /** From here on up, characters may change in NFC. */
    private static final char FIRST_COMBINING = 0x300;

    private static final int MANY_MARKS = 64;

    private Normalization() {}

    /** One of Unicode's forms (UAX 15). */
    static UnaryOperator<String> of(Normalizer.Form form) {
        char unchanged = form == Normalizer.Form.NFC ? FIRST_COMBINING : 0x80;
        return text -> isBelow(text, unchanged)
                ? text
                : Normalizer.normalize(CombiningMarks.orderLongRuns(text, MANY_MARKS), form);
    }

    private static boolean isBelow(String text, char limit) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= limit) {
                return false;
            }
        }
        return true;
    }

    /** Each character for itself, so that a sigma at the end of a word is like any other. */
    static String lowerCase(String text) {
        StringBuilder lower = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (c == 0x130) {
                lower.append("i\u0307"); // the only one that becomes two
            } else {
                lower.appendCodePoint(Character.toLowerCase(c));
            }
        });
        return lower.toString();
    }

    /** Takes blanks off the ends. */
    static String strip(String text, boolean left, boolean right) {
        int from = 0;
        int to = text.length();
        while (left && from < to && Characters.isBlank(text.charAt(from))) {
            from++;
        }
        while (right && to > from && Characters.isBlank(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }
}
