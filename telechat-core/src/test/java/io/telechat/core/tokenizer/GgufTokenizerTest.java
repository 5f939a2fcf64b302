// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.testing.GgufBytes;
import io.telechat.core.testing.TinyGguf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizers from GGUF files. */
class GgufTokenizerTest {
    @TempDir
    Path directory;

    private Path write(String name, GgufBytes file) throws IOException {
        file.floats("token_embd.weight", new float[400], 1, 400);
        return Files.write(directory.resolve(name), file.toArray());
    }

    private static int[] ids(Tokenizer tokenizer, String... pieces) {
        int[] ids = new int[pieces.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = tokenizer.id(pieces[i]).orElseThrow();
        }
        return ids;
    }

    @Test
    void sentencePieceFindsItsPiecesAndBytes() throws IOException {
        Path file = write("spm.gguf", TinyGguf.tokenizer(TinyGguf.numbers("llama")));
        TokenizerFiles files = TokenizerFiles.load(file);
        assertEquals(TokenizerFiles.Kind.SENTENCE_PIECE, files.kind());
        Tokenizer tokenizer = files.tokenizer();
        assertArrayEquals(ids(tokenizer, "▁ab", "a", "<0x63>"), tokenizer.encode("abac"));
        assertArrayEquals(ids(tokenizer, "</s>"), tokenizer.encode("</s>"));
        assertEquals("abac", tokenizer.decode(tokenizer.encode("abac")));
    }

    @Test
    void aSpaceInFrontMayBeLeftOut() throws IOException {
        GgufBytes file = TinyGguf.tokenizer(TinyGguf.numbers("llama")).flag("tokenizer.ggml.add_space_prefix", false);
        Tokenizer tokenizer = TokenizerFiles.load(write("spm.gguf", file)).tokenizer();
        assertArrayEquals(ids(tokenizer, "ab"), tokenizer.encode("ab"));
    }

    @Test
    void byteLevelTokenizersCutWordsAsTheirNameSays() throws IOException {
        Tokenizer qwen = TokenizerFiles.load(write("q.gguf", TinyGguf.byteLevel("qwen2", "qwen2")))
                .tokenizer();
        assertArrayEquals(ids(qwen, "hihi", "Ġhi", "1", "2", "3"), qwen.encode("hihi hi123"));
        Tokenizer llama = TokenizerFiles.load(write("l.gguf", TinyGguf.byteLevel("llama", "llama-bpe")))
                .tokenizer();
        assertArrayEquals(ids(llama, "hihi", "Ġhi", "123"), llama.encode("hihi hi123"));
    }

    @Test
    void marksAreFoundAndUnusedTokensAreNot() throws IOException {
        TokenizerFiles files = TokenizerFiles.load(write("q.gguf", TinyGguf.byteLevel("qwen2", "qwen2")));
        Tokenizer tokenizer = files.tokenizer();
        assertArrayEquals(ids(tokenizer, "hi", "<|end|>", "<think>", "hi"), tokenizer.encode("hi<|end|><think>hi"));
        assertTrue(tokenizer.id("[PAD263]").isEmpty());
        assertEquals(
                List.of(true, false),
                files.added().stream().map(AddedToken::special).toList());
    }

    @Test
    void onlyQwenCutsWordsInOneWayWhateverTheFileSays() throws IOException {
        Tokenizer qwen = TokenizerFiles.load(write("q.gguf", TinyGguf.byteLevel("qwen2", "")))
                .tokenizer();
        assertArrayEquals(ids(qwen, "1", "2", "3"), qwen.encode("123"));
        Path llama = write("l.gguf", TinyGguf.byteLevel("llama", ""));
        assertTrue(assertThrows(InvalidModelException.class, () -> TokenizerFiles.load(llama))
                .getMessage()
                .contains("'tokenizer.ggml.pre' is default"));
    }

    @Test
    void aTokenizerOfAnotherKindIsNamed() throws IOException {
        Path file = write("t5.gguf", TinyGguf.numbers("llama").string("tokenizer.ggml.model", "t5"));
        assertTrue(assertThrows(InvalidModelException.class, () -> TokenizerFiles.load(file))
                .getMessage()
                .contains("its tokenizer is 't5'"));
    }

    private static void assertSame(Path one, Path other) {
        Tokenizer tokenizer = TokenizerFiles.load(one).tokenizer();
        Tokenizer again = TokenizerFiles.load(other).tokenizer();
        for (String text : List.of("", "hihi hi123", "abac ab", "天翼<|end|></s>x", "<think>\n\n")) {
            assertArrayEquals(tokenizer.encode(text), again.encode(text), text);
        }
        assertEquals(
                ModelFiles.of(one).json("tokenizer_config.json").path("chat_template"),
                ModelFiles.of(other).json("tokenizer_config.json").path("chat_template"));
        assertEquals(
                ModelFiles.of(one).json("generation_config.json").path("eos_token_id"),
                ModelFiles.of(other).json("generation_config.json").path("eos_token_id"));
    }

    @Test
    void theFilesOfADirectoryCanBeMadeOfIt() throws IOException {
        Path to = Files.createDirectory(directory.resolve("to"));
        Path spm = write("spm.gguf", TinyGguf.tokenizer(TinyGguf.numbers("llama")));
        TokenizerFiles.copy(spm, to);
        assertSame(spm, to);
        Path other = Files.createDirectory(directory.resolve("other"));
        Path bytes = write("q.gguf", TinyGguf.byteLevel("qwen2", "qwen2"));
        TokenizerFiles.copy(bytes, other);
        assertSame(bytes, other);
    }
}
