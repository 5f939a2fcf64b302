// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A SentencePiece BPE model with the reference's treatment of added tokens around it: text is cut at added tokens, and
 * every stretch between them is encoded on its own, with its own dummy prefix.
 *
 * <p>A stretch is cut further wherever no piece of the vocabulary spans two neighbouring characters. No merge can reach
 * across such a place, so the short runs between may be merged one by one, and remembered.
 */
public final class SentencePieceTokenizer implements Tokenizer {
    static final char BLANK = '\u2581';
    private static final int BYTES = 256;

    private final List<Piece> pieces;
    private final boolean addDummyPrefix;
    private final BpeVocabulary vocabulary;
    private final BpeMerger merger;
    private final Literals userDefined;
    private final int[] bytePieces = new int[BYTES];
    private final Map<String, Integer> idOf;
    private final Map<Integer, AddedToken> addedOf = new HashMap<>();
    private final AddedTokens added;
    private final AddedTokens addedText;
    private final boolean blankBeforeRuns;

    /**
     * @param model the vocabulary
     * @param added tokens that are found in text before the model sees it
     * @param blankBeforeRuns whether decoding puts a blank before every run that an added token follows, as the tokenizer
     *     class of the 12B and 115B does
     * @throws InvalidModelException if the vocabulary lacks bytes, or an added token's id
     */
    public SentencePieceTokenizer(SentencePieceModel model, List<AddedToken> added, boolean blankBeforeRuns) {
        Path path = model.path();
        this.pieces = model.pieces();
        this.addDummyPrefix = model.addDummyPrefix();
        this.vocabulary = new BpeVocabulary(model);
        this.merger = new BpeMerger(vocabulary);
        this.userDefined = new Literals(
                path,
                pieces.stream()
                        .map(p -> p.type() == Piece.Type.USER_DEFINED ? p.text() : "")
                        .toArray(String[]::new));
        this.idOf = HashMap.newHashMap(pieces.size());
        int next = 0;
        for (int id = 0; id < pieces.size(); id++) {
            idOf.putIfAbsent(pieces.get(id).text(), id);
            if (pieces.get(id).type() == Piece.Type.BYTE && next < BYTES) {
                bytePieces[next++] = id;
            }
        }
        if (next != BYTES) {
            throw new InvalidModelException("%s: has %d byte pieces instead of 256", path, next);
        }
        for (AddedToken token : added) {
            if (token.id() < 0 || token.id() >= pieces.size()) {
                throw new InvalidModelException(
                        "%s: added token '%s' has id %d of %d", path, token.content(), token.id(), pieces.size());
            }
            addedOf.put(token.id(), token);
        }
        added.forEach(token -> idOf.put(token.content(), token.id())); // they win over the pieces of their names
        this.added = new AddedTokens(path, added);
        this.addedText =
                new AddedTokens(path, added.stream().filter(t -> !t.special()).toList());
        this.blankBeforeRuns = blankBeforeRuns;
    }

    @Override
    public int[] encode(String text) {
        return encode(text, added);
    }

    @Override
    public int[] encodeOrdinary(String text) {
        return encode(text, addedText);
    }

    private int[] encode(String text, AddedTokens matched) {
        IntList ids = new IntList(text.length() / 2);
        IntList run = new IntList(0);
        for (AddedTokens.Segment segment : matched.split(text)) {
            if (segment.id() >= 0) {
                ids.add(segment.id());
            } else {
                encodeSegment(segment.text(), run, ids);
            }
        }
        return ids.toArray();
    }

    private void encodeSegment(String text, IntList run, IntList ids) {
        if (addDummyPrefix) {
            addCharacter(BLANK, run, ids);
        }
        int length = text.length();
        for (int i = 0; i < length; ) {
            char c = text.charAt(i);
            if (userDefined.mayStart(c)) {
                int match = userDefined.longestMatch(text, i);
                if (match >= 0) {
                    flush(run, ids);
                    ids.add(match);
                    i += userDefined.length(match);
                    continue;
                }
            }
            int codePoint = c == ' ' ? BLANK : c;
            int width = 1;
            if (Character.isSurrogate(c)) {
                codePoint = text.codePointAt(i);
                width = Character.charCount(codePoint);
                codePoint = width == 1 ? 0xfffd : codePoint;
            }
            addCharacter(codePoint, run, ids);
            i += width;
        }
        flush(run, ids);
    }

