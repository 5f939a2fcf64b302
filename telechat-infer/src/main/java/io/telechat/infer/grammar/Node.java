// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What may come next, at a place of a grammar; each node leads to what follows it. Compared by identity. */
sealed interface Node {
    /** One byte of a set, then {@code next}. */
    final class Bytes implements Node {
        private final long[] set;
        private final Node next;

        /** @param ranges first and last byte of each */
        Bytes(Node next, int... ranges) {
            this.next = next;
            this.set = new long[4];
            for (int i = 0; i < ranges.length; i += 2) {
                for (int b = ranges[i]; b <= ranges[i + 1]; b++) {
                    set[b >> 6] |= 1L << (b & 63);
                }
            }
        }

        boolean has(int b) {
            return (set[b >> 6] >> (b & 63) & 1) != 0;
        }

        Node next() {
            return next;
        }
    }

    /** One of several. */
    final class Choice implements Node {
        private final List<Node> options;

        Choice(List<Node> options) {
            this.options = List.copyOf(options);
        }

        Choice(Node... options) {
            this(Arrays.asList(options));
        }

        List<Node> options() {
            return options;
        }
    }

    /** A rule that is written down once and used in several places, also within itself; then {@code next}. */
    final class Call implements Node {
        private final Rule rule;
        private final Node next;

        Call(Rule rule, Node next) {
            this.rule = rule;
            this.next = next;
        }

        Node start() {
            return rule.start;
        }

        Node next() {
            return next;
        }
    }

    /** What a call calls; it ends with {@link Return}. */
    final class Rule {
        private Node start;

        void begin(Node node) {
            start = node;
        }
    }

    /** From {@code least} to {@code most} times what {@code body} begins, which ends with {@link Return}; then {@code next}. */
    final class Repeat implements Node {
        /** No upper bound. */
        static final int UNBOUNDED = Integer.MAX_VALUE;

        private final Node body;
        private final int least;
        private final int most;
        private final Node next;

        Repeat(Node body, int least, int most, Node next) {
            this.body = body;
            this.least = least;
            this.most = most;
            this.next = next;
        }

        Node body() {
            return body;
        }

        int least() {
            return least;
        }

        int most() {
            return most;
        }

        Node next() {
            return next;
        }
    }

    /** The end of a rule, of a repeated body, or of everything. */
    final class Return implements Node {
        static final Return HERE = new Return();

        private Return() {}
    }

    /** The bytes of a text, then {@code next}. */
    static Node literal(byte[] bytes, Node next) {
        Node node = next;
        for (int i = bytes.length - 1; i >= 0; i--) {
            node = new Bytes(node, bytes[i] & 0xff, bytes[i] & 0xff);
        }
        return node;
    }

    /** Likewise, of ASCII. */
    static Node literal(String text, Node next) {
        return literal(text.getBytes(StandardCharsets.UTF_8), next);
    }

    /** {@code body} or nothing, then {@code next}. */
    static Node optional(Node body, Node next) {
        return new Choice(body, next);
    }
}
