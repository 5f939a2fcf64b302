// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;

/** What is wrong with a template, or with the way it goes on with the values it was given. */
final class TemplateFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Message complaint;
    private final int line;

    /** @param line of the template, from 1; 0 if it is not known here */
    TemplateFault(int line, Message complaint) {
        super(complaint.toString(), null, false, false);
        this.complaint = complaint;
        this.line = line;
    }

    TemplateFault(Message complaint) {
        this(0, complaint);
    }

    Message complaint() {
        return complaint;
    }

    int line() {
        return line;
    }
}
