// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import io.telechat.core.tokenizer.Tokenizer;
import java.util.Set;

/** The tokens of a model, as grammars see them. Made once for a model; thread-safe. */
public final class GrammarTokens {
    private final Tokenizer tokenizer;
    private TokenTrie trie;

    public GrammarTokens(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * For one answer.
     *
     * @param endIds tokens that end it, where it may end
     */
    public TokenConstraint constraint(Grammar grammar, Set<Integer> endIds) {
        return new TokenConstraint(grammar, trie(), tokenizer::bytes, endIds);
    }

    private synchronized TokenTrie trie() {
        if (trie == null) {
            trie = TokenTrie.of(tokenizer);
        }
        return trie;
    }
}
