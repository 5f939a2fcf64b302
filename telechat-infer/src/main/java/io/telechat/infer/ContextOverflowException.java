// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;

/** A prompt that leaves no room for an answer. */
public final class ContextOverflowException extends InvalidRequestException {
    private static final long serialVersionUID = 1L;

    private final int promptTokens;
    private final int contextLength;

    public ContextOverflowException(int promptTokens, int contextLength) {
        super(
                "the prompt has %,d tokens, the context has room for %,d and the answer needs some: shorten it, raise --context-length, or allow --context-overflow drop-oldest-turns"
                        .formatted(promptTokens, contextLength));
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