    private void addCharacter(int codePoint, IntList run, IntList ids) {
        int symbol = vocabulary.symbol(codePoint);
        if (symbol == BpeVocabulary.NO_SYMBOL) {
            flush(run, ids);
            addBytes(codePoint, ids);
            return;
        }
        if (run.size() > 0 && !vocabulary.mayJoin(lastCharacter(run), symbol)) {
            flush(run, ids);
        }
        run.add(symbol);
    }

    private static int lastCharacter(IntList run) {
        return run.array()[run.size() - 1];
    }

    private void flush(IntList run, IntList ids) {
        if (run.size() == 0) {
            return;
        }
        int start = ids.size();
        merger.merge(run.array(), run.size(), ids);
        run.clear();
        for (int i = start; i < ids.size(); i++) {
            if (ids.array()[i] >= pieces.size()) {
                replaceCharactersByBytes(ids, start);
                return;
            }
        }
    }

    /** Characters that occur in pieces but are none themselves fall back to bytes, where no merge has used them up. */
    private void replaceCharactersByBytes(IntList ids, int start) {
        int[] all = ids.toArray();
        ids.truncate(start);
        for (int i = start; i < all.length; i++) {
            if (all[i] < pieces.size()) {
                ids.add(all[i]);
            } else {
                addBytes(vocabulary.character(all[i]), ids);
            }
        }
    }

    private void addBytes(int codePoint, IntList ids) {
        for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
            ids.add(bytePieces[b & 0xff]);
        }
    }

    @Override
    public String decode(int... ids) {
        StringBuilder text = new StringBuilder();
        RunDecoder run = new RunDecoder(this);
        int runStart = 0;
        for (int id : ids) {
            checkId(id);
            if (!isAdded(id)) {
                run.add(id, text);
                continue;
            }
            run.finish(text);
            if (run.hasStarted() && blankBeforeRuns) {
                text.insert(runStart, ' ');
            }
            text.append(piece(id));
            run = new RunDecoder(this);
            runStart = text.length();
        }
        run.finish(text);
        return text.toString();
    }

    @Override
    public IncrementalDecoder newDecoder(Set<Integer> shown) {
        return new SentencePieceDecoder(this, shown);
    }

    boolean isAdded(int id) {
        return addedOf.containsKey(id);
    }

    /** Whether this is an added token that is no text. */
    boolean isMark(int id) {
        return isAdded(id) && addedOf.get(id).special();
    }

    void checkId(int id) {
        if (id < 0 || id >= pieces.size()) {
            throw new InvalidRequestException("token id %d is not in the vocabulary of %,d pieces", id, pieces.size());
        }
    }

    Piece pieceAt(int id) {
        return pieces.get(id);
    }

    /** The byte that a byte piece stands for. */
    byte byteOf(int id) {
        return (byte) (id - bytePieces[0]);
    }

    boolean strips() {
        return addDummyPrefix;
    }

    @Override
    public int size() {
        return pieces.size();
    }

    @Override
    public boolean has(int id) {
        return id >= 0 && id < pieces.size();
    }

    @Override
    public byte[] bytes(int id) {
        checkId(id);
        Piece piece = pieces.get(id);
        if (isAdded(id)) {
            return isMark(id) ? new byte[0] : Utf8.encode(piece(id));
        }
        return switch (piece.type()) {
            case BYTE -> new byte[] {byteOf(id)};
            case CONTROL, UNKNOWN -> new byte[0];
            case NORMAL, USER_DEFINED, UNUSED -> Utf8.encode(piece.text().replace(BLANK, ' '));
        };
    }

    @Override
    public String piece(int id) {
        checkId(id);
        return isAdded(id) ? addedOf.get(id).content() : pieces.get(id).text();
    }

    @Override
    public OptionalInt id(String piece) {
        Integer id = idOf.get(piece);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
