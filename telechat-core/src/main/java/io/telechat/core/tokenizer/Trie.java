// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Arrays;

/** Sequences of numbers, each with an id, found step by step. Node 0 is the root. */
final class Trie {
    static final int NONE = -1;

    private final PairTable children;
    private int[] ids;
    private int nodes = 1;

    /** @param expectedNodes about how many steps all sequences have */
    Trie(int expectedNodes) {
        children = new PairTable(expectedNodes);
        ids = new int[Math.max(16, expectedNodes)];
        Arrays.fill(ids, NONE);
    }

    /** The node that a step leads to, or {@link #NONE}. */
    int child(int node, int step) {
        return children.get(node, step);
    }

    /** The node that a step leads to, made if need be. */
    int grow(int node, int step) {
        int child = children.get(node, step);
        if (child == PairTable.ABSENT) {
            child = nodes++;
            if (child == ids.length) {
                ids = Arrays.copyOf(ids, 2 * child);
                Arrays.fill(ids, child, ids.length, NONE);
            }
            children.put(node, step, child);
        }
        return child;
    }

    /** The id of the sequence that ends at a node, or {@link #NONE}. */
    int id(int node) {
        return ids[node];
    }

    void setId(int node, int id) {
        ids[node] = id;
    }
}
