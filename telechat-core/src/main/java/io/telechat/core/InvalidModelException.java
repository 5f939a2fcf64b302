// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/** A checkpoint, tokenizer, configuration or data file that is missing, damaged, or not what it should be. */
public final class InvalidModelException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public InvalidModelException(String format, Object... arguments) {
        super(format, arguments);
    }

    public InvalidModelException(Throwable cause, String format, Object... arguments) {
        super(cause, format, arguments);
    }
}
