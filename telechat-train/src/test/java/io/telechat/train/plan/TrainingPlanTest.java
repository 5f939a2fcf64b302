// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Rounding;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.training.ResidentGradients;
import io.telechat.core.training.TrainableParameters;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.optimizer.Trained;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bill of a tiny model by hand, and against what a pass really allocates. */
class TrainingPlanTest {
    private static final long PARAMETERS = 2 * 9600 + 2 * 8768 + 32;
    private static final int LAYERS = 2;
    private static final int QUERY_WIDTH = 32;
    private static final int ROWS = 10;

    @TempDir
    static Path directory;

    private static ModelConfig config;

    @BeforeAll
    static void make() throws IOException {
        config = config(TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1));
        TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 1);
        TinyModels.make(directory, "telechat2", TinyModels.CONFIG_TELECHAT2, 1);
    }

    private static ModelConfig config(Path model) {
        try (ModelLoader.Checked checked = ModelLoader.check(model)) {
            return checked.config();
        }
    }

    private static RunSetup setup() {
        return new RunSetup(2, 16);
    }

    /** Beside a model that is stored in BF16. */
    private static TuningMethod.Lora lora(int rank, double dropout) {
        LoraConfig adapters = new LoraConfig(rank, 1, false, dropout, LoraConfig.ATTENTION_INPUTS);
        return new TuningMethod.Lora(adapters, Optional.empty(), Optional.empty());
    }

    private static TrainingPlan plan(RunSetup setup) {
        return TrainingPlan.of(PlannedModel.of(config), setup);
    }

    @ParameterizedTest
    @CsvSource({
        "52b, false, F32",
        "52b, true, BF16",
        "12b, false, BF16",
        "12b, true, F32",
        "telechat2, false, F32",
        "telechat2, false, BF16",
        "telechat2, true, F32",
    })
    void aPassAllocatesWhatIsPlanned(String name, boolean checkpointing, DType kept) {
        try (ModelLoader.Checked checked = ModelLoader.check(directory.resolve(name));
                Backend backend = Backends.byName("cpu", 1);
                TrainableParameters parameters = new TrainableParameters(checked, backend, DType.F32);
                TrainingPass pass = new TrainingPass(
                        checked.config(),
                        parameters.values(),
                        backend,
                        backend.trainingOps(),
                        backend.gradOps(),
                        40,
                        checkpointing,
                        kept)) {
            assertEquals(
                    TrainingPass.memory(checked.config(), 40, checkpointing, kept)
                            .total(),
                    pass.bytes());
        }
    }

    @Test
    void addsUpAllUses() {
        TrainingPlan plan = plan(setup());
        assertEquals(PARAMETERS, plan.parameters());
        assertEquals(PARAMETERS, plan.trained());
        TrainingPlan.Memory memory = plan.memory(0);
        assertEquals(
                new TrainingPlan.Memory(
                        4 * PARAMETERS,
                        4 * PARAMETERS,
                        8 * PARAMETERS,
                        4 * 32 * 700,
                        4 * 32 * 365,
                        4 * 32 * 32 + 4 * 9600,
                        TrainingPlan.PROGRAM_BYTES),
                memory);
        assertEquals(16 * PARAMETERS + 4 * (32 * 1097 + 9600) + TrainingPlan.PROGRAM_BYTES, memory.total());
        assertEquals(12 * PARAMETERS, plan.checkpointBytes());
    }

    @Test
    void checkpointingKeepsInputsOnly() {
        assertEquals(
                4 * 32 * 438, plan(setup().withCheckpointing(true)).memory(0).activations());
    }

    @Test
    void parametersInHalfHaveACopyForTheOptimizer() {
        TrainingPlan.Memory memory = plan(setup().withMethod(new TuningMethod.Full(DType.BF16, Rounding.NEAREST)))
                .memory(0);
        assertEquals(2 * PARAMETERS, memory.parameters());
        assertEquals(4 * PARAMETERS, memory.gradients());
        assertEquals(12 * PARAMETERS, memory.optimizer());
    }

    /** Queries, keys and values, what attention gives, and gates, of every layer; what is added up stays in float32. */
    @Test
    void activationsInHalfTakeHalfOfWhatLiesBetweenTheProducts() {
        long inFloats = plan(setup()).memory(0).activations();
        TuningMethod.Full bf16 = new TuningMethod.Full(DType.BF16, Rounding.NEAREST);
        assertEquals(
                2L * 32 * LAYERS * (96 + 32 + 2 * 48),
                inFloats - plan(setup().withMethod(bf16)).memory(0).activations());
        TuningMethod.Lora adapters = lora(4, 0).computedIn(DType.BF16);
        assertEquals(
                2L * 32 * LAYERS * (96 + 32 + 2 * 48),
                inFloats - plan(setup().withMethod(adapters)).memory(0).activations());
    }

    @Test
    void lowRankChangesAreAllThatIsTrained() {
        TrainingPlan plan = plan(setup().withMethod(lora(4, 0)));
        assertEquals(2 * 4 * (32 + 96), plan.trained());
        TrainingPlan.Memory memory = plan.memory(0);
        assertEquals(2 * PARAMETERS + 4 * 1024, memory.parameters());
        assertEquals(4 * 1024, memory.gradients());
        assertEquals(4 * 32 * (32 + 3 * 4), memory.scratch());
        assertEquals(
                4 * 32 * (32 + 3 * 4 + 32),
                plan(setup().withMethod(lora(4, 0.1))).memory(0).scratch());
        assertEquals(8 * 1024, memory.optimizer());
        assertEquals(12 * 1024, plan.checkpointBytes());
    }

    /** Of this model, embedding and head have 4096 elements or more: 37 blocks and a half each. */
    @Test
    void meansOfLargeTensorsMayHaveEightBits() {
        TrainingPlan plan = plan(setup().withMoments(MomentType.EIGHT_BIT));
        long means = 2 * 2 * (9600 + 4 * 38) + 8 * (PARAMETERS - 2 * 9600);
        assertEquals(means, plan.memory(0).optimizer());
        assertEquals(4 * PARAMETERS + means, plan.checkpointBytes());
        assertEquals(
                2 * 8 * (64 * 32) + 2 * 2 * (64 * 96 + 4 * 24),
                plan(setup().withMethod(lora(64, 0)).withMoments(MomentType.EIGHT_BIT))
                        .memory(0)
                        .optimizer());
    }

    @ParameterizedTest
    @EnumSource
    void theOptimizerHoldsWhatIsPlanned(MomentType moments) {
        AdamW.Settings settings = AdamW.Settings.reference(0).withState(moments);
        try (ModelLoader.Checked checked = ModelLoader.check(directory.resolve("52b"));
                Backend backend = Backends.byName("cpu", 1);
                TrainableParameters parameters = new TrainableParameters(checked, backend, DType.F32);
                AdamW optimizer = new AdamW(
                        backend,
                        settings,
                        parameters.parameters().stream()
                                .map(p -> new Trained(p.name(), p.master(), p.gradient()))
                                .toList())) {
            long held = optimizer.states().stream()
                    .flatMap(s -> s.moments().tensors().values().stream())
                    .mapToLong(Tensor::bytes)
                    .sum();
            assertEquals(plan(setup().withMoments(moments)).memory(0).optimizer(), held);
        }
    }

    @Test
    void stagesShareOutOneThingAfterTheOther() {
        TrainingPlan plan = plan(setup().withRanks(4));
        TrainingPlan.Memory alone = plan(setup()).memory(0);
        assertEquals(alone, plan.memory(0));
        assertEquals(2 * PARAMETERS, plan.memory(1).optimizer());
        assertEquals(4 * PARAMETERS, plan.memory(1).gradients());
        assertEquals(PARAMETERS, plan.memory(2).gradients());
        assertEquals(4 * PARAMETERS, plan.memory(2).parameters());
        assertEquals(PARAMETERS, plan.memory(3).parameters());
        assertEquals(alone.activations(), plan.memory(3).activations());
        assertEquals(alone.scratch() + 4 * 9600, plan.memory(2).scratch());
        assertEquals(alone.scratch() + 3 * 4 * 9600, plan.memory(3).scratch());
    }

    @Test
    void aSingleRankHasNothingToShare() {
        for (int stage = 1; stage <= 3; stage++) {
            assertEquals(plan(setup()).memory(0), plan(setup()).memory(stage));
        }
    }

    @Test
    void countsOperations() {
        double weights = 2.0 * (PARAMETERS - 9600) * 32;
        double attention = LAYERS * 4.0 * QUERY_WIDTH * 2 * (16 * 17 / 2);
        double forward = weights + attention;
        assertEquals(3 * forward, plan(setup()).flops());
        assertEquals(3 * forward, plan(setup()).computedFlops());
        assertEquals(3 * forward, plan(setup().withCheckpointing(true)).flops());
        assertEquals(12 * forward, plan(setup().withRanks(4)).flops());
        assertEquals(3 * forward / 5e5, plan(setup().withRanks(4)).seconds(1e6, 0.5), 1e-9);
        assertEquals(
                2 * (weights + 2.0 * 1024 * 32) + 3 * attention,
                plan(setup().withMethod(lora(4, 0))).flops());
    }

    /** Counts the operations of a pass's layers forward: all products, and attention's with what each token sees. */
    private static double counted(String name, boolean checkpointing) {
        double[] count = new double[1];
        try (ModelLoader.Checked checked = ModelLoader.check(directory.resolve(name));
                Backend backend = Backends.byName("cpu", 1);
                TrainableParameters parameters = new TrainableParameters(checked, backend, DType.F32)) {
            ModelConfig model = checked.config();
            Ops ops = (Ops) Proxy.newProxyInstance(
                    Ops.class.getClassLoader(), new Class<?>[] {Ops.class}, (proxy, method, arguments) -> {
                        if (method.getName().startsWith("linear")) {
                            Weight weight = (Weight) arguments[1];
                            count[0] += 2.0 * ROWS * weight.outFeatures() * weight.inFeatures();
                        } else if (method.getName().equals("attention")) {
                            count[0] += 4.0 * model.heads().queryWidth() * ROWS * (ROWS + 1) / 2;
                        }
                        return method.invoke(backend.trainingOps(), arguments);
                    });
            int[] tokens = new int[ROWS];
            float[] weights = new float[ROWS];
            Arrays.fill(weights, 1);
            RopeTable rope = RopeTable.of(
                    model.rope().scaling(ROWS, ROWS, ROWS), model.heads().headDim(), 0, ROWS);
            try (TrainingPass pass = new TrainingPass(
                    model, parameters.values(), backend, ops, backend.gradOps(), ROWS, checkpointing, DType.F32)) {
                pass.forwardBackward(
                        Batch.uncached(tokens, new int[] {ROWS}, List.of(rope)),
                        new TrainingPass.Objective(tokens, weights),
                        new ResidentGradients(backend.gradOps(), parameters.gradients()));
            }
        }
        return count[0];
    }

    @ParameterizedTest
    @ValueSource(strings = {"52b", "12b", "telechat2"})
    void checkpointingComputesAgainWhatIsPlanned(String name) {
        RunSetup one = new RunSetup(1, ROWS).withCheckpointing(true);
        TrainingPlan plan = TrainingPlan.of(PlannedModel.of(config(directory.resolve(name))), one);
        assertEquals(counted(name, true) - counted(name, false), plan.computedFlops() - plan.flops());
    }

    @Test
    void adaptersAreComputedAgainToo() {
        double again = plan(setup().withCheckpointing(true)).computedFlops()
                - plan(setup().withCheckpointing(true)).flops();
        TrainingPlan adapted = plan(setup().withMethod(lora(4, 0)).withCheckpointing(true));
        assertEquals(again + 2.0 * 1024 / LAYERS * 32, adapted.computedFlops() - adapted.flops());
    }
}
