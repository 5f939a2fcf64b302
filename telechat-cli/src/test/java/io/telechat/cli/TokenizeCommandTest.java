// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class TokenizeCommandTest {
    @TempDir
    static Path directory;

    private static Path model;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModels.make(directory, "model", TinyModels.CONFIG_12B, 2);
    }

    @Test
    void tokenizesLinesOfJson() throws Exception {
        Program.Result ids = Program.run(
                directory, "\"a\"\n\n\"中\"\n".getBytes(StandardCharsets.UTF_8), "tokenize", model.toString());
        assertEquals("[263,104]\n[263,235,191,180]\n", ids.out());
        Program.Result text = Program.run(
                directory, ids.out().getBytes(StandardCharsets.UTF_8), "tokenize", model.toString(), "--decode");
        assertEquals("\"a\"\n\"中\"\n", text.out());
        Program.Result chat = Program.run(
                directory,
                "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"bot\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"a\"}]"
                        .getBytes(StandardCharsets.UTF_8),
                "tokenize",
                model.toString(),
                "--chat");
        assertEquals("[4,263,104,5,2,4,263,104,5]\n", chat.out());
    }

    /** Another program may ask line by line, and wait for each answer. */
    @Test
    void answersALineBeforeTheNextIsThere() throws Exception {
        Program.Started started = Program.start(directory, "tokenize", model.toString());
        try (OutputStream stdin = started.process().getOutputStream()) {
            stdin.write("\"a\"\n".getBytes(StandardCharsets.UTF_8));
            stdin.flush();
            for (int i = 0; i < 600 && Files.size(started.out()) == 0; i++) {
                Thread.sleep(50);
            }
            assertEquals("[263,104]\n", Files.readString(started.out()));
            stdin.write("\"a\"".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals("[263,104]\n[263,104]\n", started.result().out());
    }

    @Test
    void invalidUtf8IsRefusedWithItsPlaceInAllOfTheInput() throws Exception {
        byte[] input = {'"', 'a', '"', '\n', '"', (byte) 0xff, '"'};
        Program.Result result = Program.run(directory, input, "tokenize", model.toString());
        Program.assertError(3, "not valid UTF-8 at byte 5", result);
        assertTrue(result.out().startsWith("["), "the line before it: " + result.out());
    }
}
