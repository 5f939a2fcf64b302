// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.text;

import java.util.Locale;
import java.util.regex.Pattern;

/** What Python's {@code str} and {@code re} do, where Java's do it otherwise. */
public final class PythonText {
    private PythonText() {}

    /** Whether {@code str.isspace} holds of a code point. */
    public static boolean isSpace(int c) {
        return switch (c) {
            case '\t', '\n', 0x0B, '\f', '\r', 0x1C, 0x1D, 0x1E, 0x1F, ' ', 0x85, 0xA0, 0x1680, 0x2028, 0x2029 -> true;
            case 0x202F, 0x205F, 0x3000 -> true;
            default -> c >= 0x2000 && c <= 0x200A;
        };
    }

    /** {@code str.strip()}. */
    public static String strip(String text) {
        return lstrip(rstrip(text));
    }

    /** {@code str.lstrip()}. */
    public static String lstrip(String text) {
        int from = 0;
        while (from < text.length() && isSpace(text.charAt(from))) {
            from++;
        }
        return text.substring(from);
    }

    /** {@code str.rstrip()}. */
    public static String rstrip(String text) {
        int to = text.length();
        while (to > 0 && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(0, to);
    }

    /** {@code str.capitalize()}: the first character in title case, all others in lower case. */
    public static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int end = text.offsetByCodePoints(0, 1);
        String first = Character.toString(Character.toTitleCase(text.codePointAt(0)));
        return first + text.substring(end).toLowerCase(Locale.ROOT);
    }

    /**
     * A regular expression that matches what Python's would: {@code .} is anything but a line feed, classes know all of Unicode, and
     * {@code \s} is what {@link #isSpace} says.
     *
     * @param flags of {@link Pattern}, such as {@link Pattern#DOTALL}
     */
    public static Pattern regex(String expression, int flags) {
        return Pattern.compile(
                withPythonSpace(expression), flags | Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** Likewise, without flags. */
    public static Pattern regex(String expression) {
        return regex(expression, 0);
    }

    /** Java's {@code \s} lacks the four separators of ASCII. */
    private static String withPythonSpace(String expression) {
        StringBuilder java = new StringBuilder();
        boolean inClass = false;
        for (int i = 0; i < expression.length(); i++) {
            char c = expression.charAt(i);
            if (c == '\\' && i + 1 < expression.length()) {
                char next = expression.charAt(++i);
                if (next == 's') {
                    java.append(inClass ? "\\s\\x1C-\\x1F" : "[\\s\\x1C-\\x1F]");
                } else if (next == 'S' && !inClass) {
                    java.append("[^\\s\\x1C-\\x1F]");
                } else {
                    java.append(c).append(next);
                }
                continue;
            }
            inClass = c == '[' || inClass && c != ']';
            java.append(c);
        }
        return java.toString();
    }
}
