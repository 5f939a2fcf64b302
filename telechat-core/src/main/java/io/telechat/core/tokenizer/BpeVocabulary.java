// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The vocabulary in the form that merging needs. Characters become symbols; a symbol below {@link #size} is a piece, the
 * others are characters that occur within pieces without being one. Any two symbols that make a piece are in one table of
 * integers, so that encoding never builds or hashes a string.
 */
final class BpeVocabulary implements MergeTable {
    static final int NO_SYMBOL = -1;
    private static final int BMP = 1 << 16;

    /** Bits of the filter over neighbouring characters: 128 KiB, which stay in the second-level cache. */
    private static final int FILTER_BITS = 1 << 20;

    private final int size;
    private final int[] symbolOfBmp = new int[BMP];
    private final Map<Integer, Integer> symbolOfSupplementary = new HashMap<>();
    private final Map<Integer, Integer> characterOfExtra = new HashMap<>();
    private final long[] neighbours = new long[FILTER_BITS / Long.SIZE];
    private final PairTable merges;

    /** Pieces by falling score: what the merge of this number makes. */
    private final int[] results;

    /** The number of the first merge with the same score; scores are rarely equal, but then the leftmost pair goes first. */
    private final int[] firstOfEquals;

    private final boolean scoresDiffer;

    /** @param model its pieces' indices are their ids */
    BpeVocabulary(SentencePieceModel model) {
        List<Piece> pieces = model.pieces();
        this.size = pieces.size();
        Arrays.fill(symbolOfBmp, NO_SYMBOL);
        int characters = 0;
        for (int id = 0; id < size; id++) {
            Piece piece = pieces.get(id);
            if (takesPartInMerging(piece)) {
                int length = piece.text().codePointCount(0, piece.text().length());
                characters += length;
                if (length == 1) {
                    setSymbol(piece.text().codePointAt(0), id);
                }
            }
            if (characters >= PairTable.KEY_LIMIT - 1) {
                throw new InvalidModelException("%s: its pieces are too long for a vocabulary".formatted(model.path()));
            }
        }
        Integer[] byScore = new Integer[size];
        Arrays.setAll(byScore, i -> i);
        Arrays.sort(
                byScore,
                (a, b) -> Float.compare(pieces.get(b).score(), pieces.get(a).score()));
        this.results = new int[size];
        this.firstOfEquals = new int[size];
        int[] numberOf = new int[size];
        boolean differ = true;
        for (int number = 0; number < size; number++) {
            results[number] = byScore[number];
            numberOf[byScore[number]] = number;
            boolean equal = number > 0
                    && pieces.get(byScore[number]).score()
                            == pieces.get(byScore[number - 1]).score();
            firstOfEquals[number] = equal ? firstOfEquals[number - 1] : number;
            differ &= !equal;
        }
        this.scoresDiffer = differ;
        this.merges = new PairTable(2 * size);
        addMerges(symbols(pieces), numberOf, characters);
    }

    private static boolean takesPartInMerging(Piece piece) {
        return !piece.text().isEmpty() && piece.type() == Piece.Type.NORMAL;
    }

    /** The characters of every piece as symbols; null for pieces that are never merged. Notes which are neighbours. */
    private int[][] symbols(List<Piece> pieces) {
        int[][] all = new int[size][];
        int next = size;
        for (int id = 0; id < size; id++) {
            if (!takesPartInMerging(pieces.get(id))) {
                continue;
            }
            int[] symbols = pieces.get(id).text().codePoints().toArray();
            for (int i = 0; i < symbols.length; i++) {
                int codePoint = symbols[i];
                if (symbol(codePoint) == NO_SYMBOL) {
                    setSymbol(codePoint, next);
                    characterOfExtra.put(next++, codePoint);
                }
                symbols[i] = symbol(codePoint);
                if (i > 0) {
                    int bit = filterBit(symbols[i - 1], symbols[i]);
                    neighbours[bit >>> 6] |= 1L << bit;
                }
            }
            all[id] = symbols;
        }
        return all;
    }

    /** A piece of n characters has n − 1 cuts; where both parts are symbols, they merge into it. */
    private void addMerges(int[][] symbols, int[] numberOf, int characters) {
        Trie beginnings = new Trie(characters);
        Trie ends = new Trie(characters);
        for (int id = 0; id < size; id++) {
            if (symbols[id] != null) {
                int beginning = 0;
                int end = 0;
                for (int i = 0; i < symbols[id].length; i++) {
                    beginning = beginnings.grow(beginning, symbols[id][i]);
                    end = ends.grow(end, symbols[id][symbols[id].length - 1 - i]);
                }
                beginnings.setId(beginning, id);
                ends.setId(end, id);
            }
        }
        int[] left = new int[1];
        for (int id = 0; id < size; id++) {
            int n = symbols[id] == null ? 0 : symbols[id].length;
            if (n < 2) {
                continue;
            }
            left = left.length < n ? new int[n] : left;
            int node = 0;
            for (int i = 0; i < n - 1; i++) {
                node = beginnings.child(node, symbols[id][i]);
                left[i] = i == 0 ? symbols[id][0] : beginnings.id(node);
            }
            node = 0;
            for (int i = n - 1; i > 0; i--) {
                node = ends.child(node, symbols[id][i]);
                int right = i == n - 1 ? symbols[id][i] : ends.id(node);
                if (left[i - 1] != Trie.NONE && right != Trie.NONE) {
                    merges.put(left[i - 1], right, numberOf[id]);
                }
            }
        }
    }

    private void setSymbol(int codePoint, int symbol) {
        if (codePoint < BMP) {
            symbolOfBmp[codePoint] = symbol;
        } else {
            symbolOfSupplementary.put(codePoint, symbol);
        }
    }

    /** Number of pieces. */
    int size() {
        return size;
    }

    /** The symbol of a character, or {@link #NO_SYMBOL} if no piece has that character. */
    int symbol(int codePoint) {
        return codePoint < BMP ? symbolOfBmp[codePoint] : symbolOfSupplementary.getOrDefault(codePoint, NO_SYMBOL);
    }

    /** The character of a symbol that is not a piece. */
    int character(int symbol) {
        return characterOfExtra.get(symbol);
    }

    /**
     * Whether some piece has these two characters side by side. Where none has, no merge ever reaches across. May say so of
     * others, too: cutting text less often than one could changes nothing.
     */
    boolean mayJoin(int left, int right) {
        int bit = filterBit(left, right);
        return (neighbours[bit >>> 6] >>> bit & 1) != 0;
    }

    private static int filterBit(int left, int right) {
        return (int) (PairTable.mix((long) left << 21 | right) >>> 40) & (FILTER_BITS - 1);
    }

    @Override
    public int merge(int left, int right) {
        return merges.get(left, right);
    }

    @Override
    public int rank(int merge) {
        return scoresDiffer ? merge : firstOfEquals[merge];
    }

    @Override
    public int result(int merge) {
        return results[merge];
    }
}
