// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** One entry of a SentencePiece vocabulary; blanks are written as {@code ▁} (U+2581). */
public record Piece(String text, float score, Type type) {
    /** Kinds of entries, numbered as in sentencepiece_model.proto. */
    public enum Type {
        NORMAL,
        UNKNOWN,
        CONTROL,
        USER_DEFINED,
        UNUSED,
        BYTE
    }
}
