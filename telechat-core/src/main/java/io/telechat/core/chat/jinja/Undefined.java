// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat.jinja;

/**
 * The value of what there is not: no text, false, and nothing to go through; anything else fails.
 *
 * @param name what was looked for
 */
record Undefined(String name) {
    static final Undefined UNNAMED = new Undefined("");

    @Override
    public boolean equals(Object other) {
        return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
        return 0;
    }
}
