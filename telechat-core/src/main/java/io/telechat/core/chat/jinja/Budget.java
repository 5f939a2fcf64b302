// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

import io.telechat.core.Message;

/** How much a rendering may do, so that every template comes to an end. */
final class Budget {
    private static final int MAX_DEPTH = 250;
    private static final long STEPS = 5_000_000;
    private static final long STEPS_PER_CHARACTER = 200;

    private long left;
    private int depth;

    /** @param characters that the template is given to read */
    Budget(long characters) {
        this.left = STEPS + STEPS_PER_CHARACTER * characters;
    }

    /** @param steps that are about to be done; for text or a list that is made, its length */
    void spend(long steps) {
        left -= Math.max(steps, 0);
        if (left < 0 || steps > Integer.MAX_VALUE) {
            throw new TemplateFault(Message.of("it takes too long, or makes too long a text"));
        }
    }

    /** For going through a text, which is faster than through values. */
    void spendReading(String text) {
        spend(text.length() / 8);
    }

    void enter() {
        spend(1);
        if (++depth > MAX_DEPTH) {
            throw new TemplateFault(Message.of("it is nested more than %d deep", MAX_DEPTH));
        }
    }

    void leave() {
        depth--;
    }
}
