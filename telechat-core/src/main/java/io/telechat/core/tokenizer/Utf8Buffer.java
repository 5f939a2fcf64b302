// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/**
 * Bytes that come one by one and leave as characters. Those that never make one become U+FFFD: each, as SentencePiece has it, or
 * one for as many as might have begun the same character, as Python and Rust have it ("maximal subparts" in the Unicode
 * standard, section 3.9).
 */
final class Utf8Buffer {
    private static final char REPLACEMENT = '\ufffd';

    private final boolean replacesEachByte;
    private final byte[] pending = new byte[4];
    private int count;

    Utf8Buffer(boolean replacesEachByte) {
        this.replacesEachByte = replacesEachByte;
    }

    /** Appends the characters that these bytes complete, perhaps none. */
    void add(byte[] bytes, StringBuilder out) {
        for (byte value : bytes) {
            add(value, out);
        }
    }

    /** Appends the characters that this byte completes, perhaps none. */
    void add(byte value, StringBuilder out) {
        if (count == 0 && value >= 0) {
            out.append((char) value);
            return;
        }
        pending[count++] = value;
        while (count > 0) {
            int length = Utf8.sequenceLength(pending[0]);
            if (length == 0 || !Utf8.isPrefix(pending, count)) {
                out.append(REPLACEMENT);
                dropFirst(replacesEachByte || count == 1 ? 1 : count - 1);
            } else if (count == length) {
                out.appendCodePoint(Utf8.codePoint(pending, length));
                count = 0;
            } else {
                return;
            }
        }
    }

    /** Appends what stands for the bytes that still wait. */
    void finish(StringBuilder out) {
        out.repeat(REPLACEMENT, replacesEachByte ? count : Math.min(count, 1));
        count = 0;
    }

    private void dropFirst(int bytes) {
        count -= bytes;
        System.arraycopy(pending, bytes, pending, 0, count);
    }
}
