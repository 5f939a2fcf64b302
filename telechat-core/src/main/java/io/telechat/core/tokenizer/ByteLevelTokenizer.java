// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Byte-level BPE as the 1B and 7B use it (a tokenizer.json of BLOOM's kind): text is cut at added tokens, then into words by a
 * pattern, and the bytes of each word are merged (Radford et al. 2019, "Language models are unsupervised multitask
 * learners"). The vocabulary writes each byte as a visible character.
 */
public final class ByteLevelTokenizer implements Tokenizer {
    private static final int BYTES = 256;

    private final String[] pieces;
    private final Map<String, Integer> idOf;
    private final Pattern words;
    private final boolean addPrefixBlank;
    private final AddedTokens added;
    private final BpeMerger merger;
    private final int[] idOfByte = new int[BYTES];
    private final Map<Character, Byte> byteOf = new HashMap<>();

    /**
     * @param source file to name in complaints
     * @param vocabulary id of each piece, added tokens included; ids are 0 up to their number or have gaps
     * @param merges pairs of pieces, the first to be merged first
     * @param words what is matched, and what lies between matches, are words of their own
     * @param addPrefixBlank whether a blank is put in front of text that does not begin with one
     */
    public ByteLevelTokenizer(
            String source,
            Map<String, Integer> vocabulary,
            List<Map.Entry<String, String>> merges,
            Pattern words,
            boolean addPrefixBlank,
            List<AddedToken> added) {
        this.idOf = Map.copyOf(vocabulary);
        this.words = words;
        this.addPrefixBlank = addPrefixBlank;
        this.added = new MatchedTokens(added);
        this.pieces = new String
                [1 + vocabulary.values().stream().mapToInt(i -> i).max().orElse(-1)];
        vocabulary.forEach((piece, id) -> pieces[id] = piece);
        for (int b = 0; b < BYTES; b++) {
            char visible = visible(b);
            byteOf.put(visible, (byte) b);
            Integer id = vocabulary.get(String.valueOf(visible));
            if (id == null) {
                throw new InvalidModelException("%s: the vocabulary has no piece for byte %d", source, b);
            }
            idOfByte[b] = id;
        }
        this.merger = new BpeMerger(new RankedMerges(source, idOf, merges));
    }

    /** Bytes that are printable in Latin-1 stand for themselves; the others are shifted to U+0100 and up, in order. */
    private static char visible(int value) {
        if (isPrintable(value)) {
            return (char) value;
        }
        int shifted = BYTES;
        for (int b = 0; b < value; b++) {
            shifted += isPrintable(b) ? 0 : 1;
        }
        return (char) shifted;
    }

    private static boolean isPrintable(int value) {
        return value >= '!' && value <= '~' || value >= 0xa1 && value <= 0xac || value >= 0xae;
    }

    private static final class RankedMerges implements MergeTable {
        private final PairTable table;
        private final int[] results;

        RankedMerges(String source, Map<String, Integer> idOf, List<Map.Entry<String, String>> merges) {
            table = new PairTable(merges.size());
            results = new int[merges.size()];
            for (int i = 0; i < results.length; i++) {
                String left = merges.get(i).getKey();
                String right = merges.get(i).getValue();
                if (!idOf.containsKey(left) || !idOf.containsKey(right) || !idOf.containsKey(left + right)) {
                    throw new InvalidModelException("%s: merge %d names pieces that the vocabulary lacks", source, i);
                }
                results[i] = idOf.get(left + right);
                if (table.get(idOf.get(left), idOf.get(right)) == PairTable.ABSENT) {
                    table.put(idOf.get(left), idOf.get(right), i);
                }
            }
        }

        @Override
        public int merge(int left, int right) {
            return table.get(left, right);
        }

        @Override
        public int rank(int merge) {
            return merge;
        }

        @Override
        public int result(int merge) {
            return results[merge];
        }
    }

    @Override
    public int[] encode(String text) {
        IntList ids = new IntList(text.length() / 2);
        for (AddedTokens.Segment segment : added.split(text)) {
            if (segment.id() >= 0) {
                ids.add(segment.id());
            } else {
                boolean blank = addPrefixBlank && segment.text().charAt(0) != ' ';
                encodeSegment(blank ? " " + segment.text() : segment.text(), ids);
            }
        }
        return ids.toArray();
    }

    private void encodeSegment(String text, IntList ids) {
        Matcher matcher = words.matcher(text);
        int from = 0;
        while (matcher.find()) {
            encodeWord(text.substring(from, matcher.start()), ids);
            encodeWord(matcher.group(), ids);
            from = matcher.end();
        }
        encodeWord(text.substring(from), ids);
    }

    private void encodeWord(String word, IntList ids) {
        if (word.isEmpty()) {
            return;
        }
        byte[] bytes = Utf8.encode(word);
        int[] run = new int[bytes.length];
        for (int i = 0; i < run.length; i++) {
            run[i] = idOfByte[bytes[i] & 0xff];
        }
        merger.merge(run, run.length, ids);
    }

    @Override
    public String decode(int... ids) {
        StringBuilder text = new StringBuilder();
        Utf8Buffer bytes = new Utf8Buffer();
        for (int id : ids) {
            text.append(added.isAdded(id) ? bytes.finish() + added.content(id) : decodePiece(id, bytes));
        }
        return text.append(bytes.finish()).toString();
    }

    private String decodePiece(int id, Utf8Buffer bytes) {
        StringBuilder text = new StringBuilder();
        for (char c : piece(id).toCharArray()) {
            Byte value = byteOf.get(c);
            text.append(value == null ? bytes.finish() + c : bytes.add(value));
        }
        return text.toString();
    }

    @Override
    public IncrementalDecoder newDecoder() {
        Utf8Buffer bytes = new Utf8Buffer();
        return new IncrementalDecoder() {
            @Override
            public String add(int id) {
                return added.isAdded(id) ? "" : decodePiece(id, bytes);
            }

            @Override
            public String finish() {
                return bytes.finish();
            }
        };
    }

    @Override
    public byte[] bytes(int id) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (!added.isAdded(id)) {
            for (char c : piece(id).toCharArray()) {
                Byte value = byteOf.get(c);
                out.writeBytes(value == null ? Utf8.encode(Character.toString(c)) : new byte[] {value});
            }
        }
        return out.toByteArray();
    }

    @Override
    public int size() {
        return pieces.length;
    }

    @Override
    public boolean has(int id) {
        return id >= 0 && id < pieces.length && pieces[id] != null;
    }

    @Override
    public String piece(int id) {
        if (id < 0 || id >= pieces.length) {
            throw new InvalidRequestException("token id %d is not in the vocabulary of %,d pieces", id, pieces.length);
        }
        return pieces[id] == null ? "" : pieces[id]; // ids may have gaps
    }

    @Override
    public OptionalInt id(String piece) {
        Integer id = idOf.get(piece);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
