// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import io.telechat.core.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The bytes of all tokens, those that begin alike together, so that a grammar looks at a common beginning once. Nodes are numbered
 * depth first: a node's first child follows it.
 */
final class TokenTrie {
    private final int vocabulary;
    private final byte[] bytes;
    /** The node behind all below this one. */
    private final int[] ends;
    /** Ids of the tokens that end at a node; -1 for none, and of several, the others in {@code more}. */
    private final int[] ids;

    private final List<int[]> more;

    private TokenTrie(int vocabulary, byte[] bytes, int[] ends, int[] ids, List<int[]> more) {
        this.vocabulary = vocabulary;
        this.bytes = bytes;
        this.ends = ends;
        this.ids = ids;
        this.more = more;
    }

    private record Entry(byte[] bytes, int id) {}

    static TokenTrie of(Tokenizer tokenizer) {
        List<Entry> entries = new ArrayList<>();
        int total = 0;
        for (int id = 0; id < tokenizer.size(); id++) {
            byte[] text = tokenizer.has(id) ? tokenizer.bytes(id) : new byte[0];
            if (text.length > 0) {
                entries.add(new Entry(text, id));
                total += text.length;
            }
        }
        entries.sort(Comparator.comparing(Entry::bytes, Arrays::compareUnsigned).thenComparing(Entry::id));
        byte[] bytes = new byte[total];
        int[] ends = new int[total];
        int[] ids = new int[total];
        List<int[]> more = new ArrayList<>();
        int[] path =
                new int[entries.stream().mapToInt(e -> e.bytes().length).max().orElse(0)];
        int depth = 0;
        int count = 0;
        byte[] before = new byte[0];
        for (Entry entry : entries) {
            int common = Arrays.mismatch(before, entry.bytes());
            common = common < 0 ? entry.bytes().length : common;
            for (; depth > common; depth--) {
                ends[path[depth - 1]] = count;
            }
            for (; depth < entry.bytes().length; depth++) {
                bytes[count] = entry.bytes()[depth];
                ids[count] = -1;
                path[depth] = count++;
            }
            int node = path[depth - 1];
            if (ids[node] < 0) {
                ids[node] = entry.id();
            } else {
                more.add(new int[] {ids[node], entry.id()});
            }
            before = entry.bytes();
        }
        for (; depth > 0; depth--) {
            ends[path[depth - 1]] = count;
        }
        return new TokenTrie(
                tokenizer.size(),
                Arrays.copyOf(bytes, count),
                Arrays.copyOf(ends, count),
                Arrays.copyOf(ids, count),
                more);
    }

    /** A bit for each id whose bytes a state lets come. */
    long[] mask(Grammar.State state) {
        long[] mask = new long[(vocabulary + 63) / 64];
        walk(state, 0, bytes.length, mask);
        for (int[] pair : more) {
            if ((mask[pair[0] >> 6] >> (pair[0] & 63) & 1) != 0) {
                mask[pair[1] >> 6] |= 1L << (pair[1] & 63);
            }
        }
        return mask;
    }

    private void walk(Grammar.State state, int from, int to, long[] mask) {
        for (int node = from; node < to; node = ends[node]) {
            Grammar.State next = state.next(bytes[node] & 0xff);
            if (next != null) {
                if (ids[node] >= 0) {
                    mask[ids[node] >> 6] |= 1L << (ids[node] & 63);
                }
                if (!next.isEnd()) {
                    walk(next, node + 1, ends[node], mask);
                }
            }
        }
    }
}
