// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Patterns as the tokenizers library takes them (Oniguruma's Ruby syntax, its document RE), rewritten for {@link Pattern}. What
 * means something else there, or nothing, is refused.
 */
final class Oniguruma {
    /** Ruby's {@code ^} and {@code $} are of lines, and only LF ends one. */
    private static final int FLAGS = Pattern.UNICODE_CHARACTER_CLASS | Pattern.MULTILINE | Pattern.UNIX_LINES;

    /** Letters, marks, decimal digits and connectors; Java's own has the joiners U+200C and U+200D, too. */
    private static final String WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";

    /** Outside of brackets, {@code \\w} has these six, too. */
    private static final String MORE_WORD = "\u00b2\u00b3\u00b9\u00bc\u00bd\u00be";

    /** As {@code \\p{Alpha}} and the like; in brackets, punctuation has the symbols, too. */
    private static final Map<String, String> POSIX = Map.of(
            "alpha", "\\p{IsAlphabetic}",
            "digit", "\\p{Nd}",
            "alnum", "\\p{IsAlphabetic}\\p{Nd}",
            "upper", "\\p{IsUppercase}",
            "lower", "\\p{IsLowercase}",
            "space", "\\p{IsWhite_Space}",
            "blank", "\\p{Zs}\\t",
            "punct", "\\p{P}",
            "word", WORD,
            "cntrl", "\\p{Cc}");

    private final Object source;
    private final String pattern;
    private final StringBuilder java = new StringBuilder();
    private int at;
    private int depth;

    private Oniguruma(Object source, String pattern) {
        this.source = source;
        this.pattern = pattern;
    }

    /**
     * @param source file to name in complaints
     * @throws InvalidModelException if the pattern is none, or cannot be rewritten
     */
    static Pattern compile(Object source, String pattern) {
        try {
            return Pattern.compile(new Oniguruma(source, pattern).rewritten(), FLAGS);
        } catch (PatternSyntaxException | StackOverflowError e) {
            throw new InvalidModelException(e, "%s: cannot be used: its pattern does not compile", source);
        }
    }

    /** A pattern for a text as it is. */
    static Pattern literal(String text) {
        return Pattern.compile(text, Pattern.LITERAL);
    }

    private String rewritten() {
        while (at < pattern.length()) {
            char c = pattern.charAt(at);
            if (c == '\\') {
                escape();
            } else if (c == '[') {
                bracket();
            } else if (c == '(' && depth == 0 && pattern.startsWith("(?", at)) {
                group();
            } else if (depth == 0 && pattern.startsWith("}+", at)) {
                throw refused("}+");
            } else {
                depth -= c == ']' && depth > 0 ? 1 : 0;
                java.append(c);
                at++;
            }
        }
        return java.toString();
    }

    private void bracket() {
        int end = pattern.indexOf(":]", at);
        if (depth > 0 && pattern.startsWith("[:", at) && end > 0) {
            boolean isNegated = pattern.startsWith("[:^", at);
            String name = pattern.substring(at + (isNegated ? 3 : 2), end);
            String members = Optional.ofNullable(POSIX.get(name)).orElseThrow(() -> refused("[:" + name + ":]"));
            java.append(isNegated ? "[^" : "[").append(members);
            java.append(name.equals("punct") ? "\\p{S}]" : "]");
            at = end + 2;
            return;
        }
        depth++;
        java.append('[');
        at++;
        if (at < pattern.length() && pattern.charAt(at) == '^') {
            java.append('^');
            at++;
        }
    }

    private void escape() {
        if (at + 1 == pattern.length()) {
            throw refused("\\");
        }
        char c = pattern.charAt(at + 1);
        switch (c) {
            case 'w', 'W', 'h', 'H' -> {
                String members = Character.toLowerCase(c) == 'w' ? WORD + (depth == 0 ? MORE_WORD : "") : "0-9a-fA-F";
                java.append(Character.isUpperCase(c) ? "[^" : "[")
                        .append(members)
                        .append(']');
                at += 2;
            }
            case 'p', 'P' -> property(c == 'P');
            case 'Q', 'E', 'G', 'K', 'g', 'k', 'O', 'N', 'y', 'Y', 'c', 'C', 'M', 'X', 'R' -> throw refused("\\" + c);
            default -> {
                java.append('\\').append(c);
                at += 2;
            }
        }
    }

    /** {@code \p{Han}} and {@code \p{^Lu}}; scripts have a prefix in Java, where only general categories have none. */
    private void property(boolean isNegated) {
        int end = pattern.indexOf('}', at);
        if (!pattern.startsWith("{", at + 2) || end < 0) {
            throw refused(pattern.substring(at, Math.min(pattern.length(), at + 3)));
        }
        String name = pattern.substring(at + 3, end);
        boolean negated = name.startsWith("^") != isNegated;
        String bare = name.startsWith("^") ? name.substring(1) : name;
        String posix = POSIX.get(bare.toLowerCase(Locale.ROOT));
        if (posix != null) {
            java.append(negated ? "[^" : "[").append(posix).append(']');
        } else {
            java.append(negated ? "\\P{" : "\\p{")
                    .append(bare.length() <= 2 ? bare : script(bare))
                    .append('}');
        }
        at = end + 1;
    }

    private String script(String name) {
        String bare = name.replaceFirst("^(Script|script|sc)=", "");
        if (!bare.matches("[A-Za-z_]+")) {
            throw refused("\\p{" + name + "}");
        }
        return "Is" + bare;
    }

    /** Groups that look ahead or behind, are atomic, or ignore case. Other flags mean other things in Java. */
    private void group() {
        int end = at + 2;
        while (end < pattern.length() && (Character.isLetter(pattern.charAt(end)) || pattern.charAt(end) == '-')) {
            end++;
        }
        String flags = pattern.substring(at + 2, end);
        if (!flags.isEmpty() && !flags.equals("i") && !flags.equals("-i")) {
            throw refused("(?" + flags);
        }
        java.append(pattern, at, end);
        at = end;
    }

    private InvalidModelException refused(String what) {
        return new InvalidModelException(
                "%s: cannot be used: %s",
                source, Message.of("its pattern has %s, which telechat does not compute", what));
    }
}
