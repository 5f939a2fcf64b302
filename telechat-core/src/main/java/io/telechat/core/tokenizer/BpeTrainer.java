// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Learns a vocabulary of byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): the most frequent pair of neighbouring
 * symbols becomes a symbol, again and again. Pairs do not reach across words, or from one kind of character to another; every
 * character of the text is a piece, and anything else falls back to bytes. Same text, same vocabulary.
 */
public final class BpeTrainer {
    private static final String BLANK = String.valueOf(SentencePieceTokenizer.BLANK);

    private static final int LETTER = 0;
    private static final int IDEOGRAPH = 1;
    private static final int DIGIT = 2;
    private static final int OTHER = 3;

    private final Map<String, Integer> words = new TreeMap<>();

    /** A word as symbols, and how often it occurs. */
    private static final class Word {
        private final List<String> symbols = new ArrayList<>();
        private final int count;

        Word(String text, int count) {
            text.codePoints().forEach(c -> symbols.add(Character.toString(c)));
            this.count = count;
        }

        void merge(String left, String right) {
            for (int i = 0; i + 1 < symbols.size(); i++) {
                if (symbols.get(i).equals(left) && symbols.get(i + 1).equals(right)) {
                    symbols.set(i, left + right);
                    symbols.remove(i + 1);
                }
            }
        }
    }

    private record Pair(String left, String right) {
        String merged() {
            return left + right;
        }
    }

    /** Takes a text into account. */
    public void add(String text) {
        StringBuilder word = new StringBuilder(BLANK);
        int kind = kind(' ');
        for (int c : text.codePoints().toArray()) {
            int next = kind(c);
            boolean begins = c == ' '
                    || next == DIGIT
                    || next != kind && !word.toString().equals(BLANK);
            if (begins && !word.isEmpty()) {
                words.merge(word.toString(), 1, Integer::sum);
                word.setLength(0);
            }
            word.append(c == ' ' ? BLANK : Character.toString(c));
            kind = next;
        }
        words.merge(word.toString(), 1, Integer::sum);
    }

    private static int kind(int c) {
        if (Character.isIdeographic(c)) {
            return IDEOGRAPH;
        }
        return Character.isDigit(c) ? DIGIT : Character.isLetter(c) ? LETTER : OTHER;
    }

    /**
     * @param size pieces in all, those of {@link SentencePieceWriter#byteVocabulary} included
     * @return at most so many pieces: fewer where no pair occurs twice any more
     */
    public List<Piece> train(int size) {
        List<Piece> pieces = new ArrayList<>(SentencePieceWriter.byteVocabulary());
        pieces.removeLast(); // the blank is one of the characters
        TreeMap<String, Integer> characters = new TreeMap<>();
        List<Word> all = new ArrayList<>();
        words.forEach((text, count) -> {
            Word word = new Word(text, count);
            word.symbols.forEach(s -> characters.merge(s, count, Integer::sum));
            all.add(word);
        });
        characters.putIfAbsent(BLANK, 1);
        int merges = 0;
        while (pieces.size() + characters.size() < size) {
            Pair best = mostFrequent(all);
            if (best == null) {
                break;
            }
            pieces.add(new Piece(best.merged(), -merges++, Piece.Type.NORMAL));
            all.forEach(w -> w.merge(best.left(), best.right()));
        }
        for (String character : characters.keySet()) {
            pieces.add(new Piece(character, -merges++, Piece.Type.NORMAL));
        }
        return pieces;
    }

    /** Of equally frequent pairs the first in the order of their text; none that occurs once only. */
    private static Pair mostFrequent(List<Word> words) {
        Map<Pair, Integer> counts = new HashMap<>();
        for (Word word : words) {
            for (int i = 0; i + 1 < word.symbols.size(); i++) {
                counts.merge(new Pair(word.symbols.get(i), word.symbols.get(i + 1)), word.count, Integer::sum);
            }
        }
        Pair best = null;
        int most = 1;
        for (Map.Entry<Pair, Integer> entry : counts.entrySet()) {
            int count = entry.getValue();
            Pair pair = entry.getKey();
            if (count > most || count == most && best != null && order(pair, best) < 0) {
                best = pair;
                most = count;
            }
        }
        return best;
    }

    private static int order(Pair a, Pair b) {
        int byText = a.merged().compareTo(b.merged());
        return byText != 0 ? byText : a.left().compareTo(b.left());
    }
}
