// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.OptionalInt;
import java.util.Set;

/** Text to token ids and back. Implementations are immutable and may be used from any number of threads. */
public interface Tokenizer {
    /** The ids of a text; none for the empty text. No begin or end token is added. Lone surrogates count as U+FFFD. */
    int[] encode(String text);

    /**
     * As {@link #encode}, but the text becomes no special token: what is spelled like one is text. So it is for text that came
     * from people. Added tokens that are no marks, but text with an id of its own, are found.
     */
    int[] encodeOrdinary(String text);

    /**
     * The text of ids.
     *
     * @throws io.telechat.core.InvalidRequestException if an id is not in the vocabulary
     */
    String decode(int... ids);

    /** A decoder for ids that arrive one by one. */
    default IncrementalDecoder newDecoder() {
        return newDecoder(Set.of());
    }

    /** @param shown special tokens that are to come out, too, as text: those around thoughts or calls of tools */
    IncrementalDecoder newDecoder(Set<Integer> shown);

    /** All ids are below this. */
    int size();

    /** Whether there is a piece of this id: numbers below {@link #size} may be left out. */
    boolean has(int id);

    /**
     * The bytes that an id adds to a text, which may be part of a character only; a blank that a decoder takes off at the beginning
     * of a text is among them. None for marks that are no text.
     */
    byte[] bytes(int id);

    /** How the vocabulary writes an id, for people. */
    String piece(int id);

    /** The id of a vocabulary entry, by its spelling. */
    OptionalInt id(String piece);
}
