// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/**
 * Root of every failure that telechat reports on purpose. The message is written for the person who reads it: what
 * failed, where, and how to fix it, in one line. Anything else that escapes is a bug of ours.
 */
public class TelechatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final int MAX_LENGTH = 2_000;

    public TelechatException(String message) {
        super(oneLine(message));
    }

    public TelechatException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /** Messages quote names from files, which may hold anything: a terminal must not be moved by them. */
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        message.codePoints()
                .limit(MAX_LENGTH)
                .map(c -> Character.isISOControl(c) || c == 0x2028 || c == 0x2029 ? '?' : c)
                .forEach(line::appendCodePoint);
        return line.toString();
    }
}
