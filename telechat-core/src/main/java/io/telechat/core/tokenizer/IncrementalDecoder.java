// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * Decodes ids as they arrive: never half a character, never a lost or doubled blank. Special tokens that are not asked for and control pieces are
 * left out; what comes out in all is what {@link Tokenizer#decode} gives for the other ids.
 */
public interface IncrementalDecoder {
    /**
     * The text that this id completes; empty while it may still be part of a character.
     *
     * @throws io.telechat.core.InvalidRequestException if the id is not in the vocabulary
     */
    String add(int id);

    /** Ends the text: bytes that never became a character come out as U+FFFD. */
    String finish();
}
