// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** Bytes that come one by one and leave as characters; those that never make one become U+FFFD each. */
final class Utf8Buffer {
    private static final char REPLACEMENT = '\ufffd';

    private final byte[] pending = new byte[4];
    private int count;

    /** The characters that this byte completes, perhaps none. */
    String add(byte value) {
        pending[count++] = value;
        StringBuilder text = new StringBuilder();
        while (count > 0) {
            int length = Utf8.sequenceLength(pending[0]);
            if (length == 0 || !Utf8.isPrefix(pending, count)) {
                text.append(REPLACEMENT);
                dropFirst(1);
            } else if (count == length) {
                text.appendCodePoint(Utf8.codePoint(pending, length));
                dropFirst(length);
            } else {
                break;
            }
        }
        return text.toString();
    }

    /** U+FFFD for each byte that still waits. */
    String finish() {
        String text = String.valueOf(REPLACEMENT).repeat(count);
        count = 0;
        return text;
    }

    private void dropFirst(int bytes) {
        count -= bytes;
        System.arraycopy(pending, bytes, pending, 0, count);
    }
}
