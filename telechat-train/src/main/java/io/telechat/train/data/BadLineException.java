// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

/** A line that no sample can be made of. */
final class BadLineException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is wrong, as the report counts it. */
    enum Reason {
        MALFORMED_JSON("malformed JSON"),
        MISSING_FIELDS("missing fields"),
        UNUSED_FIELD("a field that would not be used"),
        WRONG_TURNS("turns out of order"),
        UNUSABLE_ROLE("unusable role"),
        ROLE_MARKER("role marker inside a message"),
        EMPTY("empty question or answer");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    private final Reason reason;
    private final String detail;

    BadLineException(Reason reason, String detail) {
        super(reason.text() + (detail.isEmpty() ? "" : ": " + detail), null, false, false);
        this.reason = reason;
        this.detail = detail;
    }

    Reason reason() {
        return reason;
    }

    /** What of the line it is; may be empty. */
    String detail() {
        return detail;
    }
}
