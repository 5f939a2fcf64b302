// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.gguf.GgufBlocks;
import io.telechat.core.gguf.GgufFile;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.Goldens;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufExporterTest {
    @TempDir
    Path directory;

    private Path export(Path model, GgufType type) {
        Path out = directory.resolve(type + ".gguf");
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                WorkerTeam workers = new WorkerTeam(2)) {
            new GgufExporter(type, workers, LoadProgress.SILENT).write(checked, model, out);
        }
        return out;
    }

    /** Bit for bit the same tensors, and the same numbers of the model. */
    private static void assertSame(Path model, Path gguf) {
        try (ModelLoader.Checked before = ModelLoader.check(model);
                ModelLoader.Checked after = ModelLoader.check(gguf)) {
            assertEquals(numbers(before.config()), numbers(after.config()));
            Checkpoint checkpoint = before.checkpoint();
            before.config().architecture().tensors(before.config()).forEach(spec -> {
                String name = spec.name();
                assertEquals(checkpoint.dtype(name), after.checkpoint().dtype(name), name);
                assertArrayEquals(
                        checkpoint.tensor(name).segment().toArray(ValueLayout.JAVA_BYTE),
                        after.checkpoint().tensor(name).segment().toArray(ValueLayout.JAVA_BYTE),
                        name);
            });
        }
    }

    /** What has no equality of its own is compared by what it computes. */
    private static List<Object> numbers(ModelConfig config) {
        return List.of(
                config.architecture().name(),
                config.vocabSize(),
                config.hidden(),
                config.layers(),
                config.heads(),
                config.ffn(),
                config.normEps(),
                config.tiedHead(),
                config.contextLength(),
                config.maxContextLength(),
                config.rope().toString());
    }

    static Stream<String> configs() {
        return Stream.of(TinyModels.CONFIG_LLAMA, TinyModels.CONFIG_QWEN2, TinyModels.CONFIG_QWEN3);
    }

    @ParameterizedTest
    @MethodSource("configs")
    void whatIsWrittenIsReadBack(String config) throws IOException {
        Path model = TinyModels.make(directory, "tiny", config, 3);
        assertSame(model, export(model, GgufType.F32));
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
    void goldenModelsAreReadBack(String name) {
        Path model = Goldens.shared("models").resolve(name);
        Assumptions.assumeTrue(Files.isDirectory(model), "needs the folder of goldens beside the checkout");
        assertSame(model, export(model, GgufType.F32));
    }

    private static GgufFile read(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return GgufFile.read(file, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"F16", "BF16", "Q8_0"})
    void matricesAreRoundedAndVectorsAreNot(GgufType type) throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_QWEN2, 3);
        try (Arena arena = Arena.ofConfined();
                ModelLoader.Checked checked = ModelLoader.check(model)) {
            GgufFile file = read(export(model, type), arena);
            assertEquals(
                    GgufType.F32, file.tensors().get("blk.0.attn_norm.weight").type());
            assertEquals(GgufType.F32, file.tensors().get("blk.1.attn_q.bias").type());
            GgufFile.Stored stored = file.tensors().get("blk.0.attn_v.weight");
            assertEquals(type, stored.type());
            float[] values = checked.checkpoint()
                    .tensor("model.layers.0.self_attn.v_proj.weight")
                    .toFloats();
            float[] row = new float[32];
            GgufBlocks.dequantize(type, stored.row(0), row);
            for (int i = 0; i < row.length; i++) {
                assertEquals(values[i], row[i], 0.005);
            }
        }
    }

    @Test
    void rowsThatAreNoWholeBlocksStayHalves() throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_QWEN2, 3);
        try (Arena arena = Arena.ofConfined()) {
            GgufFile file = read(export(model, GgufType.Q8_0), arena);
            assertEquals(
                    GgufType.F16, file.tensors().get("blk.0.ffn_down.weight").type(), "56 columns");
        }
    }

    /** Element by element of a head, from the formula of llama.cpp's row order. */
    @Test
    void rowsOfLlamaAreInterleaved() throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_LLAMA, 3);
        try (Arena arena = Arena.ofConfined();
                ModelLoader.Checked checked = ModelLoader.check(model)) {
            GgufFile.Stored stored =
                    read(export(model, GgufType.F32), arena).tensors().get("blk.0.attn_k.weight");
            MemorySegment original = checked.checkpoint()
                    .tensor("model.layers.0.self_attn.k_proj.weight")
                    .segment();
            long rowBytes = 32 * Float.BYTES;
            int headDim = 12;
            for (int head = 0; head < 2; head++) {
                for (int i = 0; i < headDim; i++) {
                    long from = head * headDim + i % 2 * (headDim / 2) + i / 2;
                    assertEquals(
                            -1,
                            stored.row(head * headDim + i).mismatch(original.asSlice(from * rowBytes, rowBytes)),
                            "row " + i);
                }
            }
        }
    }

    @Test
    void quantizedModelsAreUnpackedFirst() throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_QWEN3, 3);
        Path rounded = export(model, GgufType.Q8_0);
        Path floats = directory.resolve("floats.gguf");
        try (ModelLoader.Checked checked = ModelLoader.check(rounded, Optional.of(DType.F32));
                WorkerTeam workers = new WorkerTeam(1);
                Arena arena = Arena.ofConfined()) {
            new GgufExporter(GgufType.F32, workers, LoadProgress.SILENT).write(checked, rounded, floats);
            float[] wanted = new float[32];
            GgufFile.Stored before = read(rounded, arena).tensors().get("blk.0.ffn_up.weight");
            assertEquals(GgufType.Q8_0, before.type());
            GgufBlocks.dequantize(GgufType.Q8_0, before.row(3), wanted);
            assertArrayEquals(
                    wanted,
                    read(floats, arena)
                            .tensors()
                            .get("blk.0.ffn_up.weight")
                            .row(3)
                            .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
        }
    }

    @Test
    void whatLlamaCppDoesNotKnowIsRefused() throws IOException {
        for (String config : List.of(
                TinyModels.CONFIG_52B, TinyModels.CONFIG_12B, TinyModels.CONFIG_QWEN, TinyModels.CONFIG_TELECHAT3)) {
            Path model = TinyModels.make(directory, "tiny" + config.hashCode(), config, 3);
            String message = assertThrows(InvalidModelException.class, () -> export(model, GgufType.F32))
                    .getMessage();
            assertTrue(message.contains("its model_type is '"), message);
            assertFalse(Files.exists(directory.resolve("F32.gguf")));
        }
    }

    @Test
    void nothingIsOverwritten() throws IOException {
        Path model = TinyModels.make(directory, "tiny", TinyModels.CONFIG_QWEN3, 3);
        export(model, GgufType.F32);
        assertTrue(assertThrows(InvalidModelException.class, () -> export(model, GgufType.F32))
                .getMessage()
                .contains("is there already"));
    }
}
