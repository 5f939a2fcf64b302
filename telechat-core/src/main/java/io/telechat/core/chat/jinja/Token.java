// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

/**
 * A piece of a template's source.
 *
 * @param text what it says: the decoded text of a string, the name of a name
 * @param line where it begins, from 1
 */
record Token(Kind kind, String text, int line) {
    enum Kind {
        /** Text outside of tags. */
        TEXT,
        TAG_BEGIN,
        TAG_END,
        PRINT_BEGIN,
        PRINT_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted, String wantedText) {
        return kind == wanted && text.equals(wantedText);
    }
}
