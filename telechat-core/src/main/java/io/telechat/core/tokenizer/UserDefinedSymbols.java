// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.List;

/** Pieces that are matched in text before anything else, the longest first, and never merged with their neighbours. */
final class UserDefinedSymbols {
    static final int NONE = Trie.NONE;

    private final boolean[] starts = new boolean[1 << 16];
    private final Trie trie = new Trie(256);
    private final int[] lengths;

    UserDefinedSymbols(List<Piece> pieces) {
        lengths = new int[pieces.size()];
        for (int id = 0; id < pieces.size(); id++) {
            String text = pieces.get(id).text();
            if (pieces.get(id).type() == Piece.Type.USER_DEFINED && !text.isEmpty()) {
                starts[text.charAt(0)] = true;
                lengths[id] = text.length();
                int node = 0;
                for (int i = 0; i < text.length(); i++) {
                    node = trie.grow(node, text.charAt(i));
                }
                trie.setId(node, id);
            }
        }
    }

    boolean mayStart(char c) {
        return starts[c];
    }

    /** The id of the longest symbol at this place, or {@link #NONE}. */
    int longestMatch(String text, int at) {
        int longest = NONE;
        int node = 0;
        for (int i = at; i < text.length(); i++) {
            node = trie.child(node, text.charAt(i));
            if (node == Trie.NONE) {
                break;
            }
            longest = trie.id(node) == Trie.NONE ? longest : trie.id(node);
        }
        return longest;
    }

    /** Length of a symbol in chars. */
    int length(int id) {
        return lengths[id];
    }
}
