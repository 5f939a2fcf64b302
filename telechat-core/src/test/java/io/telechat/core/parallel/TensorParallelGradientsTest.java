// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.training.ResidentGradients;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The way back through a model in parts against that through the whole model. */
class TensorParallelGradientsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    /** Gradients of every weight, by the rows and columns that a part holds, against those of the whole model. */
    @ParameterizedTest
    @CsvSource({"52b, 2", "52b, 4", "12b, 3", "telechat2, 2", "postnorm, 2", "tied, 4"})
    void gradientsAreThoseOfTheWholeModel(String name, int parts) throws IOException {
        String config = switch (name) {
            case "52b" -> TinyModels.CONFIG_52B;
            case "12b" -> TinyModels.CONFIG_12B;
            case "telechat2" -> TinyModels.CONFIG_TELECHAT2;
            case "postnorm" ->
                TinyModels.CONFIG_12B.replace(
                        "\"eos_token_id\"",
                        "\"apply_residual_connection_post_layernorm\": true, \"embed_layernorm\": true,"
                                + " \"eos_token_id\"");
            default -> TinyModels.CONFIG_12B.replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
        };
        Path model = TinyModels.make(directory, name, config, 1);
        try (HostArena arena = new HostArena()) {
            Learned[] expected = new Learned[1];
            LocalRanks.run(1, PATIENCE, ranks -> expected[0] = learn(model, ranks, arena));
            LocalRanks.run(parts, PATIENCE, ranks -> {
                Learned got = learn(model, ranks, arena);
                assertEquals(expected[0].loss(), got.loss(), 1e-5);
                compare(
                        expected[0].gradients(),
                        got.gradients(),
                        new ModelPart(expected[0].config(), ranks.rank(), parts));
            });
        }
    }

    private record Learned(ModelConfig config, double loss, ModelWeights gradients) {}

    private static Learned learn(Path model, Communicator ranks, HostArena arena) {
        int[] tokens = new Random(4).ints(12, 0, 300).toArray();
        int[] targets = new Random(5).ints(12, 0, 300).toArray();
        float[] weights = new float[12];
        for (int i = 3; i < 12; i++) {
            weights[i] = 1f / 9;
        }
        ModelLoader.Checked checked = ModelLoader.check(model);
        ModelPart part = new ModelPart(checked.config(), ranks.rank(), ranks.size());
        try (Backend backend = Backends.byName("cpu", 1);
                ParameterStore parameters =
                        ModelLoader.parameters(checked, part, backend, Optional.empty(), LoadProgress.SILENT);
                TensorParallelOps ops = new TensorParallelOps(backend.trainingOps(), backend.memory(), part, ranks);
                TrainingPass pass = new TrainingPass(
                        part.config(), parameters, backend, ops, backend.gradOps(), tokens.length, false, DType.F32)) {
            ModelWeights gradients = zeros(parameters, part.config(), arena);
            Batch batch = Batch.uncached(
                    tokens,
                    new int[] {12},
                    List.of(RopeTable.of(
                            part.config().rope().scaling(12, 12, 12),
                            part.config().heads().headDim(),
                            0,
                            12)));
            double loss = pass.forwardBackward(
                    batch,
                    new TrainingPass.Objective(targets, weights),
                    new TensorParallelGradients(
                            new ResidentGradients(backend.gradOps(), gradients),
                            backend.ops(),
                            backend.memory(),
                            part,
                            ranks));
            return new Learned(part.whole(), loss, gradients);
        }
    }

    private static ModelWeights zeros(ParameterStore parameters, ModelConfig config, HostArena arena) {
        ModelWeights weights = new ModelWeights(
                parameters.embedding().weights(),
                IntStream.range(0, config.layers())
                        .mapToObj(i -> parameters.layer(i).weights())
                        .toList(),
                parameters.head().weights());
        var embedding = weights.embedding().map(t -> zero(t, arena));
        var head = weights.head().map(t -> zero(t, arena));
        return new ModelWeights(
                embedding,
                weights.layers().stream().map(l -> l.map(t -> zero(t, arena))).toList(),
                config.tiedHead() ? new HeadWeights(head.norm(), embedding.table()) : head);
    }

    private static Tensor zero(Tensor like, HostArena arena) {
        synchronized (arena) {
            return arena.allocate(DType.F32, like.shape().toArray());
        }
    }

    private static void compare(ModelWeights expected, ModelWeights got, ModelPart part) {
        compare(expected.embedding().table(), got.embedding().table(), part);
        compare(expected.head().matrix(), got.head().matrix(), part);
        compare(expected.head().norm(), got.head().norm());
        for (int i = 0; i < expected.layers().size(); i++) {
            compare(expected.layers().get(i).attnNorm(), got.layers().get(i).attnNorm());
            compare(expected.layers().get(i).ffnNorm(), got.layers().get(i).ffnNorm());
            List<Weight> matrices = expected.layers().get(i).matrices();
            for (int m = 0; m < matrices.size(); m++) {
                compare(matrices.get(m), got.layers().get(i).matrices().get(m), part);
            }
        }
    }

    private static void compare(Weight whole, Weight own, ModelPart part) {
        List<float[]> expected = rows(part.rows(whole));
        List<float[]> got = rows(own);
        Optional<ModelPart.Range> columns = part.columns(whole.id().part());
        assertEquals(expected.size(), got.size());
        for (int row = 0; row < got.size(); row++) {
            for (int i = 0; i < got.get(row).length; i++) {
                int column = i + columns.map(ModelPart.Range::from).orElse(0);
                assertEquals(expected.get(row)[column], got.get(row)[i], 2e-5, whole.id() + " " + row + " " + i);
            }
        }
        if (own.hasBias()) {
            compare(
                    whole.blocks().getFirst().bias().orElseThrow(),
                    own.blocks().getFirst().bias().orElseThrow());
        }
    }

    private static List<float[]> rows(Weight weight) {
        List<float[]> rows = new ArrayList<>();
        for (Weight.Block block : weight.blocks()) {
            for (long row = 0; row < block.rows(); row++) {
                rows.add(block.matrix().rows(row, row + 1).toFloats());
            }
        }
        return rows;
    }

    private static void compare(Tensor expected, Tensor got) {
        assertArrayEquals(expected.toFloats(), got.toFloats(), 2e-5f);
    }

    @Test
    void gradientsOfASharedKeyHeadAreRefused() throws IOException {
        assertRefused(TinyModels.CONFIG_TELECHAT2, 4);
    }

    @Test
    void gradientsOfSharedNormsOfHeadsAreRefused() throws IOException {
        assertRefused(TinyModels.CONFIG_QWEN3, 2);
    }

    private void assertRefused(String config, int parts) throws IOException {
        Path model = TinyModels.make(directory, "model", config, 1);
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                LocalRanks ranks = LocalRanks.beside(1, PATIENCE, others -> {})) {
            ModelPart part = new ModelPart(checked.config(), 0, parts);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new TensorParallelGradients(null, null, null, part, ranks.first()));
        }
    }
}
