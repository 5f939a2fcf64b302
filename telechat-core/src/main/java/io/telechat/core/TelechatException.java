// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/**
 * Root of every failure that telechat reports on purpose. The message is written for the person who reads it: what
 * failed, where, and how to fix it, in one line. Anything else that escapes is a bug of ours.
 */
public class TelechatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TelechatException(String message) {
        super(message);
    }

    public TelechatException(String message, Throwable cause) {
        super(message, cause);
    }
}
