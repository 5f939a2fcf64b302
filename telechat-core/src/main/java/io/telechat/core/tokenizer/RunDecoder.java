// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * Decodes one run of ids without added tokens, id by id. The blank that the dummy prefix put in front is taken off again;
 * bytes wait until they make up a character, and those that never do become U+FFFD each (sentencepiece_processor.cc).
 */
final class RunDecoder {
    private static final String UNKNOWN = " \u2047 ";

    private final SentencePieceTokenizer tokenizer;
    private final Utf8Buffer bytes = new Utf8Buffer(true);
    private boolean atStart = true;
    private boolean started;

    RunDecoder(SentencePieceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Whether any id has come in. */
    boolean hasStarted() {
        return started;
    }

    /** Appends the text that this id completes, perhaps none. */
    void add(int id, StringBuilder out) {
        started = true;
        Piece piece = tokenizer.pieceAt(id);
        if (piece.type() == Piece.Type.BYTE) {
            atStart = false;
            bytes.add(tokenizer.byteOf(id), out);
            return;
        }
        finish(out);
        out.append(surface(piece));
    }

    private String surface(Piece piece) {
        return switch (piece.type()) {
            case CONTROL -> "";
            case UNKNOWN -> {
                atStart = false;
                yield UNKNOWN;
            }
            case NORMAL, USER_DEFINED, UNUSED, BYTE -> {
                String text = piece.text();
                if (atStart
                        && tokenizer.strips()
                        && !text.isEmpty()
                        && text.charAt(0) == SentencePieceTokenizer.BLANK) {
                    text = text.substring(1);
                }
                atStart = false;
                yield text.replace(SentencePieceTokenizer.BLANK, ' ');
            }
        };
    }

    /** Appends the text of bytes that still wait: U+FFFD for each. */
    void finish(StringBuilder out) {
        bytes.finish(out);
    }
}
