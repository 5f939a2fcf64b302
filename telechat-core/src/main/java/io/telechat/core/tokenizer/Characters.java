// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** Kinds of characters that tokenizers cut text by, as Unicode has them. */
final class Characters {
    static final byte LETTER = 1;
    static final byte NUMBER = 2;
    static final byte BLANK = 3;
    static final byte OTHER = 4;

    private static final int BMP = 1 << 16;
    private static final byte[] KINDS = new byte[BMP];

    static {
        for (int c = 0; c < BMP; c++) {
            KINDS[c] = computeKind(c);
        }
    }

    private Characters() {}

    /** One of the four; each character is of one. */
    static byte kind(int codePoint) {
        return codePoint < BMP ? KINDS[codePoint] : computeKind(codePoint);
    }

    private static byte computeKind(int codePoint) {
        if (isBlank(codePoint)) {
            return BLANK;
        }
        return switch (Character.getType(codePoint)) {
            case Character.UPPERCASE_LETTER,
                    Character.LOWERCASE_LETTER,
                    Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER -> LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            default -> OTHER;
        };
    }

    /** Unicode's White_Space, which is neither of the two that Java calls so: U+0085 and U+00A0 are, U+001C is not. */
    static boolean isBlank(int codePoint) {
        return codePoint == ' '
                || codePoint >= '\t' && codePoint <= '\r'
                || codePoint == 0x85
                || codePoint == 0xa0
                || codePoint == 0x1680
                || codePoint >= 0x2000 && codePoint <= 0x200a
                || codePoint == 0x2028
                || codePoint == 0x2029
                || codePoint == 0x202f
                || codePoint == 0x205f
                || codePoint == 0x3000;
    }

    /** Whether this is part of a word as {@code \w} has it. */
    static boolean isWord(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK,
                    Character.COMBINING_SPACING_MARK,
                    Character.DECIMAL_DIGIT_NUMBER,
                    Character.CONNECTOR_PUNCTUATION -> true;
            default -> Character.isAlphabetic(codePoint) || codePoint == 0x200c || codePoint == 0x200d;
        };
    }
}
