// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Arrays;

/**
 * Byte-pair merging as SentencePiece does it: among all neighbouring symbols that make a piece, the piece with the best
 * score is made first, the leftmost of equals (bpe_model.cc of SentencePiece).
 */
final class BpeMerger {
    /** Up to this length a plain scan for the best pair is faster than a queue. */
    private static final int SCAN_LIMIT = 48;

    /** Shorter runs are merged in less time than the memory takes to find them among so many others. */
    private static final int MIN_CACHED_LENGTH = 6;

    private static final int MAX_CACHED_LENGTH = 24;
    private static final int CACHE_SLOTS = 1 << 16;

    /** A run and its result. Slots are written without locks: entries are immutable, and any of them may get lost. */
    private record Cached(int[] run, int[] result) {}

    private static final int GONE = -1;

    /** Beyond every rank. */
    private static final int NEVER = Integer.MAX_VALUE;

    private final MergeTable merges;
    private final Cached[] cache = new Cached[CACHE_SLOTS];

    BpeMerger(MergeTable merges) {
        this.merges = merges;
    }

    /** Appends the symbols that remain of {@code run[0 … length)}, which is destroyed. */
    void merge(int[] run, int length, IntList out) {
        if (length == 1) {
            out.add(run[0]);
        } else if (length == 2) {
            int merged = merges.merge(run[0], run[1]);
            if (merged == PairTable.ABSENT) {
                out.add(run[0]);
                out.add(run[1]);
            } else {
                out.add(merges.result(merged));
            }
        } else if (length >= MIN_CACHED_LENGTH && length <= MAX_CACHED_LENGTH) {
            out.addAll(cached(run, length));
        } else if (length <= SCAN_LIMIT) {
            int remaining = scan(run, length);
            for (int i = 0; i < remaining; i++) {
                out.add(run[i]);
            }
        } else {
            queue(run, length, out);
        }
    }

    private int[] cached(int[] run, int length) {
        int hash = 1;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + run[i];
        }
        int slot = (hash * 0x9e3779b9) >>> 16;
        Cached entry = cache[slot];
        if (entry != null && Arrays.equals(entry.run(), 0, entry.run().length, run, 0, length)) {
            return entry.result();
        }
        int[] key = Arrays.copyOf(run, length);
        int[] result = Arrays.copyOf(run, scan(run, length));
        cache[slot] = new Cached(key, result);
        return result;
    }

    /** Merges in place by looking for the best pair again and again; returns what remains. */
    private int scan(int[] run, int length) {
        int[] pairs = new int[length];
        int[] ranks = new int[length];
        for (int i = 0; i + 1 < length; i++) {
            lookUp(run, i, pairs, ranks);
        }
        while (true) {
            int best = 0;
            int bestRank = NEVER;
            for (int i = 0; i + 1 < length; i++) {
                if (ranks[i] < bestRank) {
                    best = i;
                    bestRank = ranks[i];
                }
            }
            if (bestRank == NEVER) {
                return length;
            }
            run[best] = merges.result(pairs[best]);
            length--;
            for (int i = best + 1; i < length; i++) {
                run[i] = run[i + 1];
                pairs[i] = pairs[i + 1];
                ranks[i] = ranks[i + 1];
            }
            if (best > 0) {
                lookUp(run, best - 1, pairs, ranks);
            }
            if (best + 1 < length) {
                lookUp(run, best, pairs, ranks);
            }
        }
    }

    private void lookUp(int[] run, int i, int[] pairs, int[] ranks) {
        pairs[i] = merges.merge(run[i], run[i + 1]);
        ranks[i] = pairs[i] == PairTable.ABSENT ? NEVER : merges.rank(pairs[i]);
    }

    /** Merges with a queue of candidates over a linked list: n log n for a run of any length. */
    private void queue(int[] run, int length, IntList out) {
        int[] next = new int[length];
        int[] previous = new int[length];
        LongHeap candidates = new LongHeap(length);
        for (int i = 0; i < length; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < length) {
                offer(candidates, i, merges.merge(run[i], run[i + 1]));
            }
        }
        while (!candidates.isEmpty()) {
            long candidate = candidates.poll();
            int left = (int) candidate;
            int right = run[left] == GONE ? length : next[left];
            if (right >= length) {
                continue;
            }
            int merged = merges.merge(run[left], run[right]);
            if (merged == PairTable.ABSENT || merges.rank(merged) != (int) (candidate >>> 32)) {
                continue; // one of the two has been merged with another neighbour since
            }
            run[left] = merges.result(merged);
            run[right] = GONE;
            next[left] = next[right];
            if (next[left] < length) {
                previous[next[left]] = left;
                offer(candidates, left, merges.merge(run[left], run[next[left]]));
            }
            if (previous[left] >= 0) {
                offer(candidates, previous[left], merges.merge(run[previous[left]], run[left]));
            }
        }
        for (int i = 0; i < length; i = next[i]) {
            out.add(run[i]);
        }
    }

    private void offer(LongHeap candidates, int left, int merged) {
        if (merged != PairTable.ABSENT) {
            candidates.add((long) merges.rank(merged) << 32 | left);
        }
    }
}
