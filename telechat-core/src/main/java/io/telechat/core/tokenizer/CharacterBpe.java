// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Map;
import java.util.Optional;

/**
 * Merges the characters of each word, as a tokenizer.json made from a SentencePiece model asks for ({@code merge_word} in the
 * tokenizers library's bpe/model.rs). A word may be a whole text; it is cut wherever no merge joins two neighbouring symbols, so
 * that the short runs between may be merged one by one, and remembered.
 */
final class CharacterBpe implements BpeModel {
    private static final int BMP = 1 << 16;
    private static final int NONE = -1;

    private final Map<String, Integer> vocabulary;
    private final int[] symbolOfBmp = new int[BMP];
    private final int[] idOfByte;
    private final Fallbacks fallbacks;
    private final PairFilter neighbours;
    private final BpeMerger merger;

    /**
     * What becomes of characters that are not in the vocabulary, and of words that are.
     *
     * @param toBytes whether to pieces of bytes, {@code <0x00>} and on, if all that it takes are there
     * @param unknown otherwise, to this id; left out if there is none
     * @param fusesUnknown whether several such characters are one
     * @param wholeWordsFirst whether a word that is a piece is that piece, whatever merging makes of it
     */
    record Fallbacks(boolean toBytes, Optional<Integer> unknown, boolean fusesUnknown, boolean wholeWordsFirst) {}

    /**
     * @param vocabulary id of each piece
     * @param neighbours symbols that merges join
     */
    CharacterBpe(Map<String, Integer> vocabulary, MergeTable merges, PairFilter neighbours, Fallbacks fallbacks) {
        this.vocabulary = vocabulary;
        this.merger = new BpeMerger(merges);
        this.neighbours = neighbours;
        this.fallbacks = fallbacks;
        for (int c = 0; c < BMP; c++) {
            symbolOfBmp[c] = vocabulary.getOrDefault(String.valueOf((char) c), NONE);
        }
        this.idOfByte = new int[256];
        for (int b = 0; b < idOfByte.length; b++) {
            idOfByte[b] = vocabulary.getOrDefault(bytePiece(b), NONE);
        }
    }

    static String bytePiece(int value) {
        return "<0x%02X>".formatted(value);
    }

    @Override
    public void encode(String text, int from, int to, IntList run, IntList ids) {
        if (fallbacks.wholeWordsFirst()) {
            Integer whole = vocabulary.get(text.substring(from, to));
            if (whole != null) {
                ids.add(whole);
                return;
            }
        }
        boolean afterUnknown = false;
        for (int i = from; i < to; ) {
            int codePoint = text.codePointAt(i);
            int width = i + 1 == to ? 1 : Character.charCount(codePoint);
            boolean isBroken = width == 1 && Character.isSurrogate(text.charAt(i));
            codePoint = isBroken ? 0xfffd : codePoint;
            i += width;
            int symbol = symbol(codePoint);
            if (symbol != NONE) {
                add(symbol, run, ids);
                afterUnknown = false;
            } else if (fallbacks.toBytes() && hasBytes(codePoint)) {
                for (byte b : Utf8.encode(Character.toString(codePoint))) {
                    add(idOfByte[b & 0xff], run, ids);
                }
                afterUnknown = false;
            } else if (fallbacks.unknown().isPresent()) {
                if (!afterUnknown || !fallbacks.fusesUnknown()) {
                    add(fallbacks.unknown().get(), run, ids);
                }
                afterUnknown = true;
            }
        }
        flush(run, ids);
    }

    private int symbol(int codePoint) {
        return codePoint < BMP ? symbolOfBmp[codePoint] : vocabulary.getOrDefault(Character.toString(codePoint), NONE);
    }

    private boolean hasBytes(int codePoint) {
        for (byte b : Utf8.encode(Character.toString(codePoint))) {
            if (idOfByte[b & 0xff] == NONE) {
                return false;
            }
        }
        return true;
    }

    private void add(int symbol, IntList run, IntList ids) {
        if (run.size() > 0 && !neighbours.mayContain(run.array()[run.size() - 1], symbol)) {
            flush(run, ids);
        }
        run.add(symbol);
    }

    private void flush(IntList run, IntList ids) {
        if (run.size() > 0) {
            merger.merge(run.array(), run.size(), ids);
            run.clear();
        }
    }
}
