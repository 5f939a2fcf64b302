// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.ops.KvLayout;
import java.util.Arrays;
import java.util.List;

/**
 * What a sequence waits for: another one that computes the same beginning just now, instead of computing it as well. It waits until
 * the last block that they have in common is in the prefix cache, or that one is gone. Each wait must promise a block more than all
 * before it, so that nobody waits for ever; and one is waited for only while it runs, so that they never wait for each other.
 */
final class AwaitedPrefix {
    private static final int BLOCK = KvLayout.BLOCK;

    private final Sequence sequence;
    /** Who computes it; null for nobody. */
    private Sequence leader;
    /** Tokens that it must have computed. */
    private int needed;
    /** Tokens of the longest beginning that was waited for so far. */
    private int longest;

    AwaitedPrefix(Sequence sequence) {
        this.sequence = sequence;
    }

    boolean isComing() {
        return leader != null && leader.answer().finishReason().isEmpty() && leader.computed() < needed;
    }

    /**
     * Looks for somebody who is about to compute more than is there: a block more at least, or all that can be taken over.
     *
     * @param cached tokens in the prefix cache
     * @param limit tokens that can be taken over
     * @return whether it is worth waiting
     */
    boolean find(List<Sequence> running, int cached, int limit) {
        leader = null;
        int known = Math.max(cached, longest);
        int best = Math.max(known, Math.min(limit, known + BLOCK) - 1);
        for (Sequence other : running) {
            if (other.computed() < other.promptLength() && other.scope().equals(sequence.scope())) {
                int common = common(other, limit);
                int end = Math.min(other.promptLength(), KvLayout.blocks(common) * BLOCK);
                if (common > best && other.computed() < end) {
                    leader = other;
                    needed = end;
                    best = common;
                }
            }
        }
        longest = leader == null ? longest : best;
        return leader != null;
    }

    /** With how many tokens both begin. */
    private int common(Sequence other, int limit) {
        int end = Math.min(limit, other.promptLength());
        int difference = Arrays.mismatch(sequence.tokens(), 0, end, other.tokens(), 0, end);
        return difference < 0 ? end : difference;
    }

    /** It runs now. */
    void end() {
        leader = null;
    }
}
