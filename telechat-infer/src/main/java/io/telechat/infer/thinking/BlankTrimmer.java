// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

/** Takes the blanks off both ends of a text that comes in pieces: those at its end are held back until something follows. */
public final class BlankTrimmer {
    private final StringBuilder held = new StringBuilder();
    private boolean begun;

    /** What is sure to be no blank at an end. */
    public String add(String text) {
        int from = 0;
        while (!begun && from < text.length() && isBlank(text.charAt(from))) {
            from++;
        }
        int end = text.length();
        while (end > from && isBlank(text.charAt(end - 1))) {
            end--;
        }
        if (end == from) {
            held.append(text, from, text.length());
            return "";
        }
        begun = true;
        String out = held + text.substring(from, end);
        held.setLength(0);
        held.append(text, end, text.length());
        return out;
    }

    /** What Python's {@code str.strip} takes off, which the makers use. All of it is one {@code char} each. */
    static boolean isBlank(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }
}
