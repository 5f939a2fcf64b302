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

    /** Words that are pieces, but that merging does not lead to. */
    private final Map<List<Integer>, Integer> unmerged;

    /** The first and last bytes of those. */
    private final PairFilter ends = new PairFilter();

    /**
     * @param idOfByte 256 ids
     * @param merges of those ids and what is made of them
     */
    ByteLevelBpe(int[] idOfByte, MergeTable merges) {
        this(idOfByte, new BpeMerger(merges), Map.of());
    }

    private ByteLevelBpe(int[] idOfByte, BpeMerger merger, Map<List<Integer>, Integer> unmerged) {
        this.idOfByte = idOfByte;
        this.merger = merger;
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
                others.put(IntStream.of(symbols(bytes)).boxed().toList(), id);
            }
        }
        return new ByteLevelBpe(idOfByte, merger, Map.copyOf(others));
    }

    private int[] symbols(byte[] bytes) {
        int[] symbols = new int[bytes.length];
        for (int i = 0; i < symbols.length; i++) {
            symbols[i] = idOfByte[bytes[i] & 0xff];
        }
        return symbols;
    }

    /** The id of a word that merging does not lead to, or −1. */
    private int unmerged(int[] run, int length) {
        return ends.mayContain(run[0], run[length - 1])
                ? unmerged.getOrDefault(IntStream.of(run).limit(length).boxed().toList(), -1)
                : -1;
    }

    @Override
    public void encode(String text, int from, int to, IntList run, IntList ids) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                run.add(idOfByte[c]);
            } else if (c < 0x800) {
                run.add(idOfByte[0xc0 | c >> 6]);
                run.add(idOfByte[0x80 | c & 0x3f]);
            } else if (!Character.isSurrogate(c)) {
                addThree(c, run);
            } else if (Character.isHighSurrogate(c) && i + 1 < to && Character.isLowSurrogate(text.charAt(i + 1))) {
                int codePoint = Character.toCodePoint(c, text.charAt(++i));
                run.add(idOfByte[0xf0 | codePoint >> 18]);
                run.add(idOfByte[0x80 | codePoint >> 12 & 0x3f]);
                run.add(idOfByte[0x80 | codePoint >> 6 & 0x3f]);
                run.add(idOfByte[0x80 | codePoint & 0x3f]);
            } else {
                addThree('\ufffd', run);
            }
        }
        int whole = unmerged(run.array(), run.size());
        if (whole >= 0) {
            ids.add(whole);
        } else {
            merger.merge(run.array(), run.size(), ids);
        }
        run.clear();
    }

    private void addThree(char c, IntList run) {
        run.add(idOfByte[0xe0 | c >> 12]);
        run.add(idOfByte[0x80 | c >> 6 & 0x3f]);
        run.add(idOfByte[0x80 | c & 0x3f]);
    }
}
