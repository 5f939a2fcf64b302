// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.model.Activations;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointQuantizerTest {
    private static final int[] TOKENS = {5, 17, 250, 3, 99};

    @TempDir
    private Path directory;

    private int made;

    private Path make(String config) throws IOException {
        return TinyModels.make(directory, "model" + made++, config, 1);
    }

    private Path quantize(Path model, DType dtype, int threads) throws IOException {
        Path out = directory.resolve("quantized" + made++);
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                WorkerTeam workers = new WorkerTeam(threads)) {
            List<CheckpointQuantizer.Result> results =
                    new CheckpointQuantizer(dtype, workers, LoadProgress.SILENT).write(checked, out);
            assertTrue(results.stream().anyMatch(r -> r.error() > 0));
        }
        Files.copy(model.resolve("config.json"), out.resolve("config.json"));
        return out;
    }

    private static float[] logits(Path model, String backendName, Optional<DType> quantization) {
        Backend backend = Backends.byName(backendName, 2);
        try (CausalLm lm = ModelLoader.load(
                        ModelLoader.check(model), backend, backend.ops(), quantization, LoadProgress.SILENT);
                TensorArena arena = backend.memory().newArena();
                KvCache cache = lm.newCache(DType.F32)) {
            RopeScaling scaling = lm.beginCall(cache, TOKENS.length);
            Batch batch = Batch.of(TOKENS, cache, lm.ropeTable(scaling, 0, TOKENS.length));
            Activations activations = Activations.allocate(lm.config(), TOKENS.length, arena);
            Tensor hidden = lm.forward(batch, activations, LayerObserver.NONE);
            Tensor logits = arena.allocate(DType.F32, TOKENS.length, lm.config().vocabSize());
            lm.logits(hidden, logits);
            return backend.memory().toHost(logits).toFloats();
        }
    }

    private static double distance(float[] a, float[] b) {
        double difference = 0;
        double square = 0;
        for (int i = 0; i < a.length; i++) {
            difference += Math.pow((double) a[i] - b[i], 2);
            square += (double) a[i] * a[i];
        }
        return Math.sqrt(difference / square);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0"})
    void whatIsWrittenIsWhatLoadingRoundsTo(DType dtype) throws IOException {
        for (String config :
                List.of(TinyModels.CONFIG_52B, TinyModels.CONFIG_12B.replace("\"n_head\": 4", "\"n_head\": 2"))) {
            Path model = make(config);
            Path quantized = quantize(model, dtype, 2);
            assertArrayEquals(
                    logits(model, "cpu", Optional.of(dtype)), logits(quantized, "cpu", Optional.empty()), config);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0"})
    void everyArchitectureStaysCloseToItself(DType dtype) throws IOException {
        double allowed = dtype == DType.Q8_0 ? 0.06 : 0.6; // unrelated logits are 1.4 apart
        for (String config : List.of(TinyModels.CONFIG_52B, TinyModels.CONFIG_12B, TinyModels.CONFIG_TELECHAT2)) {
            Path model = make(config);
            Path quantized = quantize(model, dtype, 1);
            float[] original = logits(model, "cpu", Optional.empty());
            for (String backend : List.of("cpu", "nd4j")) {
                double stored = distance(original, logits(quantized, backend, Optional.empty()));
                double rounded = distance(original, logits(model, backend, Optional.of(dtype)));
                assertTrue(stored < allowed && rounded < allowed, stored + ", " + rounded + " " + config);
            }
        }
    }

    @Test
    void theBytesDoNotDependOnTheNumberOfThreads() throws IOException {
        Path model = make(TinyModels.CONFIG_52B);
        assertArrayEquals(
                Files.readAllBytes(quantize(model, DType.Q4_0, 1).resolve("model.safetensors")),
                Files.readAllBytes(quantize(model, DType.Q4_0, 3).resolve("model.safetensors")));
    }

    @Test
    void whatIsQuantizedIsNotQuantizedAgain() throws IOException {
        Path quantized = quantize(make(TinyModels.CONFIG_52B), DType.Q8_0, 1);
        assertArrayEquals(
                logits(quantized, "cpu", Optional.empty()), logits(quantized, "cpu", Optional.of(DType.Q8_0)));
        String loading = assertThrows(
                        InvalidModelException.class, () -> logits(quantized, "cpu", Optional.of(DType.Q4_0)))
                .getMessage();
        assertTrue(loading.contains("is quantized to q8_0 already"), loading);
        assertThrows(InvalidModelException.class, () -> quantize(quantized, DType.Q4_0, 1));
    }

    @Test
    void aDescriptionThatDoesNotFitTheBytesIsRefused() throws IOException {
        Path quantized = quantize(make(TinyModels.CONFIG_52B), DType.Q8_0, 1);
        Path file = quantized.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        String header = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = header.indexOf("Q8_0");
        bytes[at + 1] = '4';
        Files.write(file, bytes);
        String message = assertThrows(InvalidModelException.class, () -> ModelLoader.check(quantized))
                .getMessage();
        assertTrue(message.contains("does not fill its bytes"), message);
        bytes[at + 1] = '9';
        Files.write(file, bytes);
        message = assertThrows(InvalidModelException.class, () -> ModelLoader.check(quantized))
                .getMessage();
        assertTrue(message.contains("unknown type or shape"), message);
    }
}
