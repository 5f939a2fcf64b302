// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/** The machine has too little memory for what was asked; the message carries the bill and what would fit. */
public final class InsufficientMemoryException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public InsufficientMemoryException(String format, Object... arguments) {
        super(format, arguments);
    }
}
