// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.architecture.LayerWeights;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.architecture.ModelWeights;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendChoice;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.RankException;
import io.telechat.core.ffi.NativeLibrary;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.model.PassMemory;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.ForwardingOps;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.parallel.ModelInParts;
import io.telechat.core.parallel.TensorParallelGradients;
import io.telechat.core.parallel.TensorParallelOps;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.Conversation;
import io.telechat.core.testing.Goldens;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.training.ResidentGradients;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A model in parts, each on a GPU of its own, against the same model in one piece on the CPU. */
@NeedsSeveralGpus
class CudaTensorParallelTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final float TOLERANCE = 2e-4f;
    private static final ModelInParts.Loading LOADING =
            new ModelInParts.Loading(Optional.empty(), List.of(), LoadProgress.SILENT);

    @TempDir
    private Path directory;

    private static Backend gpu(int number) {
        return Backends.open(new BackendChoice(Optional.of("cuda"), 1).forRank(number));
    }

    private static void follow(Path model, Communicator ranks) {
        Backend backend = gpu(ranks.numberHere());
        ModelInParts.follow(ModelLoader.check(model), backend, backend.ops(), LOADING, ranks);
    }

    private static <T> T inParts(Path model, int parts, Function<CausalLm, T> work) {
        try (LocalRanks ranks = LocalRanks.beside(parts, PATIENCE, others -> follow(model, others))) {
            Backend backend = gpu(0);
            try (CausalLm lm = ModelInParts.lead(
                    ModelLoader.check(model), backend, backend.ops(), LOADING, ranks.first(), () -> {})) {
                return work.apply(lm);
            }
        }
    }

    private static float[][] whole(Path model) {
        try (CausalLm lm = ModelLoader.load(ModelLoader.check(model), Backends.byName("cpu", 1), LoadProgress.SILENT)) {
            return Conversation.with(lm);
        }
    }

    /** With four parts, some of them share a head of keys. */
    @ParameterizedTest
    @CsvSource({"52b, 2", "telechat2, 4"})
    void computesWhatTheWholeModelDoes(String name, int parts) throws IOException {
        String config = name.equals("52b") ? TinyModels.CONFIG_52B : TinyModels.CONFIG_TELECHAT2;
        Path model = TinyModels.make(directory, name, config, 1);
        float[][] expected = whole(model);
        float[][] got = inParts(model, parts, Conversation::with);
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], got[i], TOLERANCE, "answer " + i);
        }
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void everyGoldenModelComputesTheSameInParts(int parts) throws IOException {
        for (Path model : Goldens.models()) {
            String name = model.getFileName().toString();
            if (!name.startsWith("telechat3") && name.startsWith("telechat")) {
                float[][] expected = whole(model);
                float[][] got = inParts(model, parts, Conversation::with);
                for (int i = 0; i < expected.length; i++) {
                    assertArrayEquals(expected[i], got[i], TOLERANCE, name + ", answer " + i);
                }
            }
        }
    }

    /** Logits of steps of one token, which are the same list of launches from the second on. */
    private static float[][] decode(CausalLm lm, int steps) {
        float[][] all = new float[steps][];
        try (PassMemory memory = new PassMemory(lm);
                KvCache cache = lm.newCache(DType.F32)) {
            for (int step = 0; step < steps; step++) {
                RopeTable rope = lm.ropeTable(lm.beginCall(cache, 1), step, 1);
                Batch batch = Batch.of(new int[] {7 * step}, cache, rope);
                Tensor hidden = lm.forward(batch, memory.activations(1), LayerObserver.NONE);
                Tensor logits = memory.logits(1);
                lm.logits(hidden, 0, 1, logits);
                all[step] = lm.backend().memory().toHost(logits).toFloats();
            }
        }
        return all;
    }

    private static long graphLaunches() {
        Path driver = Path.of(System.getProperty("telechat.cuda.library"));
        try {
            return (long) NativeLibrary.open(driver)
                    .function("standin_graph_launches", FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                    .invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** With the operations among the ranks in it, in both parts, once memory has grown and the same has come before. */
    @Test
    void aStepOfDecodingIsStartedAsAWhole() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        float[][] expected;
        try (CausalLm lm = ModelLoader.load(ModelLoader.check(model), Backends.byName("cpu", 1), LoadProgress.SILENT)) {
            expected = decode(lm, 6);
        }
        long before = graphLaunches();
        float[][] got = inParts(model, 2, lm -> decode(lm, 6));
        assertTrue(graphLaunches() - before >= 2 * 2 * 4, "graphs launched");
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], got[i], TOLERANCE, "step " + i);
        }
    }

    /** What a part has learned: of the embedding its rows, of the last norm all. */
    private record Learned(double loss, float[] embedding, float[] norm) {}

    private static Learned learn(Path model, Backend backend, Communicator ranks) {
        int[] tokens = new Random(4).ints(12, 0, 300).toArray();
        int[] targets = new Random(5).ints(12, 0, 300).toArray();
        float[] weights = new float[12];
        Arrays.fill(weights, 1f / 12);
        ModelLoader.Checked checked = ModelLoader.check(model);
        ModelPart part = new ModelPart(checked.config(), ranks.rank(), ranks.size());
        try (TensorArena arena = backend.memory().newArena();
                ParameterStore parameters =
                        ModelLoader.parameters(checked, part, backend, Optional.empty(), LoadProgress.SILENT);
                TensorParallelOps ops = new TensorParallelOps(backend.trainingOps(), backend.memory(), part, ranks);
                TrainingPass pass = new TrainingPass(
                        part.config(), parameters, backend, ops, backend.gradOps(), 12, false, DType.F32)) {
            ModelWeights zeros = zeros(parameters, part.config().layers(), arena);
            RopeTable rope = RopeTable.of(
                    part.config().rope().scaling(12, 12, 12),
                    part.config().heads().headDim(),
                    0,
                    12);
            double loss = pass.forwardBackward(
                    Batch.uncached(tokens, new int[] {12}, List.of(rope)),
                    new TrainingPass.Objective(targets, weights),
                    new TensorParallelGradients(
                            new ResidentGradients(backend.gradOps(), zeros),
                            backend.ops(),
                            backend.memory(),
                            part,
                            ranks));
            Tensor table = zeros.embedding().table().blocks().getFirst().matrix();
            return new Learned(
                    loss,
                    backend.memory().toHost(table).toFloats(),
                    backend.memory().toHost(zeros.head().norm()).toFloats());
        }
    }

    private static ModelWeights zeros(ParameterStore parameters, int layers, TensorArena arena) {
        UnaryOperator<Tensor> zero = t -> arena.allocate(DType.F32, t.shape().toArray());
        List<LayerWeights> all = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            all.add(parameters.layer(i).weights().map(zero));
        }
        return new ModelWeights(
                parameters.embedding().weights().map(zero),
                all,
                parameters.head().weights().map(zero));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void learnsWhatTheWholeModelDoes(int parts) throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        Learned[] expected = new Learned[1];
        LocalRanks.run(1, PATIENCE, ranks -> {
            try (Backend cpu = Backends.byName("cpu", 1)) {
                expected[0] = learn(model, cpu, ranks);
            }
        });
        Learned[] got = new Learned[parts];
        LocalRanks.run(parts, PATIENCE, ranks -> {
            try (Backend backend = gpu(ranks.numberHere())) {
                backend.connect(ranks);
                got[ranks.rank()] = learn(model, backend, ranks);
            }
        });
        int row = 0;
        for (Learned part : got) {
            assertEquals(expected[0].loss(), part.loss(), 1e-5);
            assertEquals(got[0].loss(), part.loss(), "the same bits in all parts");
            assertArrayEquals(expected[0].norm(), part.norm(), 2e-5f);
            assertArrayEquals(got[0].norm(), part.norm(), "the same bits in all parts");
            float[] own = Arrays.copyOfRange(expected[0].embedding(), row, row + part.embedding().length);
            assertArrayEquals(own, part.embedding(), 2e-5f);
            row += own.length;
        }
        assertEquals(expected[0].embedding().length, row);
    }

    /** In the middle of a pass, when the first part waits for its GPU, and that for the other one. */
    @Test
    void aPartThatFailsEndsTheOthers() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        long start = System.nanoTime();
        try (LocalRanks ranks = LocalRanks.beside(2, PATIENCE, others -> {
            Backend backend = gpu(others.numberHere());
            Ops broken = new ForwardingOps(backend.ops()) {
                @Override
                public void swiGlu(Tensor gateUp, Tensor out) {
                    throw new IllegalStateException("gave up");
                }
            };
            ModelInParts.follow(ModelLoader.check(model), backend, broken, LOADING, others);
        })) {
            Backend backend = gpu(0);
            try (CausalLm lm = ModelInParts.lead(
                    ModelLoader.check(model), backend, backend.ops(), LOADING, ranks.first(), () -> {})) {
                assertThrows(RankException.class, () -> Conversation.with(lm));
            }
            assertEquals("gave up", ranks.failure().orElseThrow().getMessage());
        }
        assertTrue(System.nanoTime() - start < 30e9);
    }
}
