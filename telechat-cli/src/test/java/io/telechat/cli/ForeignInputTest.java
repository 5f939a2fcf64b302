// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Input as other programs and systems write it: byte order marks, NaN, links, slashes; and data of another tokenizer. */
@Tag("slow")
class ForeignInputTest {
    @TempDir
    static Path directory;

    private static Path model;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModels.make(directory, "model", TinyModels.CONFIG_12B, 2);
    }

    private static Program.Result run(String input, String... args) throws Exception {
        return Program.run(directory, input.getBytes(StandardCharsets.UTF_8), args);
    }

    private static Program.Result chat(String input, String... more) throws Exception {
        String[] args = new String[more.length + 6];
        System.arraycopy(
                new String[] {"chat", model.toString(), "--greedy", "--max-new-tokens", "3", "--json"}, 0, args, 0, 6);
        System.arraycopy(more, 0, args, 6, more.length);
        return run(input, args);
    }

    @Test
    void aByteOrderMarkIsNoText() throws Exception {
        assertEquals(
                chat("hello").json().getLast().get("usage").get("prompt_tokens"),
                chat("\ufeffhello").json().getLast().get("usage").get("prompt_tokens"));
        Path tokens = Files.writeString(directory.resolve("tokens.txt"), "\ufeff5, 6");
        Program.Result generated = run(
                "",
                "generate",
                model.toString(),
                "--tokens-file",
                tokens.toString(),
                "--greedy",
                "--max-new-tokens",
                "1");
        assertEquals(0, generated.code(), generated.err());
        Path history = Files.writeString(directory.resolve("marked.json"), "\ufeff[]");
        assertEquals(0, chat("", "-p", "hi", "--history", history.toString()).code());
    }

    @Test
    void aHistoryStaysALinkAndKeepsItsMode() throws Exception {
        Path file = Files.writeString(directory.resolve("real.json"), "[]");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        Path link = Files.createSymbolicLink(directory.resolve("link.json"), Path.of("real.json"));
        assertEquals(0, chat("", "-p", "hi", "--history", link.toString()).code());
        assertTrue(Files.isSymbolicLink(link));
        assertTrue(Files.readString(file).contains("hi"));
        assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void textBehindTheJsonIsRefused() throws Exception {
        Path history = Files.writeString(directory.resolve("two.json"), "[] []");
        Program.Result refused = chat("", "-p", "hi", "--history", history.toString());
        assertEquals(3, refused.code());
        assertTrue(refused.err().contains("text behind the JSON"), refused.err());
        assertEquals("[] []", Files.readString(history));
    }

    @Test
    void aMessageMayBeginWithASlash() throws Exception {
        Program.Result slash = chat("//etc/hosts\n", "-i");
        assertEquals(0, slash.code(), slash.err());
        assertEquals(
                chat("/etc/hosts").json().getLast().get("usage").get("prompt_tokens"),
                slash.json().getLast().get("usage").get("prompt_tokens"));
    }

    @Test
    void piecesStayOnOneLine() throws Exception {
        Program.Result pieces = run("\"a\\nb\"\n", "tokenize", model.toString(), "--pieces");
        assertEquals(1, pieces.out().lines().count(), pieces.out());
    }

    @Test
    void numbersThatPythonWritesAreHarmlessWhereNobodyAsked() throws Exception {
        Path lines = Files.writeString(
                directory.resolve("scored.jsonl"), "{\"input\": \"q\", \"output\": \"a\", \"score\": -Infinity}\n");
        Path mix = Files.writeString(directory.resolve("mix.json"), "{\"%s\": 1.0}".formatted(lines));
        Path data = directory.resolve("data");
        Program.Result made = run(
                "",
                "process-data",
                "--data-path",
                mix.toString(),
                "--tokenizer-path",
                model.toString(),
                "--data-output-path",
                data.toString(),
                "--max-seq-len",
                "64");
        assertEquals(0, made.code(), made.err());
        Path other = Path.of("src", "main", "resources", "demo").toAbsolutePath();
        Program.Result refused = run(
                "",
                "train",
                "--model-path",
                other.toString(),
                "--data-path",
                data.toString(),
                "--output-dir",
                directory.resolve("run").toString());
        assertEquals(3, refused.code());
        assertTrue(refused.err().contains("made with another tokenizer"), refused.err());
        assertTrue(!refused.err().contains("fasterxml"), refused.err());
    }
}
