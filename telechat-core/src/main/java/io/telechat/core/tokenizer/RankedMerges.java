// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** Merges that are listed as such, the first to be made first. */
final class RankedMerges implements MergeTable {
    private final PairTable table;
    private final int[] results;

    /** @param count number of merges */
    RankedMerges(int count) {
        table = new PairTable(count);
        results = new int[count];
    }

    void set(int number, int left, int right, int result) {
        table.put(left, right, number);
        results[number] = result;
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
        return results[merge];
    }
}
