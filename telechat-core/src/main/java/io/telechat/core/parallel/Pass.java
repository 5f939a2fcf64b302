// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.comm.Communicator;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** What the leading part tells the others to compute. */
sealed interface Pass {
    /** Longs of a message that most fit into, and go at once. */
    int SHORT = 1024;

    /**
     * New tokens of one sequence.
     *
     * @param cache number of the sequence's cache
     * @param length positions that are stored in it
     */
    record Span(long cache, DType dtype, int length, int count, RopeScaling scaling) {}

    /**
     * All layers.
     *
     * @param closed numbers of caches that are not needed any more
     */
    record Forward(int[] tokens, List<Span> spans, List<Long> closed) implements Pass {}

    /** The head, for rows {@code from} (inclusive) to {@code to} (exclusive) of the latest pass. */
    record Logits(int from, int to) implements Pass {}

    /** Nothing any more. */
    record End() implements Pass {}

    /** Sends passes, or receives them. Not thread-safe. */
    final class Channel implements AutoCloseable {
        private static final int FORWARD = 0;
        private static final int LOGITS = 1;
        private static final int END = 2;

        private final Communicator ranks;
        private final HostArena arena = new HostArena();
        private final Tensor message = arena.allocate(DType.I64, SHORT);

        /** @param ranks of which the first sends */
        Channel(Communicator ranks) {
            this.ranks = ranks;
        }

        void send(Pass pass) {
            List<Long> words = words(pass);
            words.addFirst((long) words.size());
            set(message, words.subList(0, Math.min(SHORT, words.size())));
            ranks.broadcastNow(message, 0);
            if (words.size() > SHORT) {
                try (HostArena temporary = new HostArena()) {
                    Tensor rest = temporary.allocate(DType.I64, words.size() - SHORT);
                    set(rest, words.subList(SHORT, words.size()));
                    ranks.broadcastNow(rest, 0);
                }
            }
        }

        Pass receive() {
            ranks.broadcastNow(message, 0);
            List<Long> words = new ArrayList<>(get(message));
            int size = Math.toIntExact(words.removeFirst());
            if (size + 1 > SHORT) {
                try (HostArena temporary = new HostArena()) {
                    Tensor rest = temporary.allocate(DType.I64, size + 1 - SHORT);
                    ranks.broadcastNow(rest, 0);
                    words.addAll(get(rest));
                }
            }
            return pass(new Words(words));
        }

        private static void set(Tensor tensor, List<Long> words) {
            for (int i = 0; i < words.size(); i++) {
                tensor.segment().setAtIndex(ValueLayout.JAVA_LONG, i, words.get(i));
            }
        }

        private static List<Long> get(Tensor tensor) {
            List<Long> words = new ArrayList<>();
            for (long word : tensor.segment().toArray(ValueLayout.JAVA_LONG)) {
                words.add(word);
            }
            return words;
        }

        private static List<Long> words(Pass pass) {
            List<Long> words = new ArrayList<>();
            switch (pass) {
                case Forward forward -> {
                    words.add((long) FORWARD);
                    words.add((long) forward.tokens().length);
                    for (int token : forward.tokens()) {
                        words.add((long) token);
                    }
                    words.add((long) forward.spans().size());
                    for (Span span : forward.spans()) {
                        words.add(span.cache());
                        words.add((long) span.dtype().ordinal());
                        words.add((long) span.length());
                        words.add((long) span.count());
                        words.add(Double.doubleToRawLongBits(span.scaling().theta()));
                        words.add(Double.doubleToRawLongBits(span.scaling().magnitude()));
                        words.add(span.scaling().halfPrecision() ? 1L : 0L);
                    }
                    words.add((long) forward.closed().size());
                    words.addAll(forward.closed());
                }
                case Logits logits -> words.addAll(List.of((long) LOGITS, (long) logits.from(), (long) logits.to()));
                case End end -> words.add((long) END);
            }
            return words;
        }

        private static Pass pass(Words words) {
            return switch (words.nextInt()) {
                case FORWARD -> {
                    int[] tokens = new int[words.nextInt()];
                    for (int i = 0; i < tokens.length; i++) {
                        tokens[i] = words.nextInt();
                    }
                    List<Span> spans = new ArrayList<>();
                    for (int left = words.nextInt(); left > 0; left--) {
                        spans.add(new Span(
                                words.next(),
                                DType.values()[words.nextInt()],
                                words.nextInt(),
                                words.nextInt(),
                                new RopeScaling(
                                        Double.longBitsToDouble(words.next()),
                                        Double.longBitsToDouble(words.next()),
                                        words.next() == 1)));
                    }
                    List<Long> closed = new ArrayList<>();
                    for (int left = words.nextInt(); left > 0; left--) {
                        closed.add(words.next());
                    }
                    yield new Forward(tokens, spans, closed);
                }
                case LOGITS -> new Logits(words.nextInt(), words.nextInt());
                default -> new End();
            };
        }

        /** Reads a message from its beginning to its end. */
        private static final class Words {
            private final List<Long> words;
            private int at;

            Words(List<Long> words) {
                this.words = words;
            }

            long next() {
                return words.get(at++);
            }

            int nextInt() {
                return Math.toIntExact(next());
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
