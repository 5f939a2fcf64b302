// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.stream.IntStream;

/** Any two symbols that make a piece may be merged, the piece of the lowest id first (tiktoken). A merge's number is its piece. */
final class SpelledMerges implements MergeTable {
    private final PairTable table;

    SpelledMerges(Spelling pieces) {
        table = pieces.merges(IntStream.range(0, pieces.starts().length).toArray());
    }

    @Override
    public int merge(int left, int right) {
        return table.get(left, right);
    }

    @Override
    public int rank(int merge) {
        return merge;
    }

    @Override
    public int result(int merge) {
        return merge;
    }
}
