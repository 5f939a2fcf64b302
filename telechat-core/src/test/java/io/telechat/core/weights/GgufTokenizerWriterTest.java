// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.gguf.GgufHeader;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.gguf.GgufValues;
import io.telechat.core.tensor.Shape;
import io.telechat.core.testing.GgufBytes;
import io.telechat.core.testing.TinyGguf;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.core.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizers on their way into a GGUF file, and out of it again. */
class GgufTokenizerWriterTest {
    private static final int VOCABULARY = 400;

    @TempDir
    Path directory;

    private Path model(GgufBytes file) throws IOException {
        file.floats("token_embd.weight", new float[VOCABULARY], 1, VOCABULARY);
        return Files.write(directory.resolve("model.gguf"), file.toArray());
    }

    private Path written(Path model) throws IOException {
        GgufValues values = new GgufValues();
        values.text("general.architecture", "llama");
        values.integer("llama.embedding_length", 32);
        for (String key : List.of("block_count", "feed_forward_length", "attention.head_count")) {
            values.integer("llama." + key, 1);
        }
        values.number("llama.attention.layer_norm_rms_epsilon", 1e-5);
        GgufTokenizerWriter.write(ModelFiles.of(model), VOCABULARY, values);
        byte[] header = GgufHeader.bytes(
                values, Map.of("token_embd.weight", new GgufHeader.Entry(GgufType.F32, Shape.of(VOCABULARY, 1))));
        return Files.write(
                directory.resolve("written.gguf"), GgufBytes.join(header, new byte[VOCABULARY * Float.BYTES]));
    }

    private static void assertSame(Path one, Path other) {
        Tokenizer tokenizer = TokenizerFiles.load(one).tokenizer();
        Tokenizer again = TokenizerFiles.load(other).tokenizer();
        assertEquals(tokenizer.size(), again.size(), "what fills the vocabulary up is no token");
        for (String text : List.of("", "hihi hi123", "abac ab", "天翼<|end|></s>x", "<think>\n\n")) {
            assertArrayEquals(tokenizer.encode(text), again.encode(text), text);
        }
        assertEquals(
                value(one, "tokenizer_config.json", "chat_template"),
                value(other, "tokenizer_config.json", "chat_template"));
        assertEquals(
                value(one, "generation_config.json", "eos_token_id"),
                value(other, "generation_config.json", "eos_token_id"));
    }

    private static JsonNode value(Path model, String file, String key) {
        return ModelFiles.of(model).json(file).path(key);
    }

    @Test
    void sentencePieceIsReadBack() throws IOException {
        Path model = model(TinyGguf.tokenizer(TinyGguf.numbers("llama")));
        assertSame(model, written(model));
    }

    @Test
    void byteLevelIsReadBack() throws IOException {
        Path model = model(TinyGguf.byteLevel("qwen2", "qwen2"));
        assertSame(model, written(model));
    }

    @Test
    void wordsThatAreCutInAWayWithoutANameAreNotWritten() throws IOException {
        Path to = Files.createDirectory(directory.resolve("to"));
        CompanionFiles.copyTokenizer(model(TinyGguf.byteLevel("qwen2", "qwen2")), to);
        Files.writeString(to.resolve("config.json"), "{}");
        Path json = to.resolve("tokenizer.json");
        Files.writeString(json, Files.readString(json).replace("|\\\\p{N}|", "|\\\\p{N}{1,2}|"));
        assertTrue(assertThrows(InvalidModelException.class, () -> written(to))
                .getMessage()
                .contains("cuts words in a way that has no name there"));
    }

    @Test
    void idsBeyondTheModelAreRefused() throws IOException {
        Path model = model(TinyGguf.byteLevel("qwen2", "qwen2"));
        GgufValues values = new GgufValues();
        assertTrue(assertThrows(
                        InvalidModelException.class, () -> GgufTokenizerWriter.write(ModelFiles.of(model), 256, values))
                .getMessage()
                .contains("has the id 256 of 256"));
    }
}
