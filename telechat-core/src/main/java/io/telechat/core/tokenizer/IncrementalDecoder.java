// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * Decodes ids as they arrive: never half a character, never a lost or doubled blank. Added tokens and control pieces are
 * left out; what comes out in all is what {@link Tokenizer#decode} gives for the other ids.
 */
public final class IncrementalDecoder {
    private final SentencePieceTokenizer tokenizer;
    private final RunDecoder run;

    IncrementalDecoder(SentencePieceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.run = new RunDecoder(tokenizer);
    }

    /** The text that this id completes; empty while it may still be part of a character. */
    public String add(int id) {
        tokenizer.checkId(id);
        return tokenizer.isAdded(id) ? "" : run.add(id);
    }

    /** Ends the text: bytes that never became a character come out as U+FFFD each. */
    public String finish() {
        return run.finish();
    }
}
