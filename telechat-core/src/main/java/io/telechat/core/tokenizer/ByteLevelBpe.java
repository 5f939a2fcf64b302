// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Merges the bytes of each word (Radford et al. 2019, "Language models are unsupervised multitask learners"). Any text can be
 * written, so there is no unknown.
 */
final class ByteLevelBpe implements BpeModel {
    private final int[] idOfByte;
    private final BpeMerger merger;
    private final CharacterBorders borders;

    /** Words that are pieces, but that merging does not lead to, by their bytes. */
    private final Map<List<Integer>, Integer> unmerged;

    /** The first and last bytes of those. */
    private final PairFilter ends = new PairFilter();

    /**
     * @param idOfByte 256 ids
     * @param merges of those ids and what is made of them
     * @param borders of what is made of them
     */
    ByteLevelBpe(int[] idOfByte, MergeTable merges, CharacterBorders borders) {
        this(idOfByte, new BpeMerger(merges), borders, Map.of());
    }

    private ByteLevelBpe(
            int[] idOfByte, BpeMerger merger, CharacterBorders borders, Map<List<Integer>, Integer> unmerged) {
        this.idOfByte = idOfByte;
        this.merger = merger;
        this.borders = borders;
        this.unmerged = unmerged;
        unmerged.keySet().forEach(word -> ends.add(word.getFirst(), word.getLast()));
    }

    /**
     * The same, but a word that is a piece is that piece, whatever merging makes of it. It is the same for nearly all pieces, so
     * that those are found here for which it is not.
     *
     * @param bytesOf the bytes of each id; null where there is none, or where it is no piece
     */
    ByteLevelBpe wholeWordsFirst(byte[][] bytesOf) {
        Map<List<Integer>, Integer> others = new HashMap<>();
        IntList ids = new IntList(0);
        for (int id = 0; id < bytesOf.length; id++) {
            byte[] bytes = bytesOf[id];
            if (bytes == null || bytes.length == 0) {
                continue;
            }
            ids.clear();
            merger.merge(symbols(bytes), bytes.length, ids);
            if (ids.size() != 1 || ids.array()[0] != id) {
                others.put(key(bytes), id);
            }
        }
        return new ByteLevelBpe(idOfByte, merger, borders, Map.copyOf(others));
    }

    private int[] symbols(byte[] bytes) {
        int[] symbols = new int[bytes.length];
        for (int i = 0; i < symbols.length; i++) {
            symbols[i] = idOfByte[bytes[i] & 0xff];
        }
        return symbols;
    }

    private static List<Integer> key(byte[] bytes) {
        return IntStream.range(0, bytes.length).mapToObj(i -> bytes[i] & 0xff).toList();
    }

    /** The id of a word that merging does not lead to, or −1. */
    private int unmerged(int[] bytes, int length) {
        return ends.mayContain(bytes[0], bytes[length - 1])
                ? unmerged.getOrDefault(
                        IntStream.of(bytes).limit(length).boxed().toList(), -1)
                : -1;
    }

    @Override
    public void encode(String text, int from, int to, IntList run, IntList ids) {
        addBytes(text, from, to, run);
        int[] bytes = run.array();
        int length = run.size();
        run.clear();
        int whole = unmerged(bytes, length);
        if (whole >= 0) {
            ids.add(whole);
            return;
        }
        int start = 0;
        for (int i = 1; i < length; i++) {
            if (CharacterBorders.isBorder(bytes[i - 1], bytes[i]) && !borders.maySpan(bytes, start, i, length)) {
                merge(bytes, start, i, ids);
                start = i;
            }
        }
        merge(bytes, start, length, ids);
    }

    private void merge(int[] bytes, int from, int to, IntList ids) {
        int[] symbols = new int[to - from];
        for (int i = 0; i < symbols.length; i++) {
            symbols[i] = idOfByte[bytes[from + i]];
        }
        merger.merge(symbols, symbols.length, ids);
    }

    private static void addBytes(String text, int from, int to, IntList bytes) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                bytes.add(c);
            } else if (c < 0x800) {
                bytes.add(0xc0 | c >> 6);
                bytes.add(0x80 | c & 0x3f);
            } else if (!Character.isSurrogate(c)) {
                addThree(c, bytes);
            } else if (Character.isHighSurrogate(c) && i + 1 < to && Character.isLowSurrogate(text.charAt(i + 1))) {
                int codePoint = Character.toCodePoint(c, text.charAt(++i));
                bytes.add(0xf0 | codePoint >> 18);
                bytes.add(0x80 | codePoint >> 12 & 0x3f);
                bytes.add(0x80 | codePoint >> 6 & 0x3f);
                bytes.add(0x80 | codePoint & 0x3f);
            } else {
                addThree('\ufffd', bytes);
            }
        }
    }

    private static void addThree(char c, IntList bytes) {
        bytes.add(0xe0 | c >> 12);
        bytes.add(0x80 | c >> 6 & 0x3f);
        bytes.add(0x80 | c & 0x3f);
    }
}
