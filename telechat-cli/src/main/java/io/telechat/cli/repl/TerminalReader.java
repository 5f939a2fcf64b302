// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import java.util.List;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;

/** JLine's line editor, with rows whose last letter takes two columns, as in Chinese. */
final class TerminalReader extends LineReaderImpl {
    private static final String NAME = "telechat";

    TerminalReader(Terminal terminal) {
        super(terminal, NAME, null);
        getWidgets().put(CALLBACK_INIT, () -> {
            display = new WideDisplay(terminal);
            display.resize(size);
            return true;
        });
    }

    /**
     * To get behind the last column, JLine goes to it and writes once more what stands there. It takes that for one column wide (seen
     * in 4.5.0 and 4.6.0), so that a letter of two columns was written over the edge.
     */
    private static final class WideDisplay extends Display {
        /** How many columns before the last one a letter begins that is to be written once more. */
        private int before;

        WideDisplay(Terminal terminal) {
            super(terminal, false);
        }

        @Override
        protected void moveVisualCursorTo(int target, List<AttributedString> lines) {
            int row = target / columns1;
            boolean toEdge = cursorPos != target && target % columns1 == columns && row < lines.size();
            before = toEdge ? widthAtEdge(lines.get(row)) - 1 : 0;
            super.moveVisualCursorTo(target, lines);
            cursorPos += before;
            before = 0;
        }

        private int widthAtEdge(AttributedString line) {
            AttributedString last = line.columnSubSequence(terminal, columns - 1, columns);
            return Math.max(1, last.columnLength(terminal));
        }

        @Override
        protected int moveVisualCursorTo(int target) {
            return super.moveVisualCursorTo(target - before);
        }
    }
}
