// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import java.io.IOException;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jline.builtins.Completers;
import org.jline.reader.Completer;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.AggregateCompleter;
import org.jline.reader.impl.completer.ArgumentCompleter;
import org.jline.reader.impl.completer.NullCompleter;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** A terminal with line editing, history, completion of commands, and bracketed paste; a dumb one works, too. */
final class TerminalInput implements LineInput {
    /** Of an unknown terminal it would print where in its insides that was found; kept, or its level would be forgotten. */
    private static final Logger LIBRARY = Logger.getLogger("org.jline");

    private final Terminal terminal;
    private final LineReader reader;

    TerminalInput() throws IOException {
        LIBRARY.setLevel(Level.OFF);
        // Asking the terminal what it can do means to read its answers, and to lose what somebody has typed by then.
        System.setProperty(TerminalBuilder.PROP_PROBE_TIMEOUT, "0");
        terminal = TerminalBuilder.builder()
                .system(true)
                .dumb(true)
                .graphemeCluster(false)
                .build();
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .parser(new MessageParser())
                .completer(completer())
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, "... ")
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.HISTORY_IGNORE_SPACE, true);
        StateFiles.history().ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
        reader = builder.build();
    }

    /** Of commands, of the options of {@code /set}, and of files. */
    private static Completer completer() {
        List<String> others = SlashCommands.NAMES.stream()
                .filter(name -> !List.of("/set", "/save", "/load").contains(name))
                .toList();
        return new AggregateCompleter(
                new ArgumentCompleter(new StringsCompleter(others), NullCompleter.INSTANCE),
                new ArgumentCompleter(
                        new StringsCompleter("/set"),
                        new StringsCompleter(SessionSettings.NAMES),
                        NullCompleter.INSTANCE),
                new ArgumentCompleter(
                        new StringsCompleter("/save", "/load"),
                        new Completers.FileNameCompleter(),
                        NullCompleter.INSTANCE));
    }

    @Override
    public boolean isTerminal() {
        return true;
    }

    @Override
    public int width() {
        return terminal.getSize().getColumns();
    }

    @Override
    public Input read(String prompt) {
        try {
            String text = reader.readLine(prompt);
            return new Input.Text(LineInput.unquote(text).orElse(text));
        } catch (UserInterruptException e) {
            return new Input.Interrupt();
        } catch (EndOfFileException e) {
            return new Input.End();
        }
    }

    @Override
    public AutoCloseable onInterrupt(Runnable action) {
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> action.run());
        return () -> terminal.handle(Terminal.Signal.INT, before);
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }

    /** A message goes on over lines from {@code """} to {@code """}; apart from that, a line is a message. */
    private static final class MessageParser implements Parser {
        private final DefaultParser words =
                new DefaultParser().escapeChars(new char[0]).quoteChars(new char[0]);

        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            boolean open =
                    line.strip().startsWith(QUOTE) && LineInput.unquote(line).isEmpty();
            if (open && context == ParseContext.ACCEPT_LINE) {
                throw new EOFError(-1, -1, "the message goes on until \"\"\"");
            }
            return words.parse(line, cursor, context);
        }
    }
}
