// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/** Input that is missing, damaged, or not what it should be, and no part of a model: data, a conversation, standard input. */
public final class InvalidInputException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public InvalidInputException(String format, Object... arguments) {
        super(format, arguments);
    }

    public InvalidInputException(Throwable cause, String format, Object... arguments) {
        super(cause, format, arguments);
    }
}
