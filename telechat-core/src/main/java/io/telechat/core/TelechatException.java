// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/**
 * Root of every failure that telechat reports on purpose. The message is written for the person who reads it: what
 * failed, where, and how to fix it, in one line. Anything else that escapes is a bug of ours.
 *
 * <p>{@link #getMessage} is English, for logs and for searching; {@link #getLocalizedMessage} is in the language of the default
 * locale, if there is a translation.
 */
public class TelechatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final int MAX_LENGTH = 2_000;

    private final transient Message message;

    /**
     * @param format of {@link Message#of}
     * @param arguments what goes into it
     */
    public TelechatException(String format, Object... arguments) {
        this(null, Message.of(format, arguments));
    }

    /**
     * @param cause what it comes from, or null
     * @param format of {@link Message#of}
     * @param arguments what goes into it
     */
    public TelechatException(Throwable cause, String format, Object... arguments) {
        this(cause, Message.of(format, arguments));
    }

    private TelechatException(Throwable cause, Message message) {
        super(oneLine(message.toString()), cause);
        this.message = message;
    }

    /** What is reported, to be part of another message. */
    public final Message message() {
        return message == null ? Message.of("%s", getMessage()) : message; // null behind serialization
    }

    @Override
    public String getLocalizedMessage() {
        return oneLine(message().localized());
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
