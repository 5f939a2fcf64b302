// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidRequestException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/**
 * Text is normalized, cut at added tokens, then into words, and these are merged: what files of tiktoken and of the tokenizers
 * library describe. Ids are decoded by joining their bytes.
 */
final class PipelineTokenizer implements Tokenizer {
    private final Vocabulary vocabulary;
    private final UnaryOperator<String> normalizer;
    private final Function<String, List<AddedTokens.Segment>> allTokens;
    private final Function<String, List<AddedTokens.Segment>> textTokens;
    private final Words words;
    private final BpeModel model;
    private final Joining joining;

    /**
     * What ids stand for.
     *
     * @param pieces how the file writes each id; null where there is none
     * @param bytes what each id is in a text, added tokens included
     * @param added by their ids
     */
    record Vocabulary(String[] pieces, byte[][] bytes, Map<Integer, AddedToken> added) {}

    /**
     * How words are cut.
     *
     * @param atStart of the stretch that a text begins with
     * @param behind of those behind added tokens
     */
    record Words(PreTokenizer atStart, PreTokenizer behind) {}

    /**
     * How the bytes of ids are joined.
     *
     * @param replacesEachByte as of {@link Utf8Buffer}
     * @param stripped a character taken off the beginning
     * @param strips how many of those at most
     */
    record Joining(boolean replacesEachByte, char stripped, int strips) {}

    private final Map<String, Integer> idOf = new HashMap<>();

    /**
     * @param normalizer of whole texts, before added tokens are looked for
     * @param allTokens cuts text at added tokens
     * @param textTokens cuts text at those that are no marks
     */
    PipelineTokenizer(
            Vocabulary vocabulary,
            UnaryOperator<String> normalizer,
            Function<String, List<AddedTokens.Segment>> allTokens,
            Function<String, List<AddedTokens.Segment>> textTokens,
            Words words,
            BpeModel model,
            Joining joining) {
        this.vocabulary = vocabulary;
        this.normalizer = normalizer;
        this.allTokens = allTokens;
        this.textTokens = textTokens;
        this.words = words;
        this.model = model;
        this.joining = joining;
        for (int id = vocabulary.pieces().length - 1; id >= 0; id--) {
            if (vocabulary.pieces()[id] != null) {
                idOf.put(vocabulary.pieces()[id], id);
            }
        }
        vocabulary.added().values().forEach(token -> idOf.put(token.content(), token.id()));
    }

    @Override
    public int[] encode(String text) {
        return encode(text, allTokens);
    }

    @Override
    public int[] encodeOrdinary(String text) {
        return encode(text, textTokens);
    }

    private int[] encode(String text, Function<String, List<AddedTokens.Segment>> tokens) {
        String normal = normalizer.apply(text);
        IntList ids = new IntList(normal.length() / 2);
        IntList run = new IntList(0);
        PreTokenizer.Sink sink = (word, from, to) -> model.encode(word, from, to, run, ids);
        for (AddedTokens.Segment segment : tokens.apply(normal)) {
            if (segment.id() >= 0) {
                ids.add(segment.id());
            } else {
                PreTokenizer cut = segment.isFirst() ? words.atStart() : words.behind();
                cut.split(segment.text(), 0, segment.text().length(), sink);
            }
        }
        return ids.toArray();
    }

    @Override
    public String decode(int... ids) {
        Decoder decoder = new Decoder(id -> true);
        StringBuilder text = new StringBuilder(4 * ids.length);
        for (int id : ids) {
            decoder.add(id, text);
        }
        decoder.bytes.finish(text);
        return text.toString();
    }

    @Override
    public IncrementalDecoder newDecoder(Set<Integer> shown) {
        Set<Integer> marks = Set.copyOf(shown);
        return new Decoder(marks::contains);
    }

    private final class Decoder implements IncrementalDecoder {
        private final IntPredicate printsMark;
        private final Utf8Buffer bytes = new Utf8Buffer(joining.replacesEachByte());
        private int strips = joining.strips();

        Decoder(IntPredicate printsMark) {
            this.printsMark = printsMark;
        }

        @Override
        public String add(int id) {
            StringBuilder text = new StringBuilder();
            add(id, text);
            return text.toString();
        }

        void add(int id, StringBuilder text) {
            checkId(id);
            if (vocabulary.bytes()[id] == null || isMark(id) && !printsMark.test(id)) {
                return;
            }
            for (byte value : vocabulary.bytes()[id]) {
                if (strips > 0 && value == joining.stripped()) {
                    strips--;
                } else {
                    strips = 0;
                    bytes.add(value, text);
                }
            }
        }

        @Override
        public String finish() {
            StringBuilder text = new StringBuilder();
            bytes.finish(text);
            return text.toString();
        }
    }

    private void checkId(int id) {
        if (id < 0 || id >= size()) {
            throw new InvalidRequestException("token id %d is not in the vocabulary of %,d pieces", id, size());
        }
    }

    private boolean isMark(int id) {
        AddedToken token = vocabulary.added().get(id);
        return token != null && token.special();
    }

    @Override
    public byte[] bytes(int id) {
        checkId(id);
        byte[] bytes = vocabulary.bytes()[id];
        return bytes == null || isMark(id) ? new byte[0] : bytes.clone();
    }

    @Override
    public int size() {
        return vocabulary.pieces().length;
    }

    @Override
    public boolean has(int id) {
        return id >= 0 && id < size() && vocabulary.pieces()[id] != null;
    }

    @Override
    public String piece(int id) {
        checkId(id);
        String piece = vocabulary.pieces()[id];
        return piece == null ? "" : piece; // ids may have gaps
    }

    @Override
    public OptionalInt id(String piece) {
        Integer id = idOf.get(piece);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
