// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs over models of the families that are not TeleChat's: what their layers have more must be shared out and saved, too. */
class FamilyTrainingTest {
    private static final int STEPS = 4;

    @TempDir
    private Path directory;

    static Stream<Arguments> models() {
        return Stream.of(
                Arguments.of("llama", TinyModels.CONFIG_LLAMA),
                Arguments.of("qwen", TinyModels.CONFIG_QWEN),
                Arguments.of("qwen2, tied", TinyModels.CONFIG_QWEN2),
                Arguments.of("qwen3", TinyModels.CONFIG_QWEN3));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void threeRanksTrainWhatOneDoes(String name, String config) throws IOException {
        TinyRun one = tiny(config);
        TinyRun three = tiny(config);
        assertSameLosses(one.onRanks(1, ZeroStage.NOTHING, false), three.onRanks(3, ZeroStage.PARAMETERS, false));
        try (Checkpoint expected = Checkpoint.open(one.checkpoint(STEPS));
                Checkpoint actual = Checkpoint.open(three.checkpoint(STEPS))) {
            assertEquals(expected.names(), actual.names());
            for (String tensor : expected.names()) {
                assertArrayEquals(
                        expected.tensor(tensor).toFloats(),
                        actual.tensor(tensor).toFloats(),
                        2e-4f,
                        tensor);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void adaptersAreTrainedOverACutModel(String name, String config) throws IOException {
        TinyRun one = withAdapters(config, LoraConfig.ATTENTION_INPUTS);
        TinyRun two = withAdapters(config, LoraConfig.ATTENTION_INPUTS);
        assertSameLosses(one.onRanks(1, ZeroStage.NOTHING, false), two.onRanks(2, ZeroStage.PARAMETERS, false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"q_proj", "o_proj", "down_proj"})
    void adaptersBelongToTheLayersThatTheFamilyNames(String target) throws IOException {
        TinyRun run = withAdapters(TinyModels.CONFIG_QWEN3, List.of(target));
        run.onRanks(1, ZeroStage.NOTHING, false);
        try (Arena arena = Arena.ofConfined()) {
            Path file = run.checkpoint(STEPS).resolve("adapter_model.safetensors");
            assertTrue(Files.exists(file));
            Set<String> layers = SafetensorsFile.open(file, arena).tensors().keySet().stream()
                    .map(tensor -> tensor.replaceAll("^base_model\\.model\\.|\\.lora_[AB]\\.weight$", ""))
                    .collect(Collectors.toSet());
            String block = target.equals("down_proj") ? ".mlp." : ".self_attn.";
            assertEquals(
                    IntStream.range(0, 2)
                            .mapToObj(i -> "model.layers." + i + block + target)
                            .collect(Collectors.toSet()),
                    layers);
        }
    }

    private static void assertSameLosses(List<StepReport> expected, List<StepReport> actual) {
        assertEquals(STEPS, expected.size());
        assertEquals(STEPS, actual.size());
        for (int i = 0; i < STEPS; i++) {
            assertEquals(expected.get(i).loss(), actual.get(i).loss(), 2e-5, "loss of step " + (i + 1));
        }
        assertTrue(expected.getLast().loss() < expected.getFirst().loss(), "it learns");
    }

    private TinyRun withAdapters(String config, List<String> targets) throws IOException {
        TinyRun run = tiny(config);
        run.adapters = Optional.of(new TuningMethod.Lora(
                new LoraConfig(4, 8, false, 0, targets), Optional.empty(), Optional.<DType>empty()));
        return run;
    }

    private TinyRun tiny(String config) throws IOException {
        Path model = directory.resolve("family");
        if (!Files.exists(model)) {
            TinyModels.make(directory, "family", config, 5);
        }
        return new TinyRun(directory).model(model).batch(6, 1).maxSteps(STEPS);
    }
}
