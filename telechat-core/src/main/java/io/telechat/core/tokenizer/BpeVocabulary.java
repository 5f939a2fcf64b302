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

    private final int size;
    private final int[] symbolOfBmp = new int[BMP];
    private final Map<Integer, Integer> symbolOfSupplementary = new HashMap<>();
    private final Map<Integer, Integer> characterOfExtra = new HashMap<>();
    private final PairFilter neighbours = new PairFilter();
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
                throw new InvalidModelException("%s: its pieces are too long for a vocabulary", model.path());
            }
        }
        this.results = byFallingScore(pieces);
        this.firstOfEquals = new int[size];
        int[] numberOf = new int[size];
        boolean differ = true;
        for (int number = 0; number < size; number++) {
            numberOf[results[number]] = number;
            boolean equal = number > 0
                    && pieces.get(results[number]).score()
                            == pieces.get(results[number - 1]).score();
            firstOfEquals[number] = equal ? firstOfEquals[number - 1] : number;
            differ &= !equal;
        }
        this.scoresDiffer = differ;
        this.merges = spelling(pieces, characters).merges(numberOf);
    }

    private static boolean takesPartInMerging(Piece piece) {
        return !piece.text().isEmpty() && piece.type() == Piece.Type.NORMAL;
    }

    /** Ids, where scores are equal in their order. */
    private static int[] byFallingScore(List<Piece> pieces) {
        long[] keys = new long[pieces.size()];
        for (int id = 0; id < keys.length; id++) {
            int bits = Float.floatToIntBits(pieces.get(id).score());
            int ordered = bits ^ (bits >> Integer.SIZE - 1 & Integer.MAX_VALUE); // integers in the order of floats
            keys[id] = (long) ~ordered << Integer.SIZE | id;
        }
        Arrays.sort(keys);
        int[] ids = new int[keys.length];
        Arrays.setAll(ids, i -> (int) keys[i]);
        return ids;
    }

    /** Also notes which symbols are neighbours. */
    private Spelling spelling(List<Piece> pieces, int characters) {
        int[] starts = new int[size + 1];
        int[] symbols = new int[characters];
        int nextExtra = size;
        int at = 0;
        for (int id = 0; id < size; id++) {
            starts[id] = at;
            if (!takesPartInMerging(pieces.get(id))) {
                continue;
            }
            String text = pieces.get(id).text();
            for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
                int codePoint = text.codePointAt(i);
                if (symbol(codePoint) == NO_SYMBOL) {
                    setSymbol(codePoint, nextExtra);
                    characterOfExtra.put(nextExtra++, codePoint);
                }
                symbols[at] = symbol(codePoint);
                if (i > 0) {
                    neighbours.add(symbols[at - 1], symbols[at]);
                }
                at++;
            }
        }
        starts[size] = at;
        return new Spelling(starts, symbols);
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
        return neighbours.mayContain(left, right);
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
