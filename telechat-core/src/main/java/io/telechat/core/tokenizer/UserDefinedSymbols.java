// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Pieces that are matched in text before anything else, the longest first, and never merged with their neighbours. */
final class UserDefinedSymbols {
    private final boolean[] starts = new boolean[1 << 16];
    private final Map<Character, List<Symbol>> byFirst = new HashMap<>();
    private final Map<Integer, Integer> lengths = new HashMap<>();

    private record Symbol(String text, int id) {}

    UserDefinedSymbols(List<Piece> pieces) {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == Piece.Type.USER_DEFINED
                    && !pieces.get(id).text().isEmpty()) {
                String text = pieces.get(id).text();
                starts[text.charAt(0)] = true;
                byFirst.computeIfAbsent(text.charAt(0), c -> new ArrayList<>()).add(new Symbol(text, id));
                lengths.put(id, text.length());
            }
        }
        byFirst.values()
                .forEach(list -> list.sort(
                        Comparator.comparingInt((Symbol s) -> -s.text().length())));
    }

    boolean mayStart(char c) {
        return starts[c];
    }

    /** The id of the longest symbol at this place, or -1. */
    int longestMatch(String text, int at) {
        for (Symbol symbol : byFirst.get(text.charAt(at))) {
            if (text.startsWith(symbol.text(), at)) {
                return symbol.id();
            }
        }
        return -1;
    }

    /** Length of a symbol in chars. */
    int length(int id) {
        return lengths.get(id);
    }
}
