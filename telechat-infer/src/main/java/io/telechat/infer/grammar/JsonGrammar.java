// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The pieces of JSON (RFC 8259) as a grammar. Between tokens there may be one blank: a weak model would write them for ever.
 * What can be followed by anything is a function from the node behind it. Characters stand for themselves wherever JSON allows it,
 * and numbers have no more digits than a double can tell apart.
 */
final class JsonGrammar {
    private static final CodePoints CONTROL = CodePoints.of(0, 0x1f);
    private static final CodePoints NEEDS_ESCAPE = CONTROL.plus(CodePoints.of('"', '"', '\\', '\\'));
    private static final String SHORT_ESCAPES = "\"\\\b\f\n\r\t";
    private static final String SHORT_NAMES = "\"\\bfnrt";
    private static final int DIGITS = 15;

    private final Node.Rule anyValue = new Node.Rule();

    JsonGrammar() {
        Node end = Node.Return.HERE;
        anyValue.begin(new Node.Choice(
                anyObject(end),
                array(end, item -> value(item), 0, Node.Repeat.UNBOUNDED),
                string(end),
                number(end),
                Node.literal("true", end),
                Node.literal("false", end),
                Node.literal("null", end)));
    }

    static Node blank(Node next) {
        return Node.optional(Node.literal(" ", next), next);
    }

    /** Any JSON value. */
    Node value(Node next) {
        return new Node.Call(anyValue, next);
    }

    /** Any JSON object. */
    Node anyObject(Node next) {
        return map(next, this::value, 0, Node.Repeat.UNBOUNDED);
    }

    /** An object of any keys, whose values are alike. */
    Node map(Node next, UnaryOperator<Node> value, int least, int most) {
        UnaryOperator<Node> member = behind -> string(blank(Node.literal(":", blank(value.apply(behind)))));
        return listed("{", "}", next, member, least, most);
    }

    Node array(Node next, UnaryOperator<Node> item, int least, int most) {
        return listed("[", "]", next, item, least, most);
    }

    private static Node listed(String open, String close, Node next, UnaryOperator<Node> item, int least, int most) {
        Node end = blank(Node.literal(close, next));
        if (most == 0) {
            return Node.literal(open, end);
        }
        Node.Rule one = new Node.Rule(); // so that lists in lists are not written down over and over
        one.begin(item.apply(Node.Return.HERE));
        Node another = blank(Node.literal(",", blank(new Node.Call(one, Node.Return.HERE))));
        int others = most == Node.Repeat.UNBOUNDED ? most : most - 1;
        Node items = blank(new Node.Call(one, new Node.Repeat(another, Math.max(0, least - 1), others, end)));
        return Node.literal(open, least == 0 ? Node.optional(items, end) : items);
    }

    /** Any string. */
    static Node string(Node next) {
        return string(next, 0, Node.Repeat.UNBOUNDED);
    }

    /** A string of so many characters. */
    static Node string(Node next, int least, int most) {
        Node character = character(CodePoints.ALL, Node.Return.HERE);
        return Node.literal("\"", new Node.Repeat(character, least, most, Node.literal("\"", next)));
    }

    /** A string that a pattern matches. */
    static Node string(Node next, Regex pattern) {
        return Node.literal("\"", inString(pattern, Node.literal("\"", next)));
    }

    private static Node inString(Regex regex, Node next) {
        return switch (regex) {
            case Regex.One one -> character(one.of(), next);
            case Regex.Concatenation all -> {
                Node node = next;
                for (Regex part : all.parts().reversed()) {
                    node = inString(part, node);
                }
                yield node;
            }
            case Regex.Alternatives all ->
                new Node.Choice(all.options().stream()
                        .map(option -> inString(option, next))
                        .toList());
            case Regex.Quantified q -> new Node.Repeat(inString(q.of(), Node.Return.HERE), q.least(), q.most(), next);
        };
    }

    /** One character of a set, escaped where it has to be. */
    private static Node character(CodePoints of, Node next) {
        List<Node> options = new ArrayList<>();
        CodePoints plain = of.minus(NEEDS_ESCAPE);
        if (!plain.isEmpty()) {
            options.add(plain.utf8(next));
        }
        for (int i = 0; i < SHORT_ESCAPES.length(); i++) {
            if (of.has(SHORT_ESCAPES.charAt(i))) {
                options.add(Node.literal("\\" + SHORT_NAMES.charAt(i), next));
            }
        }
        for (CodePoints.Range range : of.and(CONTROL).ranges()) {
            for (int c = range.first(); c <= range.last(); c++) {
                if (SHORT_ESCAPES.indexOf(c) < 0) {
                    options.add(Node.literal("\\u%04x".formatted(c), next));
                }
            }
        }
        return new Node.Choice(options);
    }

