// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** Where the dialog's lines come from. */
public interface LineInput extends AutoCloseable {
    /** What reading gave. */
    sealed interface Input {
        /** A message or command, perhaps of several lines. */
        record Text(String text) implements Input {}

        /** Ctrl-C at the prompt. */
        record Interrupt() implements Input {}

        /** Ctrl-D, or the end of the pipe. */
        record End() implements Input {}
    }

    Input read(String prompt);

    /** Whether somebody sits before it. */
    default boolean isTerminal() {
        return false;
    }

    /** Columns of the terminal; 0 if there is none, or it does not say. */
    default int width() {
        return 0;
    }

    /**
     * While something is shown that Ctrl-C stops, until the returned handle is closed: what is typed meanwhile is kept for the next
     * read and not shown. Does nothing where there is no terminal.
     */
    AutoCloseable showing(Runnable onInterrupt);

    @Override
    void close() throws IOException;

    /** Lines that are edited on the terminal. */
    static LineInput onTerminal() throws IOException {
        return TerminalInput.ofProgram();
    }

    /** Lines as they are. */
    static LineInput of(InputStream in) {
        return new PipeInput(in);
    }

    /** Text between {@code """} and {@code """}; empty if the text does not begin so, or does not end yet. */
    static Optional<String> unquote(String text) {
        String stripped = text.strip();
        if (stripped.length() >= 6 && stripped.startsWith(QUOTE) && stripped.endsWith(QUOTE)) {
            return Optional.of(stripped.substring(3, stripped.length() - 3).strip());
        }
        return Optional.empty();
    }

    /** Begins and ends a message of several lines. */
    String QUOTE = "\"\"\"";
}
