// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import io.telechat.core.InvalidRequestException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A language of byte strings, as a pushdown automaton that follows all possibilities at once. States, and what leads from one to
 * another, are computed when they are met and kept, so that most bytes cost a look into a table. Thread-safe.
 */
public final class Grammar {
    /** Possibilities that are followed at once. */
    private static final int MOST_THREADS = 5_000;

    /** States that are kept; when there are more, all that has been found out is forgotten. */
    private static final int MOST_STATES = 5_000;

    private final Map<Set<Thread>, State> states = new HashMap<>();
    private final State start;
    private int generation;

    Grammar(Node start) {
        this.start = state(closure(List.of(new Thread(start, null))));
    }

    /** Where one possibility has come to: a node, and where to go on when its rule ends. */
    private record Thread(Node node, Stack stack) {}

    /**
     * Where to go on.
     *
     * @param to behind a call, or a repetition
     * @param count how often the repetition's body has come, this time included
     */
    private record Stack(Node to, int count, Stack rest, int hash) {
        static Stack push(Node to, int count, Stack rest) {
            int hash = (System.identityHashCode(to) * 31 + count) * 31 + (rest == null ? 0 : rest.hash);
            return new Stack(to, count, rest, hash);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            Stack a = this;
            Stack b = other instanceof Stack stack ? stack : null;
            while (a != b) {
                if (a == null || b == null || a.hash != b.hash || a.to != b.to || a.count != b.count) {
                    return false;
                }
                a = a.rest;
                b = b.rest;
            }
            return true;
        }
    }

    /** Where all possibilities have come to. */
    final class State {
        private final Set<Thread> threads;
        private final boolean accepting;
        private final State[] next = new State[256];
        private final boolean[] known = new boolean[256];
        private volatile long[] mask;
        private int knownIn;

        private State(Set<Thread> threads) {
            this.accepting = threads.stream().anyMatch(t -> t.node() instanceof Node.Return);
            threads.removeIf(t -> t.node() instanceof Node.Return);
            this.threads = threads;
        }

        /** Whether what has come so far is a whole text. */
        boolean isAccepting() {
            return accepting;
        }

        /** Whether nothing may follow. */
        boolean isEnd() {
            return threads.isEmpty();
        }

        /** Behind one more byte; null if it cannot come. */
        State next(int b) {
            synchronized (Grammar.this) {
                if (knownIn != generation) {
                    Arrays.fill(known, false);
                    Arrays.fill(next, null);
                    mask = null;
                    knownIn = generation;
                }
                if (!known[b]) {
                    List<Thread> moved = new ArrayList<>();
                    for (Thread thread : threads) {
                        Node.Bytes bytes = (Node.Bytes) thread.node();
                        if (bytes.has(b)) {
                            moved.add(new Thread(bytes.next(), thread.stack()));
                        }
                    }
                    Set<Thread> reached = closure(moved);
                    next[b] = reached.isEmpty() ? null : state(reached);
                    known[b] = true;
                }
                return next[b];
            }
        }

        /** A bit for each id whose bytes may come next. */
        long[] mask(TokenTrie tokens) {
            long[] made = mask;
            if (made == null) {
                made = tokens.mask(this);
                mask = made;
            }
            return made;
        }
    }

    State start() {
        return start;
    }

    private State state(Set<Thread> threads) {
        if (states.size() > MOST_STATES) {
            states.clear();
            generation++;
        }
        return states.computeIfAbsent(Set.copyOf(threads), key -> new State(new LinkedHashSet<>(threads)));
    }

    /** Follows all that takes no byte. */
    private static Set<Thread> closure(List<Thread> from) {
        Set<Thread> seen = new LinkedHashSet<>(from);
        Deque<Thread> open = new ArrayDeque<>(from);
        Set<Thread> stops = new LinkedHashSet<>();
        while (!open.isEmpty()) {
            Thread thread = open.pop();
            if (isStop(thread)) {
                stops.add(thread);
            } else {
                for (Thread next : step(thread)) {
                    if (seen.add(next)) {
                        open.push(next);
                    }
                }
            }
            if (seen.size() > MOST_THREADS) {
                throw new InvalidRequestException("the schema is too ambiguous: simplify its patterns");
            }
        }
        return stops;
    }

    private static boolean isStop(Thread thread) {
        return thread.node() instanceof Node.Bytes || thread.node() instanceof Node.Return && thread.stack() == null;
    }

    private static List<Thread> step(Thread thread) {
        Stack stack = thread.stack();
        return switch (thread.node()) {
            case Node.Bytes bytes -> List.of();
            case Node.Choice choice ->
                choice.options().stream().map(o -> new Thread(o, stack)).toList();
            case Node.Call call -> List.of(new Thread(call.start(), Stack.push(call.next(), 0, stack)));
            case Node.Repeat repeat -> repeated(repeat, 0, stack);
            case Node.Return end -> {
                Node to = stack.to();
                yield to instanceof Node.Repeat repeat && stack.count() > 0
                        ? repeated(repeat, stack.count(), stack.rest())
                        : List.of(new Thread(to, stack.rest()));
            }
        };
    }

    /** Behind so many times a repetition's body. */
    private static List<Thread> repeated(Node.Repeat repeat, int count, Stack rest) {
        List<Thread> threads = new ArrayList<>();
        if (count < repeat.most()) {
            // Where there is no upper bound, more than enough is all the same.
            int times = repeat.most() == Node.Repeat.UNBOUNDED ? Math.min(count + 1, repeat.least() + 1) : count + 1;
            threads.add(new Thread(repeat.body(), Stack.push(repeat, times, rest)));
        }
        if (count >= repeat.least()) {
            threads.add(new Thread(repeat.next(), rest));
        }
        return threads;
    }
}
