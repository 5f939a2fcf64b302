// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.Goldens;
import io.telechat.core.testing.TinyGguf;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.GgufExporter;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that are loaded from GGUF files. */
class GgufModelTest {
    private static final int[] PROMPT = IntStream.range(3, 40).toArray();

    @TempDir
    Path directory;

    private Path export(Path model) {
        Path out = directory.resolve("model.gguf");
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                WorkerTeam workers = new WorkerTeam(1)) {
            new GgufExporter(GgufType.F32, workers, LoadProgress.SILENT).write(checked, model, out);
        }
        return out;
    }

    private static float[] logits(Path model, LoadOptions.Builder options) {
        try (ChatModel loaded = ChatModel.load(model, options.threads(1).build());
                Context context = loaded.newContext()) {
            return loaded.logits(PROMPT, context);
        }
    }

    private static LoadOptions.Builder options() {
        return LoadOptions.builder().activations(DType.F32);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama2_mha",
                "llama2_gqa",
                "llama2_tied",
                "llama2_linear",
                "llama31_rope",
                "llama_bias",
                "qwen2_base",
                "qwen2_tied",
                "qwen3_base",
                "qwen3_tied",
                "qwen3_yarn"
            })
    void logitsAreThoseOfTheCheckpointBitForBit(String name) {
        Path model = Goldens.shared("models").resolve(name);
        Assumptions.assumeTrue(Files.isDirectory(model), "needs the folder of goldens beside the checkout");
        assertArrayEquals(logits(model, options()), logits(export(model), options()));
    }

    @Test
    void textComesFromItsTokenizer() throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_LLAMA, 4);
        try (ChatModel before = ChatModel.load(model);
                ChatModel after = ChatModel.load(export(model))) {
            assertArrayEquals(
                    before.tokenizer().encode("天翼 cloud"), after.tokenizer().encode("天翼 cloud"));
            assertEquals(before.defaults(), after.defaults());
        }
    }

    @Test
    void whatIsQuantizedIsComputedWithAsAskedFor() throws IOException {
        Path model = Files.write(directory.resolve("q8.gguf"), TinyGguf.whole());
        float[] exact = logits(model, options().unpacked(DType.F32));
        float largest = 0;
        for (float value : exact) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertTrue(largest > 0);
        assertArrayEquals(exact, logits(model, options()), 0.05f * largest);
        assertArrayEquals(exact, logits(model, options().unpacked(DType.BF16)), 0.05f * largest);
        assertArrayEquals(exact, logits(model, options().quantization(DType.Q4)), 0.5f * largest);
    }

    @Test
    void partsHaveTheirShareOfWhatWasRounded() throws IOException {
        Path model = Files.write(directory.resolve("q8.gguf"), TinyGguf.whole());
        float[] whole = logits(model, options().unpacked(DType.F32));
        float[] inParts = logits(model, options().unpacked(DType.F32).tensorParallel(2));
        assertArrayEquals(whole, inParts, 1e-4f);
    }

    @Test
    void onlyGgufFilesHaveSomethingToUnpack() throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_QWEN2, 4);
        assertThrows(
                InvalidRequestException.class, () -> logits(model, options().unpacked(DType.F32)));
    }
}
