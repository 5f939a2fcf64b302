// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks with a GPU each train what one rank does on the CPU. */
@EnabledIf(
        value = "io.telechat.core.testing.EmulatedGpu#areSeveral",
        disabledReason = "there is no g++ to build the emulation of GPUs with, or a real one is tested")
class CudaZeroTest {
    private static final double LOSS = 2e-5;
    private static final float PARAMETER = 2e-4f;

    @TempDir
    static Path directory;

    private static TinyRun tiny(String backend, int steps) throws IOException {
        return new TinyRun(directory).batch(1, 4).maxSteps(steps).backend(backend, 1);
    }

    private static void assertSameLosses(List<StepReport> expected, List<StepReport> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).loss(), actual.get(i).loss(), LOSS, "loss of step " + (i + 1));
        }
    }

    @ParameterizedTest
    @CsvSource({"NOTHING, 2", "OPTIMIZER, 2", "GRADIENTS, 2", "PARAMETERS, 2", "PARAMETERS, 4"})
    void trainsLikeOneRank(ZeroStage stage, int ranks) throws IOException {
        TinyRun one = tiny("cpu", 3);
        TinyRun several = tiny("cuda", 3);
        List<StepReport> expected = one.onRanks(1, ZeroStage.NOTHING, false);
        assertSameLosses(expected, several.onRanks(ranks, stage, false));
        try (Checkpoint first = Checkpoint.open(one.checkpoint(3));
                Checkpoint second = Checkpoint.open(several.checkpoint(3))) {
            for (String name : first.names()) {
                assertArrayEquals(
                        first.tensor(name).toFloats(), second.tensor(name).toFloats(), PARAMETER, name);
            }
        }
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"OPTIMIZER, BF16", "PARAMETERS, BF16"})
    void sameRanksResumeToTheSameBits(ZeroStage stage, DType dtype) throws IOException {
        AdamW.Settings eightBit = AdamW.Settings.reference(0.1).withState(MomentType.EIGHT_BIT);
        TinyRun straight = tiny("cuda", 4).optimizer(eightBit);
        TinyRun stopped = tiny("cuda", 2).optimizer(eightBit);
        straight.method = new TuningMethod.Full(dtype, Rounding.STOCHASTIC);
        stopped.method = straight.method;
        straight.onRanks(2, stage, false);
        stopped.onRanks(2, stage, false);
        stopped.maxSteps(4).onRanks(2, stage, true);
        for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
            assertArrayEquals(
                    Files.readAllBytes(straight.checkpoint(4).resolve(file)),
                    Files.readAllBytes(stopped.checkpoint(4).resolve(file)),
                    file);
        }
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"PARAMETERS, , true", "PARAMETERS, Q8, false"})
    void adaptersAreTrainedOverACutModel(ZeroStage stage, DType quantization, boolean tied) throws IOException {
        String config = TinyModels.CONFIG_12B.replace("false", String.valueOf(tied));
        Path model = TinyModels.make(Files.createTempDirectory(directory, "lora"), "model", config, 5);
        TuningMethod.Lora method = new TuningMethod.Lora(
                new LoraConfig(4, 4, false, 0, List.of("query", "key_value", "gate_proj")),
                Optional.empty(),
                Optional.ofNullable(quantization));
        TinyRun one = tiny("cuda", 2).model(model);
        TinyRun several = tiny("cuda", 2).model(model);
        one.adapters = Optional.of(method);
        several.adapters = Optional.of(method);
        assertSameLosses(one.onRanks(1, ZeroStage.NOTHING, false), several.onRanks(2, stage, false));
    }

    @Test
    void ranksThatOutnumberTheGpusAreRefused() throws IOException {
        TinyRun run = tiny("cuda", 1);
        InvalidRequestException failure =
                assertThrows(InvalidRequestException.class, () -> run.onRanks(6, ZeroStage.NOTHING, false));
        assertTrue(failure.getMessage().contains("ranks 0 and 5 have the same GPU"), failure.getMessage());
    }
}
