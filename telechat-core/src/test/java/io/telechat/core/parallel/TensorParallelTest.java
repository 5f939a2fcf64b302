// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.HeadWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.RankException;
import io.telechat.core.lora.AdaptedModel;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.Goldens;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.training.ResidentGradients;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
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

    private static ModelInParts.Loading loading(Optional<DType> quantization, Optional<Path> adapter) {
        return new ModelInParts.Loading(quantization, adapter, LoadProgress.SILENT);
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
        try (CausalLm lm = loading.adapter().isPresent()
                ? AdaptedModel.load(
                        checked,
                        backend,
                        backend.ops(),
                        loading.quantization(),
                        loading.adapter().get(),
                        LoadProgress.SILENT)
                : ModelLoader.load(checked, backend, backend.ops(), loading.quantization(), LoadProgress.SILENT)) {
            return work.apply(lm);
        }
    }

    private static int[] tokens(int count, int vocabulary, long seed) {
        return new Random(seed).ints(count, 0, vocabulary).toArray();
    }

    private static Tensor logits(CausalLm lm, int[] tokens, List<KvCache> caches, int[] counts, TensorArena arena) {
        List<Batch.Span> spans = new ArrayList<>();
        int first = 0;
        for (int i = 0; i < counts.length; i++) {
            RopeScaling scaling = lm.beginCall(caches.get(i), counts[i]);
            spans.add(new Batch.Span(
                    first,
                    counts[i],
                    caches.get(i),
                    lm.ropeTable(scaling, caches.get(i).length(), counts[i])));
            first += counts[i];
        }
        Tensor hidden =
                lm.forward(new Batch(tokens, spans), lm.newActivations(tokens.length, arena), LayerObserver.NONE);
        Tensor logits = arena.allocate(DType.F32, tokens.length, lm.config().vocabSize());
        lm.logits(hidden, 0, tokens.length, logits);
        return logits;
    }

    /** Logits of a prompt, of single tokens behind it, and of two sequences in one batch, of which one was shortened before. */
    private static float[][] conversation(CausalLm lm) {
        int vocabulary = lm.config().vocabSize();
        List<float[]> all = new ArrayList<>();
        try (TensorArena arena = lm.backend().memory().newArena();
                KvCache one = lm.newCache(DType.F32);
                KvCache other = lm.newCache(DType.F32)) {
            int[] prompt = tokens(9, vocabulary, 1);
            all.add(logits(lm, prompt, List.of(one), new int[] {9}, arena).toFloats());
            for (int step = 0; step < 3; step++) {
                all.add(logits(lm, new int[] {step}, List.of(one), new int[] {1}, arena)
                        .toFloats());
            }
            one.truncate(5);
            int[] both = tokens(7, vocabulary, 2);
            all.add(logits(lm, both, List.of(one, other), new int[] {3, 4}, arena)
                    .toFloats());
        }
        try (TensorArena arena = lm.backend().memory().newArena();
                KvCache third = lm.newCache(DType.F32)) {
            all.add(logits(lm, tokens(4, vocabulary, 3), List.of(third), new int[] {4}, arena)
                    .toFloats());
        }
        return all.toArray(float[][]::new);
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
        ModelInParts.Loading loading = loading(Optional.empty(), Optional.empty());
        for (Path model : Goldens.models()) {
            String name = model.getFileName().toString();
            if (!name.startsWith("telechat3") && name.startsWith("telechat")) {
                float[][] expected = whole(model, loading, TensorParallelTest::conversation);
                assertNear(expected, inParts(model, parts, loading, TensorParallelTest::conversation), name);
            }
        }
    }

    @Test
    void theSameNumberOfPartsGivesTheSameBits() throws IOException {
        Path model = TinyModels.make(directory, "model", WIDE, 1);
        ModelInParts.Loading loading = loading(Optional.empty(), Optional.empty());
        float[][] once = inParts(model, 3, loading, TensorParallelTest::conversation);
        float[][] again = inParts(model, 3, loading, TensorParallelTest::conversation);
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
            ModelInParts.Loading loading = loading(Optional.of(dtype), Optional.empty());
            // What is multiplied with them is rounded as well, and now and then to a neighbour, for sums differ in
            // their order.
            float[][] expected = whole(model, loading, TensorParallelTest::conversation);
            float[][] got = inParts(model, parts, loading, TensorParallelTest::conversation);
            for (int i = 0; i < got.length; i++) {
                double distance = distance(expected[i], got[i]);
                assertTrue(distance < 2e-3, dtype + " " + distance + " " + config);
            }
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

    @Test
    void quantizedMatricesAreNotCutWithinAGroup() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        ModelInParts.Loading loading = loading(Optional.of(DType.Q8), Optional.empty());
        assertThrows(InvalidRequestException.class, () -> inParts(model, 2, loading, TensorParallelTest::conversation));
    }

    private Path adapter(Path model, List<String> targets) throws IOException {
        LoraConfig config = new LoraConfig(3, 6, false, 0, targets);
        Random random = new Random(7);
        Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
        Path out = Files.createDirectories(directory.resolve("adapter" + targets.hashCode()));
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                HostArena arena = new HostArena()) {
            checked.config().architecture().tensors(checked.config()).forEach(spec -> {
                String module = spec.name().replaceFirst("\\.weight$", "");
                if (targets.stream().anyMatch(t -> module.endsWith("." + t))) {
                    long in = spec.computedShape().dim(1);
                    pairs.put(
                            module,
                            new LoraFiles.Pair(
                                    random(random, arena, 3, in),
                                    random(random, arena, spec.computedShape().dim(0), 3)));
                }
            });
            boolean turned = checked.config().architecture().name().contains("52B");
            LoraFiles.write(out, Optional.of(model), config, pairs, turned);
        }
        return out;
    }

    private static Tensor random(Random random, TensorArena arena, long rows, long columns) {
        Tensor tensor = arena.allocate(DType.F32, rows, columns);
        for (long i = 0; i < rows * columns; i++) {
            tensor.setFloat(i, (float) random.nextGaussian() / 8);
        }
        return tensor;
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
            ModelInParts.Loading plain = loading(Optional.empty(), Optional.empty());
            ModelInParts.Loading loading = loading(Optional.empty(), Optional.of(adapter(model, targets.get(model))));
            float[][] expected = whole(model, loading, TensorParallelTest::conversation);
            float[][] without = whole(model, plain, TensorParallelTest::conversation);
            assertTrue(Math.abs(expected[0][0] - without[0][0]) > 1e-3, "the adapter does something");
            assertNear(expected, inParts(model, parts, loading, TensorParallelTest::conversation), model.toString());
        }
    }

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
        int[] tokens = tokens(12, 300, 4);
        int[] targets = tokens(12, 300, 5);
        float[] weights = new float[12];
        for (int i = 3; i < 12; i++) {
            weights[i] = 1f / 9;
        }
        ModelLoader.Checked checked = ModelLoader.check(model);
        ModelPart part = new ModelPart(checked.config(), ranks.rank(), ranks.size());
        try (Backend backend = Backends.byName("cpu", 1);
                ParameterStore parameters =
                        ModelLoader.parameters(checked, part, backend, Optional.empty(), LoadProgress.SILENT);
                TensorParallelOps ops = new TensorParallelOps(backend.trainingOps(), part, ranks);
                TrainingPass pass = new TrainingPass(
                        part.config(), parameters, backend, ops, backend.gradOps(), tokens.length, false)) {
            ModelWeights gradients = zeros(parameters, part.config(), arena);
            Batch batch = Batch.uncached(
                    tokens,
                    new int[] {12},
                    List.of(RopeTable.of(
                            part.config().rope().scaling(12, 12),
                            part.config().heads().headDim(),
                            0,
                            12)));
            double loss = pass.forwardBackward(
                    batch,
                    new TrainingPass.Objective(targets, weights),
                    new TensorParallelGradients(
                            new ResidentGradients(backend.gradOps(), gradients), backend.ops(), part, ranks));
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
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_TELECHAT2, 1);
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                LocalRanks ranks = LocalRanks.beside(1, PATIENCE, others -> {})) {
            ModelPart part = new ModelPart(checked.config(), 0, 4);
            assertThrows(
                    IllegalArgumentException.class, () -> new TensorParallelGradients(null, null, part, ranks.first()));
        }
    }

    @Test
    void aPartThatFailsToLoadEndsTheOthers() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        ModelInParts.Loading loading = loading(Optional.empty(), Optional.empty());
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
        ModelInParts.Loading loading = loading(Optional.empty(), Optional.empty());
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
        ModelInParts.Loading loading = loading(Optional.empty(), Optional.empty());
        long all = whole(model, loading, CausalLm::activeBytes);
        long part = inParts(model, 2, loading, CausalLm::activeBytes);
        assertEquals(0.5, (double) part / all, 0.03);
    }
}
