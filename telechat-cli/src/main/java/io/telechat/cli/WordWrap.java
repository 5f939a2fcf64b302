// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.util.function.IntSupplier;
import org.jline.utils.WCWidth;

/**
 * Breaks lines of text that comes in pieces between words, before the terminal would break them within one. A word is held back
 * until its end is there; letters of two columns, as Chinese has them, are words of their own.
 */
final class WordWrap {
    private static final int WIDE = 2;

    private final IntSupplier width;
    private final StringBuilder word = new StringBuilder();
    private int wordColumns;
    private int column;

    /** @param width columns of the terminal; 0 if not known, and then nothing is broken */
    WordWrap(IntSupplier width) {
        this.width = width;
    }

    /** What of the text so far can be shown. */
    String add(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> add(c, out));
        return out.toString();
    }

    private void add(int c, StringBuilder out) {
        int columns = Math.max(0, WCWidth.wcwidth(c));
        if (c == '\n') {
            endWord(out);
            out.append('\n');
            column = 0;
        } else if (Character.isWhitespace(c)) {
            endWord(out);
            if (isFull(1)) {
                newLine(out);
            } else {
                out.appendCodePoint(c);
                column++;
            }
        } else {
            if (columns == WIDE) {
                endWord(out);
            }
            word.appendCodePoint(c);
            wordColumns += columns;
            if (columns == WIDE || width.getAsInt() > 0 && wordColumns >= width.getAsInt()) {
                endWord(out);
            }
        }
    }

    private boolean isFull(int more) {
        return width.getAsInt() > 0 && column + more > width.getAsInt();
    }

    private void newLine(StringBuilder out) {
        out.append('\n');
        column = 0;
    }

    private void endWord(StringBuilder out) {
        if (column > 0 && isFull(wordColumns)) {
            newLine(out);
        }
        out.append(word);
        column += wordColumns;
        word.setLength(0);
        wordColumns = 0;
    }

    /** The rest; what comes next begins at the left. */
    String finish() {
        StringBuilder out = new StringBuilder();
        endWord(out);
        column = 0;
        return out.toString();
    }
}
