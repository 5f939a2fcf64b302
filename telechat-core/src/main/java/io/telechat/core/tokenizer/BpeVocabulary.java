// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The vocabulary in the form that merging needs. Characters become symbols; a symbol below {@link #size} is a piece, the
 * others are characters that occur within pieces without being one. Any two symbols that make a piece are in one table
 * of integers, so that encoding never builds or hashes a string.
 */
final class BpeVocabulary implements MergeTable {
    static final int NO_SYMBOL = -1;
    private static final int BMP = 1 << 16;

    private final int size;
    private final int[] symbolOfBmp = new int[BMP];
    private final Map<Integer, Integer> symbolOfSupplementary = new HashMap<>();
    private final Map<Integer, Integer> characterOfExtra = new HashMap<>();
    private final PairTable merges = new PairTable();
    private final PairTable neighbours = new PairTable();
    private final int[] rank;

    /** @param pieces their index is their id */
    BpeVocabulary(List<Piece> pieces) {
        this.size = pieces.size();
        Arrays.fill(symbolOfBmp, NO_SYMBOL);
        Map<String, Integer> symbols = new HashMap<>(2 * size);
        for (int id = 0; id < size; id++) {
            Piece piece = pieces.get(id);
            if (takesPartInMerging(piece)) {
                symbols.put(piece.text(), id);
                if (piece.text().codePointCount(0, piece.text().length()) == 1) {
                    setSymbol(piece.text().codePointAt(0), id);
                }
            }
        }
        int next = size;
        for (Piece piece : pieces) {
            if (takesPartInMerging(piece)) {
                next = addCharacters(piece.text(), symbols, next);
            }
        }
        for (int id = 0; id < size; id++) {
            if (takesPartInMerging(pieces.get(id))) {
                addMerges(pieces.get(id).text(), id, symbols);
            }
        }
        this.rank = ranks(pieces);
    }

    private static boolean takesPartInMerging(Piece piece) {
        return !piece.text().isEmpty() && piece.type() == Piece.Type.NORMAL;
    }

    private int addCharacters(String text, Map<String, Integer> symbols, int next) {
        int previous = NO_SYMBOL;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int codePoint = text.codePointAt(i);
            if (symbol(codePoint) == NO_SYMBOL) {
                setSymbol(codePoint, next);
                characterOfExtra.put(next, codePoint);
                symbols.put(Character.toString(codePoint), next++);
            }
            if (previous != NO_SYMBOL) {
                neighbours.put(previous, symbol(codePoint), 1);
            }
            previous = symbol(codePoint);
        }
        return next;
    }

    private void addMerges(String text, int id, Map<String, Integer> symbols) {
        for (int i = Character.charCount(text.codePointAt(0));
                i < text.length();
                i += Character.charCount(text.codePointAt(i))) {
            Integer left = symbols.get(text.substring(0, i));
            Integer right = symbols.get(text.substring(i));
            if (left != null && right != null) {
                merges.put(left, right, id);
            }
        }
    }

    /** Pieces by falling score, 0 the best; equal scores have equal rank. */
    private static int[] ranks(List<Piece> pieces) {
        float[] scores = new float[pieces.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = -pieces.get(i).score();
        }
        float[] sorted = scores.clone();
        Arrays.sort(sorted);
        int[] ranks = new int[scores.length];
        for (int i = 0; i < scores.length; i++) {
            int at = Arrays.binarySearch(sorted, scores[i]);
            while (at > 0 && sorted[at - 1] == sorted[at]) {
                at--;
            }
            ranks[i] = at;
        }
        return ranks;
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

    /** A merge's number is the id of the piece that it makes. */
    @Override
    public int merge(int left, int right) {
        return merges.get(left, right);
    }

    @Override
    public int result(int merge) {
        return merge;
    }

    /** Whether some piece has these two characters side by side. Where none has, no merge ever reaches across. */
    boolean mayJoin(int left, int right) {
        return neighbours.get(left, right) != PairTable.ABSENT;
    }

    @Override
    public int rank(int merge) {
        return rank[merge];
    }
}
