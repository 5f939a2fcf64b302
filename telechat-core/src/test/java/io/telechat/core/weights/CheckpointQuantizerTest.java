// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.checkpoint.SafetensorsWriter;
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
import io.telechat.core.testing.Vectors;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
            lm.logits(hidden, 0, (int) hidden.rows(), logits);
            return backend.memory().toHost(logits).toFloats();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "Q4"})
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
    @EnumSource(names = {"Q8", "Q4"})
    void everyArchitectureStaysCloseToItself(DType dtype) throws IOException {
        double allowed = dtype == DType.Q8 ? 0.06 : 0.6; // unrelated logits are 1.4 apart
        for (String config : List.of(TinyModels.CONFIG_52B, TinyModels.CONFIG_12B, TinyModels.CONFIG_TELECHAT2)) {
            Path model = make(config);
            Path quantized = quantize(model, dtype, 1);
            float[] original = logits(model, "cpu", Optional.empty());
            for (String backend : List.of("cpu", "nd4j")) {
                double stored = Vectors.distance(original, logits(quantized, backend, Optional.empty()));
                double rounded = Vectors.distance(original, logits(model, backend, Optional.of(dtype)));
                assertTrue(stored < allowed && rounded < allowed, stored + ", " + rounded + " " + config);
            }
        }
    }

    @Test
    void theBytesDoNotDependOnTheNumberOfThreads() throws IOException {
        Path model = make(TinyModels.CONFIG_52B);
        assertArrayEquals(
                Files.readAllBytes(quantize(model, DType.Q4, 1).resolve("model.safetensors")),
                Files.readAllBytes(quantize(model, DType.Q4, 3).resolve("model.safetensors")));
    }

    @Test
    void whatIsQuantizedIsNotQuantizedAgain() throws IOException {
        Path quantized = quantize(make(TinyModels.CONFIG_52B), DType.Q8, 1);
        assertArrayEquals(logits(quantized, "cpu", Optional.empty()), logits(quantized, "cpu", Optional.of(DType.Q8)));
        String loading = assertThrows(
                        InvalidModelException.class, () -> logits(quantized, "cpu", Optional.of(DType.Q4)))
                .getMessage();
        assertTrue(loading.contains("is quantized to q8 already"), loading);
        assertThrows(InvalidModelException.class, () -> quantize(quantized, DType.Q4, 1));
    }

    @Test
    void anInfiniteWeightIsRefusedByName() throws IOException {
        Path model = make(TinyModels.CONFIG_52B);
        Path file = model.resolve("model.safetensors");
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        Path changed = directory.resolve("infinite.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile from = SafetensorsFile.open(file, arena);
            for (String name : from.tensors().keySet()) {
                Tensor tensor = from.tensor(name);
                entries.put(name, new SafetensorsWriter.Entry(tensor.dtype(), tensor.shape()));
            }
            try (SafetensorsWriter writer = SafetensorsWriter.create(changed, entries)) {
                for (String name : entries.keySet()) {
                    writer.tensor(name).segment().copyFrom(from.tensor(name).segment());
                }
                writer.tensor("lm_head.weight").setFloat(3, Float.POSITIVE_INFINITY);
                writer.commit();
            }
        }
        Files.move(changed, file, StandardCopyOption.REPLACE_EXISTING);
        String message = assertThrows(InvalidModelException.class, () -> quantize(model, DType.Q8, 1))
                .getMessage();
        assertTrue(message.contains("lm_head.weight"), message);
    }

    @Test
    void readsTheNameThatATypeOnceHad() throws IOException {
        Path quantized = quantize(make(TinyModels.CONFIG_52B), DType.Q8, 1);
        float[] expected = logits(quantized, "cpu", Optional.empty());
        Path file = quantized.resolve("model.safetensors");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) bytes.getLong();
        String header = new String(bytes.array(), Long.BYTES, length, StandardCharsets.UTF_8);
        byte[] old = header.replace("Q8", "Q8_0").getBytes(StandardCharsets.UTF_8);
        assertTrue(old.length > length);
        ByteBuffer changed = ByteBuffer.allocate(bytes.capacity() + old.length - length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(old.length)
                .put(old)
                .put(bytes.position(Long.BYTES + length));
        Files.write(file, changed.array());
        assertArrayEquals(expected, logits(quantized, "cpu", Optional.empty()));
    }

    @Test
    void aDescriptionThatDoesNotFitTheBytesIsRefused() throws IOException {
        Path quantized = quantize(make(TinyModels.CONFIG_52B), DType.Q8, 1);
        Path file = quantized.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        String header = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = header.indexOf("Q8");
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
