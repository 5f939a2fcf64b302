// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** How byte-level vocabularies write bytes as visible characters (bytes_to_unicode in GPT-2's encoder.py). */
final class ByteCharacters {
    private static final int BYTES = 256;
    private static final char[] CHARACTER_OF = new char[BYTES];
    private static final int[] BYTE_OF = new int[2 * BYTES];

    /** Bytes that are printable in Latin-1 stand for themselves; the others are shifted to U+0100 and up, in order. */
    static {
        Arrays.fill(BYTE_OF, -1);
        int shifted = BYTES;
        for (int b = 0; b < BYTES; b++) {
            CHARACTER_OF[b] = (char) (isPrintable(b) ? b : shifted++);
            BYTE_OF[CHARACTER_OF[b]] = b;
        }
    }

    private ByteCharacters() {}

    private static boolean isPrintable(int value) {
        return value >= '!' && value <= '~' || value >= 0xa1 && value <= 0xac || value >= 0xae;
    }

    static String of(int value) {
        return String.valueOf(CHARACTER_OF[value]);
    }

    /** The bytes of a piece; a character that stands for no byte is itself. */
    static byte[] bytes(String piece) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(piece.length());
        for (int i = 0; i < piece.length(); i++) {
            char c = piece.charAt(i);
            if (c < BYTE_OF.length && BYTE_OF[c] >= 0) {
                out.write(BYTE_OF[c]);
            } else {
                out.writeBytes(Utf8.encode(String.valueOf(c)));
            }
        }
        return out.toByteArray();
    }

    /** Bytes as such a vocabulary writes them. */
    static String piece(byte... bytes) {
        StringBuilder piece = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            piece.append(CHARACTER_OF[b & 0xff]);
        }
        return piece.toString();
    }
}
