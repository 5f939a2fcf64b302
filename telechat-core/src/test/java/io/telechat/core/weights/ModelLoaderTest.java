// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.architecture.RopeRule;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelLoaderTest {
    @TempDir
    Path directory;

    private Path make(String config) throws IOException {
        return TinyModels.make(directory, "model", config, 1);
    }

    private static String refusal(Path model) {
        String message = assertThrows(
                        InvalidModelException.class,
                        () -> ModelLoader.check(model).close())
                .getMessage();
        assertFalse(message.contains("\n"));
        return message;
    }

    /** Writes the model's weights again with some of them changed; a null shape leaves the tensor out. */
    private static void rewrite(Path model, Map<String, Optional<Shape>> changes) {
        Path weights = model.resolve("model.safetensors");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
            checkpoint
                    .names()
                    .forEach(name -> entries.put(name, new SafetensorsWriter.Entry(DType.F32, checkpoint.shape(name))));
            changes.forEach((name, shape) -> {
                entries.remove(name);
                shape.ifPresent(s -> entries.put(name, new SafetensorsWriter.Entry(DType.F32, s)));
            });
            try (SafetensorsWriter writer = SafetensorsWriter.create(weights, entries)) {
                writer.commit();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {TinyModels.CONFIG_52B, TinyModels.CONFIG_12B, TinyModels.CONFIG_TELECHAT2})
    void whatInitWritesIsComplete(String config) throws IOException {
        try (ModelLoader.Checked checked = ModelLoader.check(make(config))) {
            assertEquals(checked.config().parameters() * 4, checked.checkpoint().bytes());
        }
    }

    @Test
    void namesMissingUnexpectedAndMisshapenTensors() throws IOException {
        Path model = make(TinyModels.CONFIG_12B);
        rewrite(
                model,
                Map.of(
                        "transformer.ln_f.weight", Optional.empty(),
                        "transformer.h.0.input_layernorm.weight", Optional.of(Shape.of(31)),
                        "transformer.h.7.extra", Optional.of(Shape.of(1))));
        String message = refusal(model);
        assertTrue(message.contains("missing tensors (1): transformer.ln_f.weight"), message);
        assertTrue(message.contains("unexpected tensors (1): transformer.h.7.extra"), message);
        assertTrue(
                message.contains("'transformer.h.0.input_layernorm.weight' is [31], config.json makes it [32]"),
                message);
    }

    @Test
    void passesOverBuffersThatPublishedFilesHave() throws IOException {
        Path model = make(TinyModels.CONFIG_52B);
        rewrite(model, Map.of("transformer.h.0.attn.masked_bias", Optional.of(Shape.of())));
        ModelLoader.check(model).close();
    }

    @ParameterizedTest
    @CsvSource({
        "n_head, 0",
        "n_head, 5",
        "n_layer, -1",
        "n_layer, 1000000000",
        "n_embd, '\"x\"'",
        "vocab_size, 1099511627776",
        "layer_norm_epsilon, -1",
        "rotary_theta, 0",
        "n_inner, 1.5",
        "mup_scale_factor, 0"
    })
    void refusesImpossibleNumbers(String key, String value) throws IOException {
        Path model = make(TinyModels.CONFIG_52B);
        String config = TinyModels.CONFIG_52B.replaceAll("\"" + key + "\": [^,}]*", "");
        Files.writeString(
                model.resolve("config.json"),
                "{\"%s\": %s, %s".formatted(key, value, config.substring(1).replace(", ,", ",")));
        assertTrue(refusal(model).contains("config.json"), refusal(model));
    }

    @Test
    void refusesAnotherArchitecture() throws IOException {
        Path model = make(TinyModels.CONFIG_52B);
        Files.writeString(model.resolve("config.json"), "{\"model_type\": \"gemma\", \"hidden_size\": 32}");
        assertTrue(refusal(model).contains("gemma"), refusal(model));
    }

    @Test
    void refusesAModelLargerThanMemoryWithTheBill() {
        MemoryPlan plan = new MemoryPlan(100L << 30, 1L << 20, DType.F32, 4096, 1L << 28);
        plan.require("m", 200L << 30);
        String tooBig = assertThrows(InsufficientMemoryException.class, () -> plan.require("m", 24L << 30))
                .getMessage();
        assertTrue(tooBig.contains("weights 100.0 GiB") && tooBig.contains("this machine has 24.0 GiB"), tooBig);
        String shorter = assertThrows(InsufficientMemoryException.class, () -> plan.require("m", 102L << 30))
                .getMessage();
        assertTrue(shorter.contains("--context-length 1792 would fit"), shorter);
    }

    @Test
    void knowsThePublishedCacheSize() {
        // TeleChat-52B in bf16: 64 layers, 2 · 8192 values of 2 bytes.
        assertEquals(2_097_152, new KvLayout(64, new HeadLayout(64, 64, 128), DType.BF16).bytesPerPosition());
    }

    @ParameterizedTest
    @CsvSource({"F32,64,512", "BF16,64,256", "Q8,64,136", "Q8,36,80", "Q8,2,8"})
    void aPositionTakesWhatItsBlockTakesOfMemory(DType type, int headDim, long bytesPerHead) {
        KvLayout layout = new KvLayout(3, new HeadLayout(4, 2, headDim), type);
        assertEquals(3 * 2 * bytesPerHead, layout.bytesPerPosition());
        try (BlockPool pool = new BlockPool(layout, new HostArena(), 1)) {
            assertEquals(layout.blockBytes(), pool.block(pool.take()).bytes());
            assertEquals(KvLayout.BLOCK * layout.bytesPerPosition(), layout.blockBytes());
        }
    }

    @Test
    void initIsTheSameForAnyNumberOfThreads() throws IOException {
        Path config = directory.resolve("config.json");
        Files.writeString(config, TinyModels.CONFIG_12B.replace("\"vocab_size\": 300", "\"vocab_size\": 5000"));
        byte[][] files = new byte[3][];
        for (int i = 0; i < 3; i++) {
            Path out = directory.resolve("out" + i);
            try (WorkerTeam workers = new WorkerTeam(1 + i % 2)) {
                new ModelInitializer(i == 2 ? 8 : 7, DType.BF16, workers, LoadProgress.SILENT).write(config, out);
            }
            files[i] = Files.readAllBytes(out.resolve("model.safetensors"));
        }
        assertEquals(-1, Arrays.mismatch(files[0], files[1]));
        assertTrue(Arrays.mismatch(files[0], files[2]) > 0, "another seed gives other weights");
    }

    @Test
    void neighbouringSeedsGiveUnrelatedWeights() throws IOException {
        float[][] weights = new float[2][];
        for (int seed = 0; seed < 2; seed++) {
            Path model = TinyModels.make(directory, "seed" + seed, TinyModels.CONFIG_12B, seed);
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                weights[seed] = checkpoint.tensor("lm_head.weight").toFloats();
            }
        }
        for (int shift = -2; shift <= 2; shift++) {
            for (int i = 10; i < 100; i++) {
                assertNotEquals(weights[0][i], weights[1][i + shift], "shift " + shift);
            }
        }
    }

    @Test
    void aTiedModelStaysTiedIfItsHeadIsStored() throws IOException {
        Path model = make(TinyModels.CONFIG_12B.replace("\"tie_word_embeddings\": false, ", ""));
        rewrite(model, Map.of("lm_head.weight", Optional.of(Shape.of(300, 32))));
        try (ModelLoader.Checked checked = ModelLoader.check(model)) {
            assertTrue(checked.config().tiedHead());
        }
    }

    @Test
    void countsWhatTheBackendMakesOfTheWeights() throws IOException {
        Path config = directory.resolve("half.json");
        Files.writeString(config, TinyModels.CONFIG_12B);
        Path out = directory.resolve("half");
        try (WorkerTeam workers = new WorkerTeam(1);
                Backend cpu = Backends.byName("cpu", 1);
                Backend nd4j = Backends.byName("nd4j", 1)) {
            new ModelInitializer(7, DType.BF16, workers, LoadProgress.SILENT).write(config, out);
            try (ModelLoader.Checked checked = ModelLoader.check(out)) {
                assertEquals(2 * checked.config().parameters(), checked.weightBytes(cpu, Optional.empty()));
                assertEquals(4 * checked.config().parameters(), checked.weightBytes(nd4j, Optional.empty()));
            }
        }
    }

    @Test
    void initFollowsTheReferencesRule() throws IOException {
        Path model = TinyModels.make(
                directory, "model", TinyModels.CONFIG_52B.replace("\"n_inner\": 48", "\"n_inner\": 2000"), 3);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertEquals(0.3, deviation(checkpoint, "transformer.h.0.mlp.c_fc.weight"), 0.005);
            assertEquals(0.3 / Math.sqrt(4), deviation(checkpoint, "transformer.h.0.mlp.c_proj.weight"), 0.005);
            assertEquals(0, deviation(checkpoint, "transformer.ln_f.weight"), 0);
        }
    }

    private static double deviation(Checkpoint checkpoint, String name) {
        float[] values = checkpoint.tensor(name).toFloats();
        double mean = 0;
        for (float v : values) {
            mean += v / values.length;
        }
        double variance = 0;
        for (float v : values) {
            variance += (v - mean) * (v - mean) / values.length;
        }
        return Math.sqrt(variance);
    }

    private static Optional<String> scanned(Checkpoint checkpoint, WorkerTeam workers) {
        WeightScan scan = new WeightScan(workers, LoadProgress.SILENT, checkpoint.bytes());
        checkpoint.names().forEach(name -> scan.see(name, checkpoint.tensor(name)));
        return scan.complaint().map(Message::toString);
    }

    @Test
    void findsNaN() throws IOException {
        Path model = make(TinyModels.CONFIG_12B);
        try (Checkpoint checkpoint = Checkpoint.open(model);
                WorkerTeam workers = new WorkerTeam(2)) {
            assertTrue(scanned(checkpoint, workers).isEmpty());
        }
        for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
            Path nan = Files.createDirectories(directory.resolve("nan" + dtype));
            Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
            entries.put("infinite", new SafetensorsWriter.Entry(dtype, Shape.of(5)));
            entries.put("bad", new SafetensorsWriter.Entry(dtype, Shape.of(801, 1001)));
            try (SafetensorsWriter writer = SafetensorsWriter.create(nan.resolve("model.safetensors"), entries)) {
                writer.tensor("infinite").setFloat(4, Float.NEGATIVE_INFINITY);
                writer.tensor("bad").setFloat(801 * 1001 - 1, Float.NaN);
                writer.commit();
            }
            try (Checkpoint checkpoint = Checkpoint.open(nan);
                    WorkerTeam workers = new WorkerTeam(2)) {
                assertEquals(Optional.of("1 tensors hold NaN, the first is 'bad'"), scanned(checkpoint, workers));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1,4096,1",
        "4096,4096,1",
        "4097,4096,3",
        "8192,4096,3",
        "8193,4096,7",
        "16384,4096,7",
        "20000,8192,7",
        "48,16,7"
    })
    void ntkFactorGrowsAtPowersOfTwo(int length, int base, double factor) {
        assertEquals(factor, RopeRule.ntkAlpha(length, base));
    }
}
