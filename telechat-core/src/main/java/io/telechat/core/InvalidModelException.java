// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/** A checkpoint, tokenizer, configuration or data file that is missing, damaged, or not what it should be. */
public final class InvalidModelException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public InvalidModelException(String message) {
        super(message);
    }

    public InvalidModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
