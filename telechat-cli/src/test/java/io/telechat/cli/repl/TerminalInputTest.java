// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.jline.utils.ScreenTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a screen shows of what is typed, on an emulated terminal of 80 columns. */
class TerminalInputTest {
    private static final int COLUMNS = 80;
    private static final String LEFT = "\u0002"; // Ctrl-B
    private static final String ENTER = "\r";

    private ScreenTerminal screen;
    private LineDisciplineTerminal terminal;
    private TerminalInput input;

    @BeforeEach
    void open() throws IOException {
        ScreenTerminal.VirtualTerminal virtual = ScreenTerminal.withTerminal("test", "xterm-256color", COLUMNS, 24);
        screen = virtual.screen();
        terminal = virtual.terminal();
        input = new TerminalInput(terminal);
    }

    @AfterEach
    void close() throws IOException {
        input.close();
    }

    private void type(String keys) throws IOException {
        terminal.processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
    }

    /** What is read when this is typed at the prompt. */
    private String readTyped(String... keys) throws Exception {
        return read(() -> {
            for (String key : keys) {
                type(key);
            }
        });
    }

    private String read(Executable keys) throws Exception {
        CompletableFuture<LineInput.Input> read = CompletableFuture.supplyAsync(() -> input.read(">>> "));
        while (!screen.toString().contains(">>>")) {
            screen.waitDirty();
        }
        try {
            keys.execute();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        return ((LineInput.Input.Text) read.get(1, TimeUnit.MINUTES)).text();
    }

    private List<String> rows() {
        return screen.toString()
                .lines()
                .map(String::strip)
                .filter(row -> !row.isEmpty())
                .toList();
    }

    /** The width in letters of two columns of a row behind the prompt of four. */
    private static final int LETTERS = (COLUMNS - 4) / 2;

    @ParameterizedTest
    @ValueSource(ints = {LETTERS - 1, LETTERS, LETTERS + 1, 2 * LETTERS + 3})
    void chineseGoesOnInTheNextRow(int letters) throws Exception {
        String text = "一二三四五六七八九十".repeat(10).substring(0, letters);
        assertEquals(text, readTyped((text + ENTER).split(""))); // one by one, as by a keyboard
        assertEquals(">>> " + text, String.join("", rows()));
        assertEquals(">>> " + text.substring(0, Math.min(letters, LETTERS)), rows().getFirst());
    }

    @Test
    void lettersOfOneColumnArePutIntoAFullRowOfWideOnes() throws Exception {
        String text = "一二三四五六七八九十".repeat(5);
        String edited = text.substring(0, 30) + "as well" + text.substring(30);
        assertEquals(edited, readTyped(text, LEFT.repeat(20), "as well", ENTER));
        assertEquals(">>> " + edited, String.join("", rows()));
    }

    @Test
    void aNameOfAFileMayHaveBlanks(@TempDir Path folder) throws Exception {
        Path file = Files.createDirectories(folder.resolve("my talks")).resolve("one of them.json");
        Files.writeString(file, "[]");
        assertEquals(
                "/load " + file,
                readTyped("/load " + folder + "/my talks/on", "\t", ENTER).stripTrailing());
    }

    @Test
    void whatIsPastedIsOneMessage() throws Exception {
        assertEquals("first\nsecond", readTyped("\u001b[200~first\rsecond\u001b[201~", ENTER));
    }

    @Test
    void nothingIsEchoedWhileAnAnswerIsShown() throws Exception {
        AtomicBoolean stopped = new AtomicBoolean();
        Attributes before = terminal.getAttributes();
        try (AutoCloseable showing = input.showing(() -> stopped.set(true))) {
            assertTrue(before.getLocalFlag(Attributes.LocalFlag.ECHO));
            type("\u001b[200~typed\rahead\u001b[201~");
            assertTrue(rows().isEmpty(), screen.toString());
            assertNotNull(showing);
            terminal.raise(Terminal.Signal.INT);
            assertTrue(stopped.get());
        }
        assertTrue(terminal.getAttributes().getLocalFlag(Attributes.LocalFlag.ECHO));
        assertEquals("typed\nahead", readTyped(ENTER));
        assertFalse(rows().isEmpty());
    }
}
