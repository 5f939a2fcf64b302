// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.RankException;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Several ranks train what one does, whatever they share out. */
class ZeroTest {
    private static final double LOSS = 2e-5;
    private static final float PARAMETER = 2e-4f;

    private static final TrainConfig.Rate RATE =
            new TrainConfig.Rate(0.01, "cosine", OptionalLong.of(1), 0, OptionalLong.of(20), 1);

    @TempDir
    static Path directory;

    private static void assertSameModel(Path expected, Path actual, float tolerance) {
        try (Checkpoint one = Checkpoint.open(expected);
                Checkpoint several = Checkpoint.open(actual)) {
            assertEquals(one.names(), several.names());
            for (String name : one.names()) {
                assertArrayEquals(
                        one.tensor(name).toFloats(), several.tensor(name).toFloats(), tolerance, name);
            }
        }
    }

    static Stream<Arguments> stagesAndRanks() {
        return Stream.of(ZeroStage.values())
                .flatMap(stage -> Stream.of(2, 3, 4).map(ranks -> Arguments.of(stage, ranks)));
    }

    /** What one rank does; done once for each kind of run. */
    private record Single(TinyRun run, List<StepReport> steps) {}

    private static final Map<String, Single> SINGLE = new HashMap<>();

    private static TinyRun tiny() {
        try {
            return new TinyRun(directory).batch(2, 2).maxSteps(20).rate(RATE).evaluates(0.25, Optional.empty());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param kind of run, made by {@code runs} */
    private static void assertLikeOneRank(String kind, Supplier<TinyRun> runs, int ranks, ZeroStage stage) {
        Single single = SINGLE.computeIfAbsent(kind, k -> {
            TinyRun run = runs.get();
            return new Single(run, run.onRanks(1, ZeroStage.NOTHING, false));
        });
        List<StepReport> expected = single.steps();
        TinyRun several = runs.get();
        List<StepReport> actual = several.onRanks(ranks, stage, false);
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).loss(), actual.get(i).loss(), LOSS, "loss of step " + (i + 1));
            assertEquals(
                    expected.get(i).gradientNorm(),
                    actual.get(i).gradientNorm(),
                    1e-3 * expected.get(i).gradientNorm());
            assertEquals(expected.get(i).tokens(), actual.get(i).tokens());
        }
        int last = expected.size();
        assertSameModel(single.run().checkpoint(last), several.checkpoint(last), PARAMETER);
    }

    @ParameterizedTest
    @MethodSource("stagesAndRanks")
    void trainsLikeOneRank(ZeroStage stage, int ranks) {
        assertLikeOneRank("plain", ZeroTest::tiny, ranks, stage);
    }

    static Stream<String> configurations() {
        return Stream.of(
                TinyModels.CONFIG_12B,
                TinyModels.CONFIG_12B.replace("false", "true"),
                TinyModels.CONFIG_12B.replace("}", ", \"embed_layernorm\": true}"),
                TinyModels.CONFIG_TELECHAT2);
    }

    @ParameterizedTest
    @MethodSource("configurations")
    void everyArchitectureIsCut(String config) throws IOException {
        Path model = TinyModels.make(Files.createTempDirectory(directory, "models"), "model", config, 5);
        assertLikeOneRank(config, () -> tiny().model(model), 3, ZeroStage.PARAMETERS);
    }

    @Test
    void checkpointingAndFewSamplesChangeNothing() {
        // Half of the ranks have no sample.
        assertLikeOneRank("few", () -> tiny().batch(1, 2).checkpointing(), 4, ZeroStage.PARAMETERS);
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void microBatchesThatWeighTheSameAreThoseOfOneRank(ZeroStage stage) {
        assertLikeOneRank("batches", () -> tiny().objective(true, false, false), 3, stage);
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void aCheckpointIsOfNoNumberOfRanks(ZeroStage stage) {
        TinyRun straight = tiny().maxSteps(6).optimizer(eightBit());
        List<StepReport> expected = straight.onRanks(1, ZeroStage.NOTHING, false);
        TinyRun cut = tiny().maxSteps(2).optimizer(eightBit());
        List<StepReport> actual = new ArrayList<>(cut.onRanks(3, stage, false));
        TinyRun resumed = tiny().output(cut.output()).optimizer(eightBit());
        actual.addAll(resumed.maxSteps(4).onRanks(2, ZeroStage.PARAMETERS, true));
        actual.addAll(resumed.maxSteps(6).onRanks(1, ZeroStage.NOTHING, true));
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).loss(), actual.get(i).loss(), 1e-3, "loss of step " + (i + 1));
        }
    }

    private static AdamW.Settings eightBit() {
        return AdamW.Settings.reference(0.1).withState(MomentType.EIGHT_BIT);
    }

    @ParameterizedTest
    @CsvSource({"NOTHING, F32", "OPTIMIZER, BF16", "GRADIENTS, BF16", "PARAMETERS, BF16", "PARAMETERS, F32"})
    void sameRanksResumeToTheSameBits(ZeroStage stage, DType dtype) throws IOException {
        TinyRun straight = tiny().maxSteps(6).optimizer(eightBit());
        TinyRun stopped = tiny().maxSteps(3).optimizer(eightBit());
        straight.method = new TuningMethod.Full(dtype, Rounding.STOCHASTIC);
        stopped.method = straight.method;
        List<StepReport> expected = straight.onRanks(3, stage, false);
        List<StepReport> actual = new ArrayList<>(stopped.onRanks(3, stage, false));
        actual.addAll(stopped.maxSteps(6).onRanks(3, stage, true));
        assertEquals(
                expected.stream().map(StepReport::loss).toList(),
                actual.stream().map(StepReport::loss).toList());
        for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
            assertArrayEquals(
                    Files.readAllBytes(straight.checkpoint(6).resolve(file)),
                    Files.readAllBytes(stopped.checkpoint(6).resolve(file)),
                    file);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "NOTHING, , false",
        "PARAMETERS, , false",
        "PARAMETERS, , true",
        "PARAMETERS, Q8, false",
        "PARAMETERS, Q4, true"
    })
    void adaptersAreTrainedOverACutModel(ZeroStage stage, DType quantization, boolean tied) throws IOException {
        String config = TinyModels.CONFIG_12B.replace("false", String.valueOf(tied));
        Path model = TinyModels.make(Files.createTempDirectory(directory, "lora"), "model", config, 5);
        TuningMethod.Lora method = new TuningMethod.Lora(
                new LoraConfig(4, 4, false, 0, List.of("query", "key_value", "gate_proj")),
                Optional.empty(),
                Optional.ofNullable(quantization));
        TinyRun one = tiny().model(model).maxSteps(4);
        TinyRun several = tiny().model(model).maxSteps(4);
        one.adapters = Optional.of(method);
        several.adapters = Optional.of(method);
        List<StepReport> expected = one.onRanks(1, ZeroStage.NOTHING, false);
        List<StepReport> actual = several.onRanks(3, stage, false);
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).loss(), actual.get(i).loss(), LOSS, "loss of step " + (i + 1));
        }
        try (LoraFiles first = LoraFiles.read(one.checkpoint(4));
                LoraFiles second = LoraFiles.read(several.checkpoint(4))) {
            first.modules().forEach((name, pair) -> {
                LoraFiles.Pair other = second.modules().get(name);
                assertArrayEquals(pair.a().toFloats(), other.a().toFloats(), PARAMETER, name);
                assertArrayEquals(pair.b().toFloats(), other.b().toFloats(), PARAMETER, name);
            });
        }
    }

    @Test
    void otherDataOnARankIsNoticed() throws IOException {
        Path other = Files.createTempDirectory(directory, "other");
        TinySamples.write(other, TinySamples.random(8, 2));
        RankException failure = assertThrows(
                RankException.class,
                () -> LocalRanks.run(2, Duration.ofSeconds(60), communicator -> {
                    TinyRun run = communicator.rank() == 0 ? tiny() : tiny().data(other);
                    try (TrainRun opened =
                            TrainRun.open(run.config(), new Parallelism(communicator, ZeroStage.PARAMETERS))) {
                        throw new AssertionError("opened: " + opened);
                    }
                }));
        assertTrue(failure.getMessage().contains("rank 1 has other samples"), failure.getMessage());
    }
}
