// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** SentencePiece BPE as its description reads: strings, a list, and a search for the best pair from the start each time. */
final class NaiveBpe {
    private final List<Piece> pieces;
    private final Map<String, Integer> ids = new HashMap<>();

    NaiveBpe(List<Piece> pieces) {
        this.pieces = pieces;
        for (int i = 0; i < pieces.size(); i++) {
            ids.put(pieces.get(i).text(), i);
        }
    }

    private record Symbol(String text, boolean frozen) {}

    int[] encode(String text) {
        if (text.isEmpty()) {
            return new int[0];
        }
        List<Symbol> symbols = split("\u2581" + text.replace(' ', '\u2581'));
        while (true) {
            int best = -1;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                if (canMerge(symbols.get(i), symbols.get(i + 1))
                        && (best < 0 || score(symbols, i) > score(symbols, best))) {
                    best = i;
                }
            }
            if (best < 0) {
                break;
            }
            symbols.set(
                    best,
                    new Symbol(
                            symbols.get(best).text() + symbols.remove(best + 1).text(), false));
        }
        List<Integer> out = new ArrayList<>();
        for (Symbol symbol : symbols) {
            Integer id = ids.get(symbol.text());
            if (id != null && (symbol.frozen() || pieces.get(id).type() == Piece.Type.NORMAL)) {
                out.add(id);
            } else {
                for (byte b : symbol.text().getBytes(StandardCharsets.UTF_8)) {
                    out.add(ids.get("<0x%02X>".formatted(b & 0xff)));
                }
            }
        }
        return out.stream().mapToInt(i -> i).toArray();
    }

    private List<Symbol> split(String text) {
        List<Symbol> symbols = new ArrayList<>();
        for (int i = 0; i < text.length(); ) {
            String match = "";
            for (Piece piece : pieces) {
                if (piece.type() == Piece.Type.USER_DEFINED
                        && text.startsWith(piece.text(), i)
                        && piece.text().length() > match.length()) {
                    match = piece.text();
                }
            }
            String symbol = match.isEmpty() ? Character.toString(text.codePointAt(i)) : match;
            symbols.add(new Symbol(symbol, !match.isEmpty()));
            i += symbol.length();
        }
        return symbols;
    }

    private boolean canMerge(Symbol left, Symbol right) {
        Integer id = ids.get(left.text() + right.text());
        return !left.frozen() && !right.frozen() && id != null && pieces.get(id).type() == Piece.Type.NORMAL;
    }

    private float score(List<Symbol> symbols, int i) {
        return pieces.get(ids.get(symbols.get(i).text() + symbols.get(i + 1).text()))
                .score();
    }
}
