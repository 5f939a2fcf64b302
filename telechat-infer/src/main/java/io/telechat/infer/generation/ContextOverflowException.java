// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.generation;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;

/** A prompt that leaves no room for an answer. */
public final class ContextOverflowException extends InvalidRequestException {
    private static final long serialVersionUID = 1L;

    private final int promptTokens;
    private final int contextLength;

    /** @param otherwise what else would help, beside a shorter prompt and a longer context */
    public ContextOverflowException(int promptTokens, int contextLength, Message otherwise) {
        super(
                "the prompt has %,d tokens, the context has room for %,d and the answer needs some: shorten it, or"
                        + " raise --context-length%s",
                promptTokens, contextLength, otherwise);
        this.promptTokens = promptTokens;
        this.contextLength = contextLength;
    }

    public int promptTokens() {
        return promptTokens;
    }

    public int contextLength() {
        return contextLength;
    }
}
