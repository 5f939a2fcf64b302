// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;
import io.telechat.core.chat.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens as Jinja does with {@code trim_blocks} and {@code lstrip_blocks}, which chat templates are written for:
 * blanks between the beginning of a line and a tag, and the newline behind a tag, are no text.
 */
final class Lexer {
    private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*");
    private static final Pattern NUMBER = Pattern.compile("\\d(?:_?\\d)*");
    private static final Pattern FRACTION = Pattern.compile("(?:\\.\\d(?:_?\\d)*)?(?:[eE][+-]?\\d(?:_?\\d)*)?");
    private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%\\}");
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private int counted;

    private Lexer(String source) {
        this.source = source;
    }

    /** @throws TemplateFault if a tag, comment or string is not closed, or a character has no meaning */
    static List<Token> tokens(String template) {
        String lines = template.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
        lexer.readAll();
        return lexer.tokens;
    }

    private void readAll() {
        while (at < source.length()) {
            int open = nextOpen();
            if (open < 0) {
                add(Kind.TEXT, source.substring(at));
                at = source.length();
                break;
            }
            char kind = source.charAt(open + 1);
            addText(open, kind != '{');
            Matcher raw = RAW.matcher(source).region(open, source.length());
            if (kind == '#') {
                skipComment(open);
            } else if (kind == '%' && raw.lookingAt()) {
                readRaw(open, raw);
            } else {
                readTag(open, kind == '%');
            }
        }
        add(Kind.END, "");
    }

    private int nextOpen() {
        for (int open = source.indexOf('{', at); open >= 0; open = source.indexOf('{', open + 1)) {
            if (open + 1 < source.length() && "{%#".indexOf(source.charAt(open + 1)) >= 0) {
                return open;
            }
        }
        return -1;
    }

    private char charAt(int index) {
        return index < source.length() ? source.charAt(index) : '\0';
    }

    /** The text in front of a tag, without the blanks that the tag takes with it. */
    private void addText(int open, boolean takesIndent) {
        String text = source.substring(at, open);
        char sign = charAt(open + 2);
        if (sign == '-') {
            text = PythonText.stripTrailing(text, PythonText::isSpace);
        } else if (sign != '+' && takesIndent) {
            int lineStart = text.lastIndexOf('\n') + 1;
            boolean startsLine = lineStart > 0 || at == 0 || source.charAt(at - 1) == '\n';
            if (startsLine && PythonText.strip(text.substring(lineStart)).isEmpty()) {
                text = text.substring(0, lineStart);
            }
        }
        add(Kind.TEXT, text);
        at = open;
    }

    private void add(Kind kind, String text) {
        if (kind != Kind.TEXT || !text.isEmpty()) {
            tokens.add(new Token(kind, text, lineAt(at)));
        }
    }

    private int lineAt(int position) {
        for (; counted < position && counted < source.length(); counted++) {
            line += source.charAt(counted) == '\n' ? 1 : 0;
        }
        return line;
    }

    private TemplateFault notClosed(int open, String what) {
        return new TemplateFault(lineAt(open), Message.of("'%s' is not closed", what));
    }

    private void skipComment(int open) {
        int end = source.indexOf("#}", open + 2);
        if (end < 0) {
            throw notClosed(open, "{#");
        }
        skipBehind(end + 2, source.charAt(end - 1), true);
    }

    /** Goes on behind a tag; what is dropped there depends on the sign in front of its end. */
    private void skipBehind(int end, char sign, boolean trims) {
        at = end;
        if (sign == '-') {
            while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
                at++;
            }
        } else if (trims && sign != '+' && charAt(at) == '\n') {
            at++;
        }
    }

    private void readRaw(int open, Matcher raw) {
        Matcher end = END_RAW.matcher(source).region(raw.end(), source.length());
        if (!end.find()) {
            throw notClosed(open, "{% raw %}");
        }
        skipBehind(raw.end(), raw.group(1).isEmpty() ? ' ' : '-', false);
        int from = Math.min(at, end.start());
        at = from;
        if (end.group(1).isEmpty()) {
            addText(end.start(), true);
        } else {
            String text = source.substring(from, end.start());
            add(Kind.TEXT, end.group(1).equals("-") ? PythonText.stripTrailing(text, PythonText::isSpace) : text);
        }
        skipBehind(end.end(), end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0), true);
    }

    private void readTag(int open, boolean isTag) {
        add(isTag ? Kind.TAG_BEGIN : Kind.PRINT_BEGIN, isTag ? "{%" : "{{");
        String close = isTag ? "%}" : "}}";
        at = open + 2;
        if (charAt(at) == '-' || charAt(at) == '+') {
            at++;
        }
        Deque<Character> brackets = new ArrayDeque<>();
        while (true) {
            while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
                at++;
            }
            if (at >= source.length()) {
                throw notClosed(open, isTag ? "{%" : "{{");
            }
            boolean signed = (charAt(at) == '-' || charAt(at) == '+' && isTag) && source.startsWith(close, at + 1);
            if (brackets.isEmpty() && (signed || source.startsWith(close, at))) {
                add(isTag ? Kind.TAG_END : Kind.PRINT_END, close);
                skipBehind(at + (signed ? 3 : 2), signed ? charAt(at) : ' ', isTag);
                return;
            }
            readToken(brackets);
        }
    }

    private void readToken(Deque<Character> brackets) {
        char c = source.charAt(at);
        Matcher name = NAME.matcher(source).region(at, source.length());
        if (name.lookingAt()) {
            add(Kind.NAME, name.group());
            at = name.end();
        } else if (c >= '0' && c <= '9') {
            readNumber();
        } else if (c == '"' || c == '\'') {
            readString(c);
        } else {
            String operator = OPERATORS.stream()
                    .filter(o -> source.startsWith(o, at))
                    .findFirst()
                    .orElseThrow(() -> new TemplateFault(
                            lineAt(at), Message.of("unexpected '%s'", Character.toString(source.codePointAt(at)))));
            if ("([{".contains(operator)) {
                brackets.push(operator.charAt(0));
            } else if (")]}".contains(operator)) {
                char wanted = operator.equals(")") ? '(' : operator.equals("]") ? '[' : '{';
                if (brackets.isEmpty() || brackets.pop() != wanted) {
                    throw new TemplateFault(lineAt(at), Message.of("unexpected '%s'", operator));
                }
            }
            add(Kind.OPERATOR, operator);
            at += operator.length();
        }
    }

    private void readNumber() {
        Matcher number = NUMBER.matcher(source).region(at, source.length());
        number.lookingAt();
        int end = number.end();
        boolean isPart = at > 0 && source.charAt(at - 1) == '.'; // a.0.1 has two indices
        Matcher fraction = FRACTION.matcher(source).region(end, source.length());
        if (!isPart && fraction.lookingAt() && !fraction.group().isEmpty()) {
            add(Kind.FLOAT, number.group().replace("_", "") + fraction.group().replace("_", ""));
            end = fraction.end();
        } else {
            add(Kind.INTEGER, number.group().replace("_", ""));
        }
        at = end;
    }

    private void readString(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw notClosed(at, Character.toString(quote));
        }
        add(Kind.STRING, PythonText.unescape(source.substring(at + 1, end)));
        at = end + 1;
    }
}
