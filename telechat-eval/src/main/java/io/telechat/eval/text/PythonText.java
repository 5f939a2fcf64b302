// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** What Python's {@code str} and {@code re} do, where Java's do it otherwise. */
public final class PythonText {
    private static final String SPACE = "\\s\\x1C-\\x1F";
    private static final String WORD = "\\p{L}\\p{N}_";
    private static final Pattern BLANKS = regex("\\s+");

    /** No form of i where case is folded, though its capital is that of i. */
    private static final int DOTLESS_I = 0x131;

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
        String first = text.substring(0, text.offsetByCodePoints(0, 1));
        // All of it is lowered, since what a sigma becomes depends on the letter before it.
        String rest = text.toLowerCase(Locale.ROOT)
                .substring(first.toLowerCase(Locale.ROOT).length());
        return Character.toString(Character.toTitleCase(first.codePointAt(0))) + rest;
    }

    /** What is the same of two texts for which {@code str.casefold()} is the same; the letters of Cherokee come out small. */
    public static String casefold(String text) {
        StringBuilder folded = new StringBuilder();
        text.codePoints().mapToObj(PythonText::folded).forEach(folded::append);
        return folded.toString();
    }

    private static String folded(int c) {
        if (c == DOTLESS_I) {
            return Character.toString(c);
        }
        StringBuilder small = new StringBuilder();
        Character.toString(c)
                .toLowerCase(Locale.ROOT)
                .toUpperCase(Locale.ROOT)
                .codePoints()
                .mapToObj(upper -> Character.toString(upper).toLowerCase(Locale.ROOT))
                .forEach(small::append);
        return small.toString();
    }

    /**
     * A regular expression that matches what Python's would: {@code .} is anything but a line feed, classes know all of Unicode,
     * {@code \s} is what {@link #isSpace} says, and {@code \w} is letters, numbers of all kinds and the low line, but no marks.
     *
     * @param flags of {@link Pattern}, such as {@link Pattern#DOTALL}
     */
    public static Pattern regex(String expression, int flags) {
        return Pattern.compile(pythonClasses(expression), flags | Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** Likewise, without flags. */
    public static Pattern regex(String expression) {
        return regex(expression, 0);
    }

    /**
     * What {@code re.findall} finds, from left to right: the groups of each match (those without a part in it are empty), or all of
     * it if the expression has no groups.
     */
    public static List<List<String>> findAll(Pattern pattern, String text) {
        List<List<String>> found = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            found.add(
                    matcher.groupCount() == 0
                            ? List.of(matcher.group())
                            : IntStream.rangeClosed(1, matcher.groupCount())
                                    .mapToObj(i -> Objects.requireNonNullElse(matcher.group(i), ""))
                                    .toList());
        }
        return found;
    }

    /** {@code str.split()}: what stands between spaces. */
    public static List<String> split(String text) {
        return Arrays.stream(BLANKS.split(text)).filter(part -> !part.isEmpty()).toList();
    }

    private static String pythonClasses(String expression) {
        StringBuilder java = new StringBuilder();
        boolean inClass = false;
        for (int i = 0; i < expression.length(); i++) {
            char c = expression.charAt(i);
            if (c == '\\' && i + 1 < expression.length()) {
                java.append(pythonClass(expression.charAt(++i), inClass));
                continue;
            }
            inClass = c == '[' || inClass && c != ']';
            java.append(c);
        }
        return java.toString();
    }

    /** Java's {@code \s} lacks the four separators of ASCII, its {@code \w} and {@code \b} have marks and lack some numbers. */
    private static String pythonClass(char escaped, boolean inClass) {
        return switch (escaped) {
            case 's' -> inClass ? SPACE : "[" + SPACE + "]";
            case 'S' -> "[^" + SPACE + "]";
            case 'w' -> inClass ? WORD : "[" + WORD + "]";
            case 'W' -> "[^" + WORD + "]";
            case 'b' -> "(?:(?<=[" + WORD + "])(?![" + WORD + "])|(?<![" + WORD + "])(?=[" + WORD + "]))";
            default -> "\\" + escaped;
        };
    }
}