    private static Node digits(int least, int most, Node next) {
        return new Node.Repeat(new Node.Bytes(Node.Return.HERE, '0', '9'), least, most, next);
    }

    private static Node sign(Node next) {
        return Node.optional(Node.literal("-", next), next);
    }

    private static Node natural(Node next) {
        return new Node.Choice(Node.literal("0", next), new Node.Bytes(digits(0, DIGITS - 1, next), '1', '9'));
    }

    /** Any number. */
    static Node number(Node next) {
        Node exponent = new Node.Bytes(
                new Node.Choice(new Node.Bytes(digits(1, 2, next), '+', '+', '-', '-'), digits(1, 2, next)),
                'E',
                'E',
                'e',
                'e');
        Node behindPoint = Node.optional(exponent, next);
        Node point = Node.literal(".", digits(1, DIGITS, behindPoint));
        return sign(natural(new Node.Choice(point, behindPoint)));
    }

    /** Any integer. */
    static Node integer(Node next) {
        return sign(natural(next));
    }

    /**
     * An integer between two bounds.
     *
     * @param least null for none
     * @param most null for none
     */
    static Node integer(BigInteger least, BigInteger most, Node next) {
        BigInteger limit = BigInteger.TEN.pow(DIGITS).subtract(BigInteger.ONE);
        BigInteger low = least == null ? limit.negate().min(most) : least;
        BigInteger high = most == null ? limit.max(least) : most;
        List<Node> options = new ArrayList<>();
        if (low.signum() < 0) {
            BigInteger highest = high.signum() < 0 ? high.negate() : BigInteger.ONE;
            Node magnitude = naturals(highest, low.negate(), next);
            options.add(Node.literal("-", magnitude));
        }
        if (high.signum() >= 0) {
            options.add(naturals(low.max(BigInteger.ZERO), high, next));
        }
        return new Node.Choice(options);
    }

    /** A natural number from {@code low} to {@code high}, by the numbers of their digits. */
    private static Node naturals(BigInteger low, BigInteger high, Node next) {
        List<Node> options = new ArrayList<>();
        for (int length = low.toString().length(); length <= high.toString().length(); length++) {
            BigInteger first = length == 1 ? BigInteger.ZERO : BigInteger.TEN.pow(length - 1);
            BigInteger last = BigInteger.TEN.pow(length).subtract(BigInteger.ONE);
            options.add(sameLength(low.max(first).toString(), high.min(last).toString(), 0, true, true, next));
        }
        return new Node.Choice(options);
    }

    /** Numbers of as many digits as both bounds, from digit {@code at} on, whose digits so far are those of a bound, or between them. */
    private static Node sameLength(String low, String high, int at, boolean onLow, boolean onHigh, Node next) {
        if (at == low.length()) {
            return next;
        }
        if (!onLow && !onHigh) {
            return digits(low.length() - at, low.length() - at, next);
        }
        int from = onLow ? low.charAt(at) : '0';
        int to = onHigh ? high.charAt(at) : '9';
        if (from == to) {
            return new Node.Bytes(sameLength(low, high, at + 1, onLow, onHigh, next), from, to);
        }
        List<Node> options = new ArrayList<>();
        int inner = from;
        int innerEnd = to;
        if (onLow) {
            options.add(new Node.Bytes(sameLength(low, high, at + 1, true, false, next), from, from));
            inner++;
        }
        if (onHigh) {
            options.add(new Node.Bytes(sameLength(low, high, at + 1, false, true, next), to, to));
            innerEnd--;
        }
        if (inner <= innerEnd) {
            options.add(new Node.Bytes(sameLength(low, high, at + 1, false, false, next), inner, innerEnd));
        }
        return new Node.Choice(options);
    }

    /** Exactly this value. */
    static Node constant(JsonNode value, Node next) {
        return Node.literal(value.toString().getBytes(StandardCharsets.UTF_8), next);
    }
}
