// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import java.util.ArrayList;
import java.util.List;

/**
 * Tokens of one or several sequences that go through the model in one pass, packed without padding.
 *
 * @param tokens ids of all spans, one after the other
 * @param spans which rows belong to which sequence; they cover {@code tokens} in order
 */
public record Batch(int[] tokens, List<Span> spans) {
    public Batch {
        spans = List.copyOf(spans);
        int next = 0;
        for (Span span : spans) {
            if (span.first() != next) {
                throw new IllegalArgumentException("spans must cover the tokens in order: " + spans);
            }
            next += span.count();
        }
        if (next != tokens.length) {
            throw new IllegalArgumentException("spans cover " + next + " of " + tokens.length + " tokens");
        }
    }

    /** The next tokens of a single sequence. */
    public static Batch of(int[] tokens, KvCache cache, RopeTable rope) {
        return new Batch(tokens, List.of(new Span(0, tokens.length, cache, rope)));
    }

    /** Sequences to learn from, one behind the other, which are computed whole and without a cache. */
    public static Batch uncached(int[] tokens, int[] lengths, List<RopeTable> ropes) {
        List<Span> spans = new ArrayList<>(lengths.length);
        int first = 0;
        for (int i = 0; i < lengths.length; i++) {
            spans.add(new Span(first, lengths[i], null, ropes.get(i)));
            first += lengths[i];
        }
        return new Batch(tokens, spans);
    }

    public int size() {
        return tokens.length;
    }

    /**
     * The new tokens of one sequence.
     *
     * @param first its first row
     * @param count its number of rows
     * @param cache keys and values of the positions before; the new ones are stored behind them. Null where there is none,
     *     as in training: then the rows themselves are all there is
     * @param rope angles of the new positions {@code cache.length() … cache.length() + count}
     * @param adapter which of the model's adapters they go through, counted from 0; {@link #NO_ADAPTER} for none
     */
    public record Span(int first, int count, KvCache cache, RopeTable rope, int adapter) {
        public static final int NO_ADAPTER = -1;

        /** Through the model's first adapter, if it has one. */
        public Span(int first, int count, KvCache cache, RopeTable rope) {
            this(first, count, cache, rope, 0);
        }

        public boolean isCached() {
            return cache != null;
        }
    }
}
