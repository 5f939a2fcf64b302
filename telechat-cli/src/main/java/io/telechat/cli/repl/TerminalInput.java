// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jline.builtins.Completers;
import org.jline.reader.Completer;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.reader.impl.completer.AggregateCompleter;
import org.jline.reader.impl.completer.ArgumentCompleter;
import org.jline.reader.impl.completer.NullCompleter;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** A terminal with line editing, history, completion of commands, and bracketed paste; a dumb one works, too. */
final class TerminalInput implements LineInput {
    /** Of an unknown terminal it would print where in its insides that was found; kept, or its level would be forgotten. */
    private static final Logger LIBRARY = Logger.getLogger("org.jline");

    private static final List<String> TAKE_FILES = List.of("/save", "/load");

    private final Terminal terminal;
    private final TerminalReader reader;

    /** The terminal that the program was started on. */
    static TerminalInput ofProgram() throws IOException {
        LIBRARY.setLevel(Level.OFF);
        // Asking the terminal what it can do means to read its answers, and to lose what somebody has typed by then.
        System.setProperty(TerminalBuilder.PROP_PROBE_TIMEOUT, "0");
        return new TerminalInput(TerminalBuilder.builder()
                .system(true)
                .dumb(true)
                .graphemeCluster(false)
                .build());
    }

    TerminalInput(Terminal terminal) {
        this.terminal = terminal;
        reader = new TerminalReader(terminal);
        reader.setParser(new MessageParser());
        reader.setCompleter(completer());
        reader.setVariable(LineReader.SECONDARY_PROMPT_PATTERN, "... ");
        reader.option(LineReader.Option.DISABLE_EVENT_EXPANSION, true);
        reader.option(LineReader.Option.HISTORY_IGNORE_SPACE, true);
        StateFiles.history().ifPresent(file -> reader.setVariable(LineReader.HISTORY_FILE, file));
    }

    /** Of commands, of the options of {@code /set}, and of files. */
    private static Completer completer() {
        List<String> others = SlashCommands.NAMES.stream()
                .filter(name -> !name.equals("/set") && !TAKE_FILES.contains(name))
                .toList();
        return new AggregateCompleter(
                new ArgumentCompleter(new StringsCompleter(others), NullCompleter.INSTANCE),
                new ArgumentCompleter(
                        new StringsCompleter("/set"),
                        new StringsCompleter(SessionSettings.NAMES),
                        NullCompleter.INSTANCE),
                new ArgumentCompleter(
                        new StringsCompleter(TAKE_FILES), new Completers.FileNameCompleter(), NullCompleter.INSTANCE));
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
    public AutoCloseable showing(Runnable onInterrupt) {
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> onInterrupt.run());
        Attributes attributes = terminal.getAttributes();
        Attributes unseen =
                new Attributes(attributes); // keys are kept one by one, and not echoed; signals stay signals
        unseen.setLocalFlags(EnumSet.of(Attributes.LocalFlag.ICANON, Attributes.LocalFlag.ECHO), false);
        terminal.setAttributes(unseen);
        brackets(true);
        return () -> {
            terminal.setAttributes(attributes);
            terminal.handle(Terminal.Signal.INT, before);
        };
    }

    /** Whether the terminal marks what is pasted, so that its lines are one message. */
    private void brackets(boolean on) {
        if (!isDumb()) {
            terminal.writer().print(on ? LineReaderImpl.BRACKETED_PASTE_ON : LineReaderImpl.BRACKETED_PASTE_OFF);
            terminal.flush();
        }
    }

    private boolean isDumb() {
        return terminal.getType().startsWith(Terminal.TYPE_DUMB);
    }

    @Override
    public void close() throws IOException {
        brackets(false);
        terminal.close();
    }

    /** A command and the name of a file, which may have blanks in it and is written as it is. */
    private record FileName(String line, int blank, int cursor) implements CompletingParsedLine {
        @Override
        public String word() {
            return line.substring(blank + 1);
        }

        @Override
        public int wordCursor() {
            return cursor - blank - 1;
        }

        @Override
        public int wordIndex() {
            return 1;
        }

        @Override
        public List<String> words() {
            return List.of(line.substring(0, blank), word());
        }

        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return wordCursor();
        }

        @Override
        public int rawWordLength() {
            return word().length();
        }
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
            int blank = line.indexOf(' ');
            return blank > 0 && TAKE_FILES.contains(line.substring(0, blank)) && cursor > blank
                    ? new FileName(line, blank, cursor)
                    : words.parse(line, cursor, context);
        }
    }
}
