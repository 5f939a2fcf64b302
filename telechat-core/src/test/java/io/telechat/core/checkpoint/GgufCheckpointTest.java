// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.GgufBytes;
import io.telechat.core.testing.TinyGguf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GGUF files as checkpoints: names, order of rows, types; and what stands in for the small files. */
class GgufCheckpointTest {
    @TempDir
    Path directory;

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }

    private Path write(GgufBytes bytes) throws IOException {
        return write("model.gguf", bytes.toArray());
    }

    private static JsonNode config(Path model) {
        return ModelFiles.of(model).json("config.json");
    }

    private void refused(String why, GgufBytes bytes) throws IOException {
        Path file = write(bytes);
        String message =
                assertThrows(InvalidModelException.class, () -> config(file)).getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(why), message);
    }

    private static GgufBytes withEmbedding(GgufBytes file) {
        return file.floats("token_embd.weight", new float[3 * TinyGguf.HIDDEN], TinyGguf.HIDDEN, 3);
    }

    @Test
    void tensorsHaveTheNamesOfCheckpoints() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(write("model.gguf", TinyGguf.whole()))) {
            assertTrue(checkpoint.names().contains("model.layers.0.self_attn.q_proj.weight"));
            assertTrue(checkpoint.names().contains("model.layers.0.post_attention_layernorm.weight"));
            assertTrue(checkpoint.names().contains("model.embed_tokens.weight"));
            assertTrue(checkpoint.names().stream().allMatch(name -> name.startsWith("model.")));
        }
    }

    /** Rows of a head in the file: 0 of the first half, 0 of the second, 1 of the first … */
    private static GgufBytes rotated(String architecture) {
        float[] rows = new float[2 * TinyGguf.HEAD_DIM];
        for (int row = 0; row < rows.length; row++) {
            int inHead = row % TinyGguf.HEAD_DIM;
            rows[row] = row - inHead + inHead % 2 * TinyGguf.HEAD_DIM / 2 + inHead / 2;
        }
        return TinyGguf.numbers(architecture)
                .floats("blk.0.attn_k.weight", rows, 1, rows.length)
                .floats("blk.0.attn_k.bias", rows, rows.length);
    }

    private static float[] ascending(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i;
        }
        return values;
    }

    @Test
    void rowsOfLlamaAreBroughtIntoTheOrderOfCheckpoints() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(write(rotated("llama")))) {
            for (String kind : new String[] {"weight", "bias"}) {
                assertArrayEquals(
                        ascending(2 * TinyGguf.HEAD_DIM),
                        checkpoint
                                .tensor("model.layers.0.self_attn.k_proj." + kind)
                                .toFloats());
            }
        }
    }

    @Test
    void rowsOfQwenStay() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(write(rotated("qwen2")))) {
            Tensor tensor = checkpoint.tensor("model.layers.0.self_attn.k_proj.weight");
            assertEquals(TinyGguf.HEAD_DIM / 2, tensor.getFloat(1));
        }
    }

    @Test
    void whatIsQuantizedTurnsIntoTheNearestTypeOrTheOneAskedFor() throws IOException {
        Path file = write("model.gguf", TinyGguf.whole());
        String name = "model.layers.0.self_attn.q_proj.weight";
        try (Checkpoint nearest = Checkpoint.open(file);
                Checkpoint floats = Checkpoint.open(file, Optional.of(DType.F32));
                Checkpoint halves = Checkpoint.open(file, Optional.of(DType.BF16))) {
            assertEquals(Map.of(GgufType.Q8_0, DType.Q8), nearest.conversions());
            assertEquals(DType.Q8, nearest.dtype(name));
            assertEquals(DType.F32, nearest.dtype("model.norm.weight"));
            float[] exact = floats.tensor(name).toFloats();
            float[] half = halves.tensor(name).toFloats();
            float[] rounded = FloatRows.of(nearest.tensor(name));
            float largest = 0;
            for (float value : exact) {
                largest = Math.max(largest, Math.abs(value));
            }
            for (int i = 0; i < exact.length; i++) {
                assertEquals(exact[i], half[i], Math.abs(exact[i]) * 0x1p-8);
                assertEquals(exact[i], rounded[i], largest * 0.01);
            }
        }
    }

    @Test
    void theFingerprintIsOfWhatIsInTheFile() throws IOException {
        byte[] bytes = TinyGguf.whole();
        Path file = write("a.gguf", bytes);
        bytes[bytes.length - 5] ^= 1; // within the first 4 KiB of the last tensor
        Path other = write("b.gguf", bytes);
        try (Checkpoint one = Checkpoint.open(file);
                Checkpoint two = Checkpoint.open(other)) {
            assertEquals(one.fingerprint(), one.fingerprint());
            assertNotEquals(one.fingerprint(), two.fingerprint());
        }
    }

    @Test
    void numbersBecomeThoseOfAConfigJson() throws IOException {
        JsonNode config = config(write("model.gguf", TinyGguf.whole()));
        assertEquals("llama", config.path("model_type").asText());
        assertEquals(TinyGguf.HIDDEN, config.path("hidden_size").asInt());
        assertEquals(4, config.path("num_attention_heads").asInt());
        assertEquals(2, config.path("num_key_value_heads").asInt());
        assertEquals(TinyGguf.VOCABULARY, config.path("vocab_size").asInt());
        assertEquals(1e-5, config.path("rms_norm_eps").asDouble());
        assertEquals(10_000, config.path("rope_theta").asDouble());
        assertEquals(128, config.path("max_position_embeddings").asInt());
        assertTrue(config.path("tie_word_embeddings").asBoolean(), "it has no output.weight");
        assertFalse(config.path("attention_bias").asBoolean());
        assertFalse(config.has("rope_scaling"));
    }

    @Test
    void stretchedRotationsAreSaid() throws IOException {
        JsonNode linear = config(write(withEmbedding(TinyGguf.numbers("llama")
                        .string("llama.rope.scaling.type", "linear")
                        .float32("llama.rope.scaling.factor", 4))))
                .path("rope_scaling");
        assertEquals("linear", linear.path("rope_type").asText());
        assertEquals(4, linear.path("factor").asDouble());
        JsonNode yarn = config(write(withEmbedding(TinyGguf.numbers("qwen3")
                        .string("qwen3.rope.scaling.type", "yarn")
                        .float32("qwen3.rope.scaling.factor", 2)
                        .uint32("qwen3.rope.scaling.original_context_length", 64))))
                .path("rope_scaling");
        assertEquals("yarn", yarn.path("rope_type").asText());
        assertEquals(64, yarn.path("original_max_position_embeddings").asInt());
    }

    /** Llama 3.1's, with theta 500000, as its makers' code has them. */
    private static float[] divisors(double factor) {
        float[] divisors = new float[TinyGguf.HEAD_DIM / 2];
        for (int i = 0; i < divisors.length; i++) {
            double wave = 2 * Math.PI * Math.pow(500_000, 2.0 * i / TinyGguf.HEAD_DIM);
            double smooth = (8192 / wave - 1) / 3;
            divisors[i] =
                    wave < 2048 ? 1 : wave > 8192 ? (float) factor : (float) (1 / ((1 - smooth) / factor + smooth));
        }
        return divisors;
    }

    private static GgufBytes withDivisors(float[] divisors) {
        return withEmbedding(TinyGguf.numbers("llama")
                .float32("llama.rope.freq_base", 500_000)
                .floats("rope_freqs.weight", divisors, divisors.length));
    }

    @Test
    void whatFrequenciesAreDividedByIsRecognised() throws IOException {
        Path file = write(withDivisors(divisors(32)));
        JsonNode scaling = config(file).path("rope_scaling");
        assertEquals("llama3", scaling.path("rope_type").asText());
        assertEquals(32, scaling.path("factor").asDouble());
        assertEquals(8192, scaling.path("original_max_position_embeddings").asInt());
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertFalse(checkpoint.names().contains("rope_freqs.weight"));
        }
    }

    @Test
    void anyOtherDivisorsAreRefused() throws IOException {
        float[] other = divisors(8);
        other[1] *= 1.001f;
        refused("'rope_freqs.weight' is not the scaling of Llama 3.1", withDivisors(other));
        refused("must be 4 floats", withDivisors(new float[3]));
    }

    @Test
    void whatIsNotComputedIsRefusedByName() throws IOException {
        refused("its architecture is 'gemma3'", withEmbedding(TinyGguf.numbers("gemma3")));
        refused(
                "'llama.expert_count' is 8",
                withEmbedding(TinyGguf.numbers("llama").uint32("llama.expert_count", 8)));
        refused(
                "'llama.rope.dimension_count' is 4",
                withEmbedding(TinyGguf.numbers("llama").uint32("llama.rope.dimension_count", 4)));
        refused(
                "'llama.rope.scaling.type' is longrope",
                withEmbedding(TinyGguf.numbers("llama").string("llama.rope.scaling.type", "longrope")));
        refused("'general.architecture' is missing", new GgufBytes());
        refused("has no tensor 'token_embd.weight'", TinyGguf.numbers("llama"));
    }

    @Test
    void partsMakeUpOneModel() throws IOException {
        write("m-00001-of-00002.gguf", part(TinyGguf.numbers("llama"), 0, "output_norm.weight"));
        write("m-00002-of-00002.gguf", part(new GgufBytes(), 1, "blk.0.ffn_norm.weight"));
        Path first = directory.resolve("m-00001-of-00002.gguf");
        for (Path path : new Path[] {first, directory}) {
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                assertEquals(2, checkpoint.names().size());
                assertEquals(2, checkpoint.files().size());
            }
        }
        Path second = directory.resolve("m-00002-of-00002.gguf");
        assertTrue(assertThrows(InvalidModelException.class, () -> Checkpoint.open(second))
                .getMessage()
                .contains("give the first, NAME-00001-of-00002.gguf"));
        Files.delete(second);
        assertTrue(assertThrows(InvalidModelException.class, () -> Checkpoint.open(first))
                .getMessage()
                .contains("m-00002-of-00002.gguf: file is missing"));
    }

    private static byte[] part(GgufBytes file, int number, String tensor) {
        return file.key("split.no", 2, new byte[] {(byte) number, 0})
                .key("split.count", 2, new byte[] {2, 0})
                .floats(tensor, new float[TinyGguf.HIDDEN], TinyGguf.HIDDEN)
                .toArray();
    }

    @Test
    void aDirectoryWithOneModelStandsForIt() throws IOException {
        write("model.gguf", TinyGguf.whole());
        assertEquals(Optional.of(directory.resolve("model.gguf")), ModelFiles.gguf(directory));
        write("other.gguf", TinyGguf.whole());
        assertTrue(assertThrows(InvalidModelException.class, () -> ModelFiles.gguf(directory))
                .getMessage()
                .contains("has 2 models"));
        write("model.safetensors", new byte[0]);
        assertEquals(Optional.empty(), ModelFiles.gguf(directory));
    }

    @Test
    void companionsAreWrittenAsFiles() throws IOException {
        Path file = write("model.gguf", TinyGguf.whole());
        Path to = Files.createDirectory(directory.resolve("to"));
        CompanionFiles.copyConfig(file, to);
        CompanionFiles.copyTokenizer(file, to);
        assertEquals(
                config(file).toString(),
                JsonFiles.readObject(to.resolve("config.json")).toString());
        assertEquals(
                "[2]",
                JsonFiles.readObject(to.resolve("generation_config.json"))
                        .path("eos_token_id")
                        .toString());
        assertEquals(
                "{{ messages[0].content }}",
                JsonFiles.readObject(to.resolve("tokenizer_config.json"))
                        .path("chat_template")
                        .asText());
    }
}
