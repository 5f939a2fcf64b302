// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.model.Lease;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is planned for adapters against what they really allocate, on weights of one linear layer and of several. */
class LoraSizeTest {
    private static final int ROWS = 7;
    private static final int RANK = 3;

    @TempDir
    static Path directory;

    @BeforeAll
    static void make() throws IOException {
        TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1);
        TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 1);
    }

    private static LoraConfig config(double dropout, String targets) {
        return new LoraConfig(RANK, 6, false, dropout, List.of(targets.split(" ")));
    }

    @ParameterizedTest
    @CsvSource({
        "52b, 0, c_attn",
        "52b, 0.1, c_attn",
        "52b, 0.1, c_attn c_proj c_fc",
        "12b, 0, query key_value",
        "12b, 0.1, query key_value",
        "12b, 0.1, query",
        "12b, 0.1, gate_proj up_proj down_proj dense",
    })
    void whatIsPlannedIsWhatIsAllocated(String name, double dropout, String targets) {
        LoraConfig config = config(dropout, targets);
        ModelLoader.Checked checked = ModelLoader.check(directory.resolve(name));
        LoraSize size = LoraSize.of(checked.config(), config);
        try (Backend backend = Backends.byName("cpu", 1);
                ParameterStore parameters =
                        ModelLoader.parameters(checked, backend, Optional.empty(), LoadProgress.SILENT);
                LoraAdapters adapters = new LoraAdapters(checked.config(), config, backend);
                LoraDropout dropping = new LoraDropout(backend, backend.gradOps(), dropout, 1);
                LoraGradients gradients = new LoraGradients(
                        adapters, dropping, checked.config(), backend, backend.trainingOps(), backend.gradOps())) {
            List<Long> matrices = new ArrayList<>();
            for (LoraWeight adapter : adapters.all()) {
                adapter.down()
                        .blocks()
                        .forEach(b -> matrices.add(b.matrix().shape().elements()));
                matrices.add(adapter.up().shape().elements());
            }
            assertEquals(matrices, size.matrices());
            LoraOps ops = new LoraOps(backend.ops(), adapters, dropping, backend);
            dropping.train(0);
            for (int i = 0; i < checked.config().layers(); i++) {
                try (Lease<LayerWeights> lease = parameters.layer(i)) {
                    lease.weights().matrices().forEach(w -> pass(w, ops, gradients, backend));
                }
            }
            assertEquals(ops.bytes() + dropping.bytes() + gradients.scratchBytes(), size.scratchBytes(ROWS));
        }
    }

    private static void pass(Weight weight, LoraOps ops, LoraGradients gradients, Backend backend) {
        try (TensorArena arena = backend.memory().newArena()) {
            Tensor x = arena.allocate(DType.F32, ROWS, weight.inFeatures());
            Tensor y = arena.allocate(DType.F32, ROWS, weight.outFeatures());
            ops.linear(x, weight, y);
            gradients.linear(x, weight, y, x, false);
        }
    }

    /** The files hold no zeros of other linear layers: rank · (in + out). */
    @Test
    void countsTheParametersOfTheFiles() {
        try (ModelLoader.Checked checked = ModelLoader.check(directory.resolve("12b"))) {
            assertEquals(
                    2 * RANK * (32 + 32 + 32 + 64),
                    LoraSize.of(checked.config(), config(0, "query key_value")).parameters());
        }
    }

    @Test
    void aTargetThatTheModelHasNotIsNamed() {
        try (ModelLoader.Checked checked = ModelLoader.check(directory.resolve("12b"))) {
            LoraConfig config = config(0, "q_proj");
            String message = assertThrows(InvalidModelException.class, () -> LoraSize.of(checked.config(), config))
                    .getMessage();
            assertEquals("LoRA: the model has no linear layer named [q_proj]", message.split(";")[0]);
        }
    }
}
