// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import io.telechat.core.InvalidRequestException;
import io.telechat.infer.sampling.Candidates;
import io.telechat.infer.sampling.LogitsProcessor;
import io.telechat.infer.sampling.TokenHistory;
import java.util.Arrays;
import java.util.Set;
import java.util.function.IntFunction;

/** Where one answer has come to in a grammar; only tokens that keep to it can be drawn. Not thread-safe. */
public final class TokenConstraint implements LogitsProcessor {
    private final TokenTrie tokens;
    private final IntFunction<byte[]> bytes;
    private final Set<Integer> endIds;
    private Grammar.State state;

    /**
     * @param bytes of an id
     * @param endIds tokens that end an answer, where it may end
     */
    TokenConstraint(Grammar grammar, TokenTrie tokens, IntFunction<byte[]> bytes, Set<Integer> endIds) {
        this.state = grammar.start();
        this.tokens = tokens;
        this.bytes = bytes;
        this.endIds = Set.copyOf(endIds);
    }

    @Override
    public void apply(float[] logits, TokenHistory history) {
        long[] mask = state.mask(tokens);
        boolean any = state.isAccepting() && !endIds.isEmpty();
        int covered = Math.min(logits.length, 64 * mask.length);
        for (int i = 0; i < covered; i++) {
            if ((mask[i >> 6] >> (i & 63) & 1) == 0) {
                logits[i] = state.isAccepting() && endIds.contains(i) ? logits[i] : Float.NEGATIVE_INFINITY;
            } else {
                any |= logits[i] != Float.NEGATIVE_INFINITY;
            }
        }
        Arrays.fill(logits, covered, logits.length, Float.NEGATIVE_INFINITY);
        if (!any) {
            throw new InvalidRequestException(
                    "no token of this model's vocabulary can go on with the answer that the" + " schema asks for");
        }
    }

    /** As long as one of these may come, whether another may does not matter here. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        long[] mask = state.mask(tokens);
        boolean any = state.isAccepting() && !endIds.isEmpty();
        float[] values = candidates.values();
        for (int i = 0; i < values.length; i++) {
            int id = candidates.id(i);
            boolean covered = id < 64 * mask.length;
            if (covered && (mask[id >> 6] >> (id & 63) & 1) != 0) {
                any |= values[i] != Float.NEGATIVE_INFINITY;
            } else if (!covered || !state.isAccepting() || !endIds.contains(id)) {
                values[i] = Float.NEGATIVE_INFINITY;
            }
        }
        return any;
    }

    /** A token has been drawn. */
    public void accept(int id) {
        if (state.isAccepting() && endIds.contains(id)) {
            return;
        }
        for (byte b : bytes.apply(id)) {
            state = state.next(b & 0xff);
        }
    }

    /** Whether the answer is whole, and nothing may follow. */
    public boolean isComplete() {
        return state.isEnd();
    }
}
