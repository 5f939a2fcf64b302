// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import io.telechat.core.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;

/**
 * A regular expression (the part of ECMA-262 that JSON Schema recommends): characters, classes, groups, alternatives,
 * quantifiers, anchors at both ends. What looks around or back is refused.
 */
sealed interface Regex {
    /** One character. */
    record One(CodePoints of) implements Regex {}

    /** One behind the other. */
    record Concatenation(List<Regex> parts) implements Regex {}

    record Alternatives(List<Regex> options) implements Regex {}

    record Quantified(Regex of, int least, int most) implements Regex {}

    /** @throws InvalidRequestException if it is none, or something that is not done here */
    static Regex parse(String pattern) {
        return new Parser(pattern).parse();
    }

    /** Reads from left to right. */
    final class Parser {
        private static final CodePoints DIGITS = CodePoints.of('0', '9');
        private static final CodePoints WORD = CodePoints.of('0', '9', 'A', 'Z', '_', '_', 'a', 'z');
        private static final CodePoints SPACE = CodePoints.of(
                9, 13, 32, 32, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f,
                0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff);
        private static final CodePoints LINE_ENDS = CodePoints.of('\n', '\n', '\r', '\r', 0x2028, 0x2029);
        private static final int MOST_REPEATS = 10_000;
        private static final int DEEPEST = 64;

        private final String pattern;
        private final int[] text;
        private int at;
        private int depth;
        private boolean alternativesOutside;

        Parser(String pattern) {
            this.pattern = pattern;
            this.text = pattern.codePoints().toArray();
        }

        private InvalidRequestException wrong(String what) {
            return new InvalidRequestException("the pattern '%s' %s at character %d", pattern, what, at + 1);
        }

        Regex parse() {
            boolean fromStart = text.length > 0 && text[0] == '^';
            boolean toEnd =
                    text.length > (fromStart ? 1 : 0) && text[text.length - 1] == '$' && !isEscaped(text.length - 1);
            at = fromStart ? 1 : 0;
            Regex inside = alternatives(toEnd ? text.length - 1 : text.length);
            if (at < (toEnd ? text.length - 1 : text.length)) {
                throw wrong("has a bracket too many");
            }
            if (alternativesOutside && (fromStart || toEnd)) {
                throw wrong("has anchors beside alternatives, of which each belongs to one only; use brackets");
            }
            Regex anything = new Quantified(new One(CodePoints.ALL), 0, Node.Repeat.UNBOUNDED);
            List<Regex> parts = new ArrayList<>();
            if (!fromStart) {
                parts.add(anything);
            }
            parts.add(inside);
            if (!toEnd) {
                parts.add(anything);
            }
            requireModest(inside, 1);
            return new Concatenation(parts);
        }

        private boolean isEscaped(int index) {
            int slashes = 0;
            while (index - slashes > 0 && text[index - slashes - 1] == '\\') {
                slashes++;
            }
            return slashes % 2 == 1;
        }

        /** Bounded repetitions within each other multiply what has to be followed. */
        private void requireModest(Regex regex, long times) {
            switch (regex) {
                case One one -> {}
                case Concatenation all -> all.parts().forEach(part -> requireModest(part, times));
                case Alternatives all -> all.options().forEach(option -> requireModest(option, times));
                case Quantified q -> {
                    int most = q.most() == Node.Repeat.UNBOUNDED ? Math.max(1, q.least()) : q.most();
                    if (times * Math.max(1, most) > MOST_REPEATS) {
                        throw new InvalidRequestException("the pattern '%s' repeats too much", pattern);
                    }
                    requireModest(q.of(), times * Math.max(1, most));
                }
            }
        }

        private Regex alternatives(int end) {
            if (++depth > DEEPEST) {
                throw wrong("has too many brackets within each other");
            }
            List<Regex> options = new ArrayList<>();
            options.add(concatenation(end));
            while (at < end && text[at] == '|') {
                at++;
                options.add(concatenation(end));
                alternativesOutside |= depth == 1;
            }
            depth--;
            return options.size() == 1 ? options.getFirst() : new Alternatives(options);
        }

        private Regex concatenation(int end) {
            List<Regex> parts = new ArrayList<>();
            while (at < end && text[at] != '|' && text[at] != ')') {
                parts.add(quantified(atom(end), end));
            }
            return parts.size() == 1 ? parts.getFirst() : new Concatenation(parts);
        }

        private Regex atom(int end) {
            int c = text[at++];
            return switch (c) {
                case '(' -> group(end);
                case '[' -> new One(characterClass(end));
                case '.' -> new One(LINE_ENDS.inverse());
                case '\\' -> new One(escape(end));
                case '*', '+', '?', '{' -> {
                    at--;
                    throw wrong("has a quantifier of nothing");
                }
                case '^', '$' -> {
                    at--;
                    throw wrong("has an anchor that is not at its end");
                }
                case ']', '}' -> new One(CodePoints.of(c, c));
                default -> new One(CodePoints.of(c, c));
            };
        }

