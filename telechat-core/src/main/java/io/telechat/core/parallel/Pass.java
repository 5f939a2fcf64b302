// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.comm.Communicator;
import io.telechat.core.ops.FrequencyScaling;
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

    /** A pool of blocks. */
    record Pool(long number, DType dtype) {}

    /**
     * Where keys and values of a sequence are.
     *
     * @param length positions that are stored
     */
    record Blocks(Pool pool, int[] numbers, int length) {}

    /** New tokens of one sequence, whose blocks have room for them. */
    record Span(Blocks blocks, int count, RopeScaling scaling, int adapter) {}

    /**
     * All layers.
     *
     * @param closed numbers of pools that are not needed any more
     */
    record Forward(int[] tokens, List<Span> spans, List<Long> closed) implements Pass {}

    /** The head, for these rows of the latest pass. */
    record Logits(int[] rows) implements Pass {}

    /** Stored keys are turned. */
    record Turn(Blocks blocks, RopeScaling from, RopeScaling to) implements Pass {}

    /** A block is copied. */
    record Copy(Pool pool, int from, int to) implements Pass {}

    /** Nothing any more. */
    record End() implements Pass {}

    /** Sends passes, or receives them. Not thread-safe. */
    final class Channel implements AutoCloseable {
        private static final int FORWARD = 0;
        private static final int LOGITS = 1;
        private static final int TURN = 2;
        private static final int COPY = 3;
        private static final int END = 4;

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
            Words words = new Words(new ArrayList<>());
            switch (pass) {
                case Forward forward -> {
                    words.add(FORWARD)
                            .addAll(forward.tokens())
                            .add(forward.spans().size());
                    for (Span span : forward.spans()) {
                        words.add(span.blocks())
                                .add(span.count())
                                .add(span.scaling())
                                .add(span.adapter());
                    }
                    words.add(forward.closed().size());
                    forward.closed().forEach(words::add);
                }
                case Logits logits -> words.add(LOGITS).addAll(logits.rows());
                case Turn turn ->
                    words.add(TURN).add(turn.blocks()).add(turn.from()).add(turn.to());
                case Copy copy ->
                    words.add(COPY).add(copy.pool()).add(copy.from()).add(copy.to());
                case End end -> words.add(END);
            }
            return words.words;
        }

        private static Pass pass(Words words) {
            return switch (words.nextInt()) {
                case FORWARD -> {
                    int[] tokens = words.nextInts();
                    List<Span> spans = new ArrayList<>();
                    for (int left = words.nextInt(); left > 0; left--) {
                        spans.add(new Span(words.nextBlocks(), words.nextInt(), words.nextScaling(), words.nextInt()));
                    }
                    List<Long> closed = new ArrayList<>();
                    for (int left = words.nextInt(); left > 0; left--) {
                        closed.add(words.next());
                    }
                    yield new Forward(tokens, spans, closed);
                }
                case LOGITS -> new Logits(words.nextInts());
                case TURN -> new Turn(words.nextBlocks(), words.nextScaling(), words.nextScaling());
                case COPY -> new Copy(words.nextPool(), words.nextInt(), words.nextInt());
                default -> new End();
            };
        }

        /** A message, written to its end or read from its beginning. */
        private static final class Words {
            private final List<Long> words;
            private int at;

            Words(List<Long> words) {
                this.words = words;
            }

            Words add(long word) {
                words.add(word);
                return this;
            }

            Words addAll(int... ints) {
                words.add((long) ints.length);
                for (int word : ints) {
                    words.add((long) word);
                }
                return this;
            }

            Words add(Pool pool) {
                return add(pool.number()).add(pool.dtype().ordinal());
            }

            Words add(Blocks blocks) {
                return add(blocks.pool()).addAll(blocks.numbers()).add(blocks.length());
            }

            Words add(RopeScaling scaling) {
                FrequencyScaling frequencies = scaling.frequencies();
                return add(scaling.theta())
                        .add(frequencies.kind().ordinal())
                        .add(frequencies.factor())
                        .add(frequencies.original())
                        .add(frequencies.slow())
                        .add(frequencies.fast())
                        .add(scaling.magnitude())
                        .add(scaling.halfPrecision() ? 1 : 0)
                        .add(scaling.sharpenedFrom());
            }

            Words add(double number) {
                return add(Double.doubleToRawLongBits(number));
            }

            long next() {
                return words.get(at++);
            }

            int nextInt() {
                return Math.toIntExact(next());
            }

            int[] nextInts() {
                int[] ints = new int[nextInt()];
                for (int i = 0; i < ints.length; i++) {
                    ints[i] = nextInt();
                }
                return ints;
            }

            Pool nextPool() {
                return new Pool(next(), DType.values()[nextInt()]);
            }

            Blocks nextBlocks() {
                return new Blocks(nextPool(), nextInts(), nextInt());
            }

            RopeScaling nextScaling() {
                double theta = nextDouble();
                FrequencyScaling frequencies = new FrequencyScaling(
                        FrequencyScaling.Kind.values()[nextInt()],
                        nextDouble(),
                        nextDouble(),
                        nextDouble(),
                        nextDouble());
                return new RopeScaling(theta, frequencies, nextDouble(), next() == 1, nextInt());
            }

            double nextDouble() {
                return Double.longBitsToDouble(next());
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
