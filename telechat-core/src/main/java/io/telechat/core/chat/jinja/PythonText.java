// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Python's string methods where Java's differ: what counts as white space, and how lines and words are cut. */
public final class PythonText {
    private PythonText() {}

    /** What {@code str.isspace} is true of. */
    public static boolean isSpace(int c) {
        return c >= '\t' && c <= '\r'
                || c >= 0x1c && c <= ' '
                || c == 0x85
                || c == 0xa0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200a
                || c == 0x2028
                || c == 0x2029
                || c == 0x202f
                || c == 0x205f
                || c == 0x3000;
    }

    /** {@code str.strip()}. */
    public static String strip(String text) {
        return stripLeading(stripTrailing(text, PythonText::isSpace), PythonText::isSpace);
    }

    static String stripLeading(String text, IntPredicate drops) {
        int from = 0;
        while (from < text.length() && drops.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        return text.substring(from);
    }

    static String stripTrailing(String text, IntPredicate drops) {
        int to = text.length();
        while (to > 0 && drops.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return text.substring(0, to);
    }

    /** {@code str.split()}: at runs of white space, without empty parts; behind {@code most} cuts, the rest is one part. */
    static List<String> words(String text, long most) {
        List<String> words = new ArrayList<>();
        String rest = stripLeading(text, PythonText::isSpace);
        while (!rest.isEmpty()) {
            if (most >= 0 && words.size() >= most) {
                words.add(stripTrailing(rest, PythonText::isSpace));
                break;
            }
            int end = 0;
            while (end < rest.length() && !isSpace(rest.charAt(end))) {
                end++;
            }
            words.add(rest.substring(0, end));
            rest = stripLeading(rest.substring(end), PythonText::isSpace);
        }
        return words;
    }
}