        private Regex group(int end) {
            if (at < end && text[at] == '?') {
                if (at + 1 < end && text[at + 1] == ':') {
                    at += 2;
                } else {
                    throw wrong("has a group of a kind that is not supported");
                }
            }
            Regex inside = alternatives(end);
            if (at >= end || text[at] != ')') {
                throw wrong("lacks a closing bracket");
            }
            at++;
            return inside;
        }

        private Regex quantified(Regex of, int end) {
            if (at >= end) {
                return of;
            }
            Regex quantified = switch (text[at]) {
                case '*' -> quantity(of, 0, Node.Repeat.UNBOUNDED);
                case '+' -> quantity(of, 1, Node.Repeat.UNBOUNDED);
                case '?' -> quantity(of, 0, 1);
                case '{' -> counted(of, end);
                default -> of;
            };
            if (quantified != of && at < end && text[at] == '?') {
                at++; // lazy or not, the same texts match
            }
            if (quantified != of && at < end && "*+{".indexOf(text[at]) >= 0) {
                throw wrong("has a quantifier of a quantifier");
            }
            return quantified;
        }

        private Regex quantity(Regex of, int least, int most) {
            at++;
            return new Quantified(of, least, most);
        }

        private Regex counted(Regex of, int end) {
            at++;
            int least = number(end);
            int most = least;
            if (at < end && text[at] == ',') {
                at++;
                most = at < end && text[at] == '}' ? Node.Repeat.UNBOUNDED : number(end);
            }
            if (at >= end || text[at] != '}' || most < least) {
                throw wrong("has a wrong count");
            }
            at++;
            return new Quantified(of, least, most);
        }

        private int number(int end) {
            int value = 0;
            int digits = 0;
            for (; at < end && text[at] >= '0' && text[at] <= '9'; at++) {
                value = Math.min(value * 10 + text[at] - '0', MOST_REPEATS + 1);
                digits++;
            }
            if (digits == 0) {
                throw wrong("has a wrong count");
            }
            return value;
        }

        private CodePoints characterClass(int end) {
            boolean inverse = at < end && text[at] == '^';
            at += inverse ? 1 : 0;
            CodePoints all = CodePoints.of();
            while (at < end && text[at] != ']') {
                CodePoints one = classMember(end);
                boolean range = at + 1 < end && text[at] == '-' && text[at + 1] != ']';
                if (range) {
                    at++;
                    CodePoints other = classMember(end);
                    if (!isSingle(one) || !isSingle(other) || first(one) > first(other)) {
                        throw wrong("has a wrong range");
                    }
                    one = CodePoints.of(first(one), first(other));
                }
                all = all.plus(one);
            }
            if (at >= end) {
                throw wrong("lacks a closing bracket");
            }
            at++;
            return inverse ? all.inverse() : all;
        }

        private static boolean isSingle(CodePoints set) {
            return set.ranges().size() == 1
                    && set.ranges().getFirst().first()
                            == set.ranges().getFirst().last();
        }

        private static int first(CodePoints set) {
            return set.ranges().getFirst().first();
        }

        private CodePoints classMember(int end) {
            int c = text[at++];
            return c == '\\' ? escape(end) : CodePoints.of(c, c);
        }

        private CodePoints escape(int end) {
            if (at >= end) {
                throw wrong("ends with a backslash");
            }
            int c = text[at++];
            return switch (c) {
                case 'd' -> DIGITS;
                case 'D' -> DIGITS.inverse();
                case 'w' -> WORD;
                case 'W' -> WORD.inverse();
                case 's' -> SPACE;
                case 'S' -> SPACE.inverse();
                case 'n' -> CodePoints.of('\n', '\n');
                case 'r' -> CodePoints.of('\r', '\r');
                case 't' -> CodePoints.of('\t', '\t');
                case 'f' -> CodePoints.of('\f', '\f');
                case 'v' -> CodePoints.of(11, 11);
                case 'x' -> hex(2, end);
                case 'u' -> hex(4, end);
                default -> {
                    if (c < 128 && Character.isLetterOrDigit(c)) {
                        at--;
                        throw wrong("has an escape that is not supported");
                    }
                    yield CodePoints.of(c, c);
                }
            };
        }

        private CodePoints hex(int digits, int end) {
            if (at + digits > end) {
                throw wrong("has a wrong escape");
            }
            int value = 0;
            for (int i = 0; i < digits; i++) {
                int digit = Character.digit(text[at + i], 16);
                if (digit < 0) {
                    throw wrong("has a wrong escape");
                }
                value = value * 16 + digit;
            }
            at += digits;
            return CodePoints.of(value, value);
        }
    }
}
