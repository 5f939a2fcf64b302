// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;

/** Strings that are looked for in text, the longest at a place first. They are numbered. */
final class Literals {
    static final int NONE = Trie.NONE;

    private final boolean[] starts = new boolean[1 << 16];
    private final Trie trie = new Trie(256);
    private final String[] texts;

    /**
     * @param source file to name in complaints
     * @param texts a string's index is its number; null or empty where there is none
     * @throws InvalidModelException if they are longer than any vocabulary's
     */
    Literals(Object source, String... texts) {
        this.texts = texts;
        long characters = 0;
        for (int number = 0; number < texts.length; number++) {
            String text = texts[number];
            if (text == null || text.isEmpty()) {
                continue;
            }
            characters += text.length();
            if (characters >= PairTable.KEY_LIMIT - 1) {
                throw new InvalidModelException("%s: its pieces are too long for a vocabulary", source);
            }
            starts[text.charAt(0)] = true;
            int node = 0;
            for (int i = 0; i < text.length(); i++) {
                node = trie.grow(node, text.charAt(i));
            }
            trie.setId(node, number);
        }
    }

    boolean mayStart(char c) {
        return starts[c];
    }

    /** The number of the longest string at this place, or {@link #NONE}. */
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

    /** Length of a string in chars. */
    int length(int number) {
        return texts[number].length();
    }
}
