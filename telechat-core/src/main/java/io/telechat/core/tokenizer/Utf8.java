// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.nio.charset.StandardCharsets;

/** UTF-8 sequences that are still growing (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
final class Utf8 {
    private Utf8() {}

    /** The bytes of a text, in which a lone surrogate counts as U+FFFD. */
    static byte[] encode(String text) {
        boolean broken = text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        String whole = broken
                ? text.codePoints()
                        .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xfffd : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString()
                : text;
        return whole.getBytes(StandardCharsets.UTF_8);
    }

    /** Bytes of a sequence with this first byte; 0 if none begins with it. */
    static int sequenceLength(byte first) {
        int b = first & 0xff;
        if (b < 0x80) {
            return 1;
        }
        if (b < 0xc2) {
            return 0;
        }
        if (b < 0xe0) {
            return 2;
        }
        if (b < 0xf0) {
            return 3;
        }
        return b < 0xf5 ? 4 : 0;
    }

    /** Whether some sequence begins with these bytes, of which the first is a valid first byte. */
    static boolean isPrefix(byte[] bytes, int count) {
        for (int i = 1; i < count; i++) {
            if ((bytes[i] & 0xc0) != 0x80) {
                return false;
            }
        }
        if (count < 2) {
            return true;
        }
        int second = bytes[1] & 0xff;
        return switch (bytes[0] & 0xff) {
            case 0xe0 -> second >= 0xa0;
            case 0xed -> second < 0xa0;
            case 0xf0 -> second >= 0x90;
            case 0xf4 -> second < 0x90;
            default -> true;
        };
    }

    /** The character of a complete sequence. */
    static int codePoint(byte[] bytes, int length) {
        if (length == 1) {
            return bytes[0];
        }
        int value = bytes[0] & (0xff >> (length + 1));
        for (int i = 1; i < length; i++) {
            value = value << 6 | bytes[i] & 0x3f;
        }
        return value;
    }
}
