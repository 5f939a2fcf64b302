// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.gguf.GgufTokenizer;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a tokenizer.model file says: a protocol buffer as sentencepiece_model.proto describes it, of which we need the
 * pieces and a few switches.
 *
 * @param path the file, for messages
 * @param pieces the vocabulary; a piece's index is its id
 * @param addDummyPrefix whether a blank is put in front of every text
 */
public record SentencePieceModel(Path path, List<Piece> pieces, boolean addDummyPrefix) {
    private static final long MAX_BYTES = 256_000_000;
    private static final int MAX_PIECES = 1 << 20;

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private static final int MODEL_TYPE_BPE = 2;

    /** @throws InvalidModelException if the file is missing, damaged, or not a BPE model with byte fallback */
    public static SentencePieceModel read(Path path) {
        byte[] bytes;
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new InvalidModelException("%s: is not a file", path);
            }
            if (Files.size(path) > MAX_BYTES) {
                throw new InvalidModelException("%s: too long for a tokenizer model", path);
            }
            bytes = Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new InvalidModelException(
                    e, "%s: file is missing; --tokenizer DIR names another directory to take it from", path);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", path, e.getMessage());
        }
        try {
            return new Reader(path).model(ByteBuffer.wrap(bytes));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new InvalidModelException(e, "%s: damaged tokenizer model; copy or download it again", path);
        }
    }

    /**
     * What a GGUF file says in its place.
     *
     * @param path to name in complaints
     */
    static SentencePieceModel of(Path path, GgufTokenizer.Pieces gguf) {
        List<Piece> pieces = new ArrayList<>();
        for (int id = 0; id < gguf.texts().size(); id++) {
            Piece.Type type = Piece.Type.values()[gguf.types().get(id) - 1];
            pieces.add(new Piece(gguf.texts().get(id), gguf.scores().get(id), type));
        }
        if (pieces.size() > MAX_PIECES) {
            throw new InvalidModelException("%s: %,d pieces is no vocabulary", path, pieces.size());
        }
        return new SentencePieceModel(path, List.copyOf(pieces), gguf.addDummyPrefix());
    }

    /** Of a directory's tokenizer.model, or of what stands in its place. */
    static SentencePieceModel of(ModelFiles files) {
        Path path = files.path("tokenizer.model");
        return files.pieces().map(pieces -> of(path, pieces)).orElseGet(() -> read(path));
    }

    /** Whether and how text can turn into this piece. */
    public Matching matching(String piece) {
        for (Piece one : pieces) {
            if (one.text().equals(piece)) {
                return one.type() == Piece.Type.CONTROL ? Matching.CONTROL : Matching.IN_TEXT;
            }
        }
        return Matching.ABSENT;
    }

    /** Where a piece can come from. */
    public enum Matching {
        /** It is not in the vocabulary. */
        ABSENT,
        /** It is in the vocabulary, but never matched in text. */
        CONTROL,
        /** It is found in text. */
        IN_TEXT
    }

    /** Walks the wire format; fields that we don't need are skipped. */
    private record Reader(Path path) {
        SentencePieceModel model(ByteBuffer in) {
            List<Piece> pieces = new ArrayList<>();
            boolean addDummyPrefix = true;
            while (in.hasRemaining()) {
                int tag = tag(in);
                switch (tag) {
                    case 1 << 3 | BYTES -> pieces.add(piece(message(in)));
                    case 2 << 3 | BYTES -> checkTrainer(message(in));
                    case 3 << 3 | BYTES -> addDummyPrefix = readNormalizer(message(in));
                    default -> skip(in, tag);
                }
            }
            if (pieces.isEmpty() || pieces.size() > MAX_PIECES) {
                throw new InvalidModelException("%s: %,d pieces is no vocabulary", path, pieces.size());
            }
            return new SentencePieceModel(path, List.copyOf(pieces), addDummyPrefix);
        }

        private static Piece piece(ByteBuffer in) {
            String text = "";
            float score = 0;
            long type = 1;
            while (in.hasRemaining()) {
                int tag = tag(in);
                switch (tag) {
                    case 1 << 3 | BYTES -> text = text(message(in));
                    case 2 << 3 | FIXED32 -> score = in.getFloat();
                    case 3 << 3 | VARINT -> type = varint(in);
                    default -> skip(in, tag);
                }
            }
            if (type < 1 || type > Piece.Type.values().length) {
                throw new IllegalArgumentException("piece type " + type);
            }
            return new Piece(text, score, Piece.Type.values()[(int) type - 1]);
        }

        private void checkTrainer(ByteBuffer in) {
            long modelType = 1;
            boolean byteFallback = false;
            while (in.hasRemaining()) {
                int tag = tag(in);
                switch (tag) {
                    case 3 << 3 | VARINT -> modelType = varint(in);
                    case 35 << 3 | VARINT -> byteFallback = varint(in) != 0;
                    default -> skip(in, tag);
                }
            }
            if (modelType != MODEL_TYPE_BPE || !byteFallback) {
                throw new InvalidModelException(
                        "%s: not a BPE model with byte fallback, which all known models with a tokenizer.model use",
                        path);
            }
        }

        /** Whether a dummy prefix is added. Anything but the identity normaliser is refused rather than got wrong. */
        private boolean readNormalizer(ByteBuffer in) {
            boolean addDummyPrefix = true;
            boolean removeExtraWhitespace = true;
            boolean escapeWhitespace = true;
            int charsMap = 0;
            while (in.hasRemaining()) {
                int tag = tag(in);
                switch (tag) {
                    case 2 << 3 | BYTES -> charsMap = message(in).remaining();
                    case 3 << 3 | VARINT -> addDummyPrefix = varint(in) != 0;
                    case 4 << 3 | VARINT -> removeExtraWhitespace = varint(in) != 0;
                    case 5 << 3 | VARINT -> escapeWhitespace = varint(in) != 0;
                    default -> skip(in, tag);
                }
            }
            if (charsMap > 0 || removeExtraWhitespace || !escapeWhitespace) {
                throw new InvalidModelException(
                        "%s: it normalises text (characters or blanks), which no TeleChat tokenizer does", path);
            }
            return addDummyPrefix;
        }

        private static int tag(ByteBuffer in) {
            long tag = varint(in);
            if (tag <= 0 || tag > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("tag " + tag);
            }
            return (int) tag;
        }

        private static long varint(ByteBuffer in) {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte b = in.get();
                value |= (b & 0x7fL) << shift;
                if (b >= 0) {
                    return value;
                }
            }
            throw new IllegalArgumentException("varint of more than 64 bits");
        }

        private static ByteBuffer message(ByteBuffer in) {
            long length = varint(in);
            if (length < 0 || length > in.remaining()) {
                throw new IllegalArgumentException("field of " + length + " bytes");
            }
            ByteBuffer part = in.slice(in.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
            in.position(in.position() + (int) length);
            return part;
        }

        private static String text(ByteBuffer in) {
            return new String(in.array(), in.arrayOffset() + in.position(), in.remaining(), StandardCharsets.UTF_8);
        }

        private static void skip(ByteBuffer in, int tag) {
            switch (tag & 7) {
                case VARINT -> varint(in);
                case FIXED64 -> in.position(in.position() + 8);
                case BYTES -> message(in);
                case FIXED32 -> in.position(in.position() + 4);
                default -> throw new IllegalArgumentException("wire type " + (tag & 7));
            }
        }
    }
}
