// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes tokenizer.model files that {@link SentencePieceModel} and SentencePiece itself read. */
public final class SentencePieceWriter {
    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;
    private static final int MODEL_TYPE_BPE = 2;

    private SentencePieceWriter() {}

    /** A vocabulary of single bytes and the marks of the 12B's chat format: any text is one id per byte. */
    public static List<Piece> byteVocabulary() {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece("<_unk>", 0, Piece.Type.UNKNOWN));
        for (String mark : List.of("<_start>", "<_end>", "<_pad>")) {
            pieces.add(new Piece(mark, 0, Piece.Type.CONTROL));
        }
        for (String mark : List.of("<_user>", "<_bot>", "<_system>")) {
            pieces.add(new Piece(mark, 0, Piece.Type.USER_DEFINED));
        }
        for (int b = 0; b < 256; b++) {
            pieces.add(new Piece("<0x%02X>".formatted(b), 0, Piece.Type.BYTE));
        }
        pieces.add(new Piece(String.valueOf(SentencePieceTokenizer.BLANK), -1, Piece.Type.NORMAL));
        return pieces;
    }

    /** Writes a BPE model with byte fallback, dummy prefix, and no normalisation. */
    public static void write(Path file, List<Piece> pieces) throws IOException {
        write(file, pieces, true);
    }

    /** Likewise, with a dummy prefix or without. */
    static void write(Path file, List<Piece> pieces, boolean addDummyPrefix) throws IOException {
        Message model = new Message();
        for (Piece piece : pieces) {
            Message message = new Message();
            message.text(1, piece.text());
            message.number(2, piece.score());
            message.varint(3, piece.type().ordinal() + 1L);
            model.message(1, message);
        }
        Message trainer = new Message();
        trainer.varint(3, MODEL_TYPE_BPE);
        trainer.varint(4, pieces.size());
        trainer.varint(35, 1);
        model.message(2, trainer);
        Message normalizer = new Message();
        normalizer.text(1, "identity");
        normalizer.varint(3, addDummyPrefix ? 1 : 0);
        normalizer.varint(4, 0);
        normalizer.varint(5, 1);
        model.message(3, normalizer);
        Files.write(file, model.out.toByteArray());
    }

    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        private void raw(long value) {
            for (long rest = value; ; rest >>>= 7) {
                if (rest < 0x80) {
                    out.write((int) rest);
                    return;
                }
                out.write((int) (rest & 0x7f | 0x80));
            }
        }

        private void varint(int field, long value) {
            raw((long) field << 3 | VARINT);
            raw(value);
        }

        private void number(int field, float value) {
            raw((long) field << 3 | FIXED32);
            out.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(value)
                    .array());
        }

        private void text(int field, String value) {
            bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        private void message(int field, Message value) {
            bytes(field, value.out.toByteArray());
        }

        private void bytes(int field, byte[] value) {
            raw((long) field << 3 | BYTES);
            raw(value.length);
            out.writeBytes(value);
        }
    }
}
