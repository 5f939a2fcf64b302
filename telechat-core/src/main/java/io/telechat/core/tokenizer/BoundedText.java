// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;

/**
 * A stretch of a text for a pattern that came with a file: it may be looked at a few hundred times over, so that no pattern
 * makes a text take forever.
 */
final class BoundedText implements CharSequence {
    private static final long LOOKS_PER_CHARACTER = 400;
    private static final long LOOKS_AT_LEAST = 1_000_000;

    private final Object source;
    private final String text;
    private final int from;
    private final int length;
    private long looks;

    BoundedText(Object source, String text, int from, int to) {
        this.source = source;
        this.text = text;
        this.from = from;
        this.length = to - from;
        this.looks = LOOKS_AT_LEAST + LOOKS_PER_CHARACTER * length;
    }

    @Override
    public int length() {
        return length;
    }

    /** @throws InvalidModelException if that was once too often */
    @Override
    public char charAt(int index) {
        if (--looks < 0) {
            throw new InvalidModelException(
                    "%s: its pattern takes too long on a text of %,d characters", source, length);
        }
        return text.charAt(from + index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(from + start, from + end);
    }

    @Override
    public String toString() {
        return text.substring(from, from + length);
    }
}
