// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A set of characters (Unicode scalar values), as ranges in rising order that do not touch. */
record CodePoints(List<Range> ranges) {
    private static final int FIRST_SURROGATE = 0xd800;
    private static final int LAST_SURROGATE = 0xdfff;

    /** @param last included */
    record Range(int first, int last) {}

    static final CodePoints ALL = of(0, Character.MAX_CODE_POINT);

    static CodePoints of(int... firstsAndLasts) {
        List<Range> ranges = new ArrayList<>();
        for (int i = 0; i < firstsAndLasts.length; i += 2) {
            ranges.add(new Range(firstsAndLasts[i], firstsAndLasts[i + 1]));
        }
        return merged(ranges);
    }

    private static CodePoints merged(List<Range> ranges) {
        List<Range> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingInt(Range::first));
        List<Range> merged = new ArrayList<>();
        for (Range range : sorted) {
            if (!merged.isEmpty() && range.first() <= merged.getLast().last() + 1) {
                Range before = merged.removeLast();
                merged.add(new Range(before.first(), Math.max(before.last(), range.last())));
            } else {
                merged.add(range);
            }
        }
        return new CodePoints(List.copyOf(merged));
    }

    CodePoints plus(CodePoints other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        return merged(all);
    }

    CodePoints inverse() {
        List<Range> gaps = new ArrayList<>();
        int next = 0;
        for (Range range : ranges) {
            if (range.first() > next) {
                gaps.add(new Range(next, range.first() - 1));
            }
            next = range.last() + 1;
        }
        if (next <= Character.MAX_CODE_POINT) {
            gaps.add(new Range(next, Character.MAX_CODE_POINT));
        }
        return new CodePoints(List.copyOf(gaps));
    }

    CodePoints minus(CodePoints other) {
        return inverse().plus(other).inverse();
    }

    CodePoints and(CodePoints other) {
        return inverse().plus(other.inverse()).inverse();
    }

    boolean has(int codePoint) {
        return ranges.stream().anyMatch(r -> r.first() <= codePoint && codePoint <= r.last());
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    /** One of these characters in UTF-8 (RFC 3629), then {@code next}. */
    Node utf8(Node next) {
        List<Node> options = new ArrayList<>();
        for (Range range : minus(of(FIRST_SURROGATE, LAST_SURROGATE)).ranges()) {
            add(range.first(), range.last(), options, next);
        }
        return options.size() == 1 ? options.getFirst() : new Node.Choice(options);
    }

    /** Cuts a range until first and last differ in bytes that take all values in between. */
    private static void add(int first, int last, List<Node> options, Node next) {
        for (int limit : new int[] {0x7f, 0x7ff, 0xffff}) {
            if (first <= limit && last > limit) {
                add(first, limit, options, next);
                add(limit + 1, last, options, next);
                return;
            }
        }
        for (int shift = 6; shift <= 18; shift += 6) {
            int low = (1 << shift) - 1;
            if (first > 0x7f && (first & ~low) != (last & ~low)) {
                if ((first & low) != 0) {
                    add(first, first | low, options, next);
                    add((first | low) + 1, last, options, next);
                    return;
                }
                if ((last & low) != low) {
                    add(first, (last & ~low) - 1, options, next);
                    add(last & ~low, last, options, next);
                    return;
                }
            }
        }
        byte[] low = bytes(first);
        byte[] high = bytes(last);
        Node node = next;
        for (int i = low.length - 1; i >= 0; i--) {
            node = new Node.Bytes(node, low[i] & 0xff, high[i] & 0xff);
        }
        options.add(node);
    }

    private static byte[] bytes(int codePoint) {
        return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
    }
}
