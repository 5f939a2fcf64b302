// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
        int at = 0;
        while (true) {
            while (at < text.length() && isSpace(text.charAt(at))) {
                at++;
            }
            if (at == text.length()) {
                break;
            }
            if (most >= 0 && words.size() >= most) {
                words.add(text.substring(at));
                break;
            }
            int end = at;
            while (end < text.length() && !isSpace(text.charAt(end))) {
                end++;
            }
            words.add(text.substring(at, end));
            at = end;
        }
        return words;
    }

    /** What a string literal says. */
    static String unescape(String literal) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < literal.length(); i++) {
            char c = literal.charAt(i);
            if (c != '\\' || i + 1 == literal.length()) {
                text.append(c);
                continue;
            }
            char escaped = literal.charAt(++i);
            int digits = escaped == 'x' ? 2 : escaped == 'u' ? 4 : escaped == 'U' ? 8 : 0;
            int plain = "abfnrtv\\'\"".indexOf(escaped);
            if (plain >= 0) {
                text.append("\u0007\b\f\n\r\t\u000b\\'\"".charAt(plain));
            } else if (digits > 0 && isHex(literal, i + 1, digits)) {
                int code = Integer.parseUnsignedInt(literal, i + 1, i + 1 + digits, 16);
                text.appendCodePoint(Character.isValidCodePoint(code) ? code : 0xfffd);
                i += digits;
            } else if (escaped != '\n') {
                text.append('\\').append(escaped);
            }
        }
        return text.toString();
    }

    private static boolean isHex(String text, int from, int length) {
        return from + length <= text.length()
                && text.substring(from, from + length).chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 128);
    }

    /** By code points, as Python orders texts. */
    static int compare(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length() && a.codePointAt(i) == b.codePointAt(i)) {
            i += Character.charCount(a.codePointAt(i));
        }
        return i < a.length() && i < b.length()
                ? Integer.compare(a.codePointAt(i), b.codePointAt(i))
                : Integer.compare(a.length(), b.length());
    }

    /** {@code repr(text)}: in single quotes, unless only they are within. */
    static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                case '\\' -> quoted.append("\\\\");
                default -> {
                    if (c == quote) {
                        quoted.append('\\').append(quote);
                    } else if (c == ' ' || isPrintable(c)) {
                        quoted.appendCodePoint(c);
                    } else {
                        quoted.append((c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
                    }
                }
            }
        });
        return quoted.append(quote).toString();
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }

    /** {@code text.title()}: every run of letters begins with a capital one. */
    static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            title.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return title.toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        return Character.toString(Character.toTitleCase(first))
                + text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
    }
}
