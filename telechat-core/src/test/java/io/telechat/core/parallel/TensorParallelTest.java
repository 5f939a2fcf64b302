// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.RankException;
import io.telechat.core.lora.AdaptedModel;
import io.telechat.core.model.CausalLm;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.Conversation;
import io.telechat.core.testing.Goldens;
import io.telechat.core.testing.TinyAdapters;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.testing.Vectors;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A model in parts against the same model in one piece. */
class TensorParallelTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final double TOLERANCE = 2e-4;

    /** Heads of 128, so that parts of quantized matrices are whole blocks. */
    private static final String WIDE = TinyModels.CONFIG_TELECHAT2
            .replace("\"hidden_size\": 32", "\"hidden_size\": 512")
            .replace("\"ffn_hidden_size\": 48", "\"ffn_hidden_size\": 640")
            .replace("0.3", "0.04");

    private static final String WIDE_52B = TinyModels.CONFIG_52B
            .replace("\"n_embd\": 32", "\"n_embd\": 512")
            .replace("\"n_inner\": 48", "\"n_inner\": 640")
            .replace("0.3", "0.04");

    @TempDir
    private Path directory;

    private static ModelInParts.Loading loading(Optional<DType> quantization, List<Path> adapters) {
        return new ModelInParts.Loading(quantization, adapters, LoadProgress.SILENT);
    }

    private static <T> T inParts(Path model, int parts, ModelInParts.Loading loading, Function<CausalLm, T> work) {
        try (LocalRanks ranks = LocalRanks.beside(parts, PATIENCE, others -> {
            Backend backend = Backends.byName("cpu", 1);
            ModelInParts.follow(ModelLoader.check(model), backend, backend.ops(), loading, others);
        })) {
            Backend backend = Backends.byName("cpu", 1);
            try (CausalLm lm = ModelInParts.lead(
                    ModelLoader.check(model), backend, backend.ops(), loading, ranks.first(), () -> {})) {
                return work.apply(lm);
            }
        }
    }

    private static <T> T whole(Path model, ModelInParts.Loading loading, Function<CausalLm, T> work) {
        Backend backend = Backends.byName("cpu", 1);
        ModelLoader.Checked checked = ModelLoader.check(model);
        try (CausalLm lm = !loading.adapters().isEmpty()
                ? AdaptedModel.load(
                        checked,
                        backend,
                        backend.ops(),
                        loading.quantization(),
                        loading.adapters(),
                        LoadProgress.SILENT)
                : ModelLoader.load(checked, backend, backend.ops(), loading.quantization(), LoadProgress.SILENT)) {
            return work.apply(lm);
        }
    }

    private static void assertNear(float[][] expected, float[][] got, String what) {
        assertEquals(expected.length, got.length);
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < expected[i].length; j++) {
                assertEquals(expected[i][j], got[i][j], TOLERANCE, what + ", " + i + ", " + j);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void everyGoldenModelComputesTheSameInParts(int parts) throws IOException {
        ModelInParts.Loading loading = loading(Optional.empty(), List.of());
        for (Path model : Goldens.models()) {
            float[][] expected = whole(model, loading, Conversation::with);
            assertNear(
                    expected,
                    inParts(model, parts, loading, Conversation::with),
                    model.getFileName().toString());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void everyFamilyComputesTheSameInParts(int parts) throws IOException {
        ModelInParts.Loading loading = loading(Optional.empty(), List.of());
        for (String config : TinyModels.CONFIGS) {
            Path model = TinyModels.make(directory, "family" + config.hashCode(), config.replace("0.3", "0.15"), 1);
            float[][] expected = whole(model, loading, Conversation::with);
            assertNear(expected, inParts(model, parts, loading, Conversation::with), config);
        }
    }

    @Test
    void theSameNumberOfPartsGivesTheSameBits() throws IOException {
        Path model = TinyModels.make(directory, "model", WIDE, 1);
        ModelInParts.Loading loading = loading(Optional.empty(), List.of());
        float[][] once = inParts(model, 3, loading, Conversation::with);
        float[][] again = inParts(model, 3, loading, Conversation::with);
        for (int i = 0; i < once.length; i++) {
            assertArrayEquals(once[i], again[i]);
        }
    }

    /** Weights are rounded before they are cut where rounding looks at a whole row, so that they are the same. */
    @ParameterizedTest
    @CsvSource({"Q8, 2", "Q8, 4", "Q4, 2", "Q4, 4"})
    void quantizedWeightsAreTheSameInParts(DType dtype, int parts) throws IOException {
        for (String config : List.of(WIDE, WIDE_52B)) {
            Path model = TinyModels.make(directory, "model" + config.hashCode(), config, 1);
            ModelInParts.Loading loading = loading(Optional.of(dtype), List.of());
            // What is multiplied with them is rounded as well, and now and then to a neighbour, for sums differ in
            // their order.
            float[][] expected = whole(model, loading, Conversation::with);
            float[][] got = inParts(model, parts, loading, Conversation::with);
            for (int i = 0; i < got.length; i++) {
                double distance = Vectors.distance(expected[i], got[i]);
                assertTrue(distance < 2e-3, dtype + " " + distance + " " + config);
            }
        }
    }

    @Test
    void quantizedMatricesAreNotCutWithinAGroup() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        ModelInParts.Loading loading = loading(Optional.of(DType.Q8), List.of());
        assertThrows(InvalidRequestException.class, () -> inParts(model, 2, loading, Conversation::with));
    }

    private Path adapter(Path model, List<String> targets) throws IOException {
        return TinyAdapters.make(directory.resolve("adapter" + targets.hashCode()), model, targets, 7);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void adaptersAreCutWithTheirWeights(int parts) throws IOException {
        Path fused = TinyModels.make(directory, "fused", TinyModels.CONFIG_52B, 1);
        Path grouped = TinyModels.make(directory, "grouped", TinyModels.CONFIG_TELECHAT2, 1);
        Map<Path, List<String>> targets = Map.of(
                fused, List.of("c_attn", "c_proj", "c_fc"),
                grouped, List.of("query", "key_value", "dense", "gate_proj", "down_proj"));
        for (Path model : targets.keySet()) {
            ModelInParts.Loading plain = loading(Optional.empty(), List.of());
            ModelInParts.Loading loading = loading(Optional.empty(), List.of(adapter(model, targets.get(model))));
            float[][] expected = whole(model, loading, Conversation::with);
            float[][] without = whole(model, plain, Conversation::with);
            assertTrue(Math.abs(expected[0][0] - without[0][0]) > 1e-3, "the adapter does something");
            assertNear(expected, inParts(model, parts, loading, Conversation::with), model.toString());
        }
    }

    @Test
    void aPartThatFailsToLoadEndsTheOthers() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        ModelInParts.Loading loading = loading(Optional.empty(), List.of());
        try (LocalRanks ranks = LocalRanks.beside(3, PATIENCE, others -> {
                    if (others.rank() == 2) {
                        throw new IllegalStateException("no memory here");
                    }
                    Backend backend = Backends.byName("cpu", 1);
                    ModelInParts.follow(ModelLoader.check(model), backend, backend.ops(), loading, others);
                });
                ModelLoader.Checked checked = ModelLoader.check(model);
                Backend backend = Backends.byName("cpu", 1)) {
            assertThrows(
                    RankException.class,
                    () -> ModelInParts.lead(checked, backend, backend.ops(), loading, ranks.first(), () -> {}));
            assertEquals("no memory here", ranks.failure().orElseThrow().getMessage());
        }
    }

    @Test
    void anotherModelOnARankIsNoticed() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        Path other = TinyModels.make(
                directory, "other", TinyModels.CONFIG_52B.replace("\"n_inner\": 48", "\"n_inner\": 64"), 1);
        ModelInParts.Loading loading = loading(Optional.empty(), List.of());
        try (LocalRanks ranks = LocalRanks.beside(2, PATIENCE, others -> {
                    try (ModelLoader.Checked checked = ModelLoader.check(other);
                            Backend backend = Backends.byName("cpu", 1)) {
                        ModelInParts.follow(checked, backend, backend.ops(), loading, others);
                    }
                });
                ModelLoader.Checked checked = ModelLoader.check(model);
                Backend backend = Backends.byName("cpu", 1)) {
            String message = assertThrows(
                            RankException.class,
                            () -> ModelInParts.lead(checked, backend, backend.ops(), loading, ranks.first(), () -> {}))
                    .getMessage();
            assertEquals("rank 1 has another model than rank 0", message);
        }
    }

    @Test
    void aPartHoldsItsShareOfTheBytes() throws IOException {
        Path model =
                TinyModels.make(directory, "model", WIDE.replace("640", "512").replace("300", "3200"), 1);
        ModelInParts.Loading loading = loading(Optional.empty(), List.of());
        long all = whole(model, loading, CausalLm::activeBytes);
        long part = inParts(model, 2, loading, CausalLm::activeBytes);
        assertEquals(0.5, (double) part / all, 0.03);
    }
}
