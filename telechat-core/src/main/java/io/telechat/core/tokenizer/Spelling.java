// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * The pieces that are made by merging, each as the symbols of its characters or bytes, one piece behind the other.
 *
 * @param starts where each piece begins, by its id; it ends where the next begins
 */
record Spelling(int[] starts, int[] symbols) {
    /**
     * The merges of a vocabulary that lists pieces only: any two symbols that make a piece may be merged into it. A piece of n
     * characters has n − 1 cuts; where both parts are symbols, they merge into it.
     *
     * @param numberOf the number of the merges that make a piece, by its id
     */
    PairTable merges(int[] numberOf) {
        int size = starts.length - 1;
        PairTable merges = new PairTable(2 * size);
        Trie beginnings = new Trie(symbols.length);
        Trie ends = new Trie(symbols.length);
        int[] beginningTo = new int[symbols.length]; // the node of what a piece has up to here, and from here on
        int[] endFrom = new int[symbols.length];
        for (int id = 0; id < size; id++) {
            int start = starts[id];
            int end = starts[id + 1];
            if (start < end) {
                for (int i = start; i < end; i++) {
                    beginningTo[i] = beginnings.grow(i == start ? 0 : beginningTo[i - 1], symbols[i]);
                }
                for (int i = end - 1; i >= start; i--) {
                    endFrom[i] = ends.grow(i == end - 1 ? 0 : endFrom[i + 1], symbols[i]);
                }
                beginnings.setId(beginningTo[end - 1], id);
                ends.setId(endFrom[start], id);
            }
        }
        for (int id = 0; id < size; id++) {
            int start = starts[id];
            int end = starts[id + 1];
            for (int cut = start + 1; cut < end; cut++) {
                int left = cut == start + 1 ? symbols[start] : beginnings.id(beginningTo[cut - 1]);
                int right = cut == end - 1 ? symbols[cut] : ends.id(endFrom[cut]);
                if (left != Trie.NONE && right != Trie.NONE) {
                    merges.put(left, right, numberOf[id]);
                }
            }
        }
        return merges;
    }
}
