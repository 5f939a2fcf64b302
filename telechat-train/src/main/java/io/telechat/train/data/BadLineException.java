// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.Message;

/** A line that no sample can be made of. */
final class BadLineException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is wrong, as the report counts it. */
    enum Reason {
        MALFORMED_JSON(Message.of("malformed JSON")),
        MISSING_FIELDS(Message.of("missing fields")),
        UNUSED_FIELD(Message.of("a field that would not be used")),
        WRONG_TURNS(Message.of("turns out of order")),
        UNUSABLE_ROLE(Message.of("unusable role")),
        ROLE_MARKER(Message.of("role marker inside a message")),
        EMPTY(Message.of("empty question or answer"));

        private final Message message;

        Reason(Message message) {
            this.message = message;
        }

        String text() {
            return message.toString();
        }
    }

    private final Reason reason;
    private final transient Message detail;

    /** @param format what of the line it is, of {@link Message#of}; may be empty */
    BadLineException(Reason reason, String format, Object... arguments) {
        this(reason, Message.of(format, arguments));
    }

    /** @param detail what of the line it is; may be empty */
    BadLineException(Reason reason, Message detail) {
        super(null, null, false, false);
        this.reason = reason;
        this.detail = detail;
    }

    /** What is wrong with the line. */
    Message message() {
        return detail().isEmpty() ? reason.message : Message.of("%s: %s", reason.message, detail);
    }

    @Override
    public String getMessage() {
        return message().toString();
    }

    Reason reason() {
        return reason;
    }

    /** What of the line it is, in English; may be empty. */
    String detail() {
        return detail.toString();
    }
}
