// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.backend.Backends;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.lora.LoraMerge;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.EmulatedGpu;
import io.telechat.core.testing.Goldens;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.Trained;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses, norms, gradients and adapters of three updates, and what they are merged into, against the makers' Python. */
@Tag("slow")
class GoldenLoraTest {
    private static final String INIT = "init.";
    /** The reference multiplies {@code x · right · left}; PEFT's A is right transposed, its B left transposed. */
    private static final String RIGHT = ".lora_right_weight";

    private static final String LEFT = ".lora_left_weight";

    @TempDir
    Path directory;

    @ParameterizedTest(name = "{0} on {1}")
    @CsvSource({"plain, cpu", "plain, nd4j", "plain, cuda", "masked, cpu", "masked, nd4j", "masked, cuda"})
    void matchesTheReference(String kind, String backend) throws IOException {
        EmulatedGpu.assumeBuiltFor(backend);
        Path golden = Goldens.shared("training").resolve("lora_dim4");
        assumeTrue(Files.isDirectory(golden), "%s is not on this machine".formatted(golden));
        JsonNode facts = JsonFiles.readObject(golden.resolve("case.json"));
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile expected = SafetensorsFile.open(golden.resolve("expected.safetensors"), arena);
            GoldenRun reference = new GoldenRun(golden, kind, facts, expected);
            TinyRun run = reference.on(new TinyRun(directory));
            Path start = adapter(reference);
            try (TrainingData data = TrainingData.open(run.config().data());
                    LoraFineTuning model = open(reference, start, data, backend)) {
                TinyRun.Result result = run.afterStep((trainer, report) -> check(reference, model, report.step()))
                        .run(false, model, data);
                reference.checkNumbers(result.steps());
            }
            checkMerged(reference, run.checkpoint(3));
        }
    }

    private static LoraFineTuning open(GoldenRun reference, Path start, TrainingData data, String backend) {
        return new LoraFineTuning(
                ModelLoader.check(reference.golden()),
                Backends.byName(backend, 2),
                new TuningMethod.Lora(config(reference), Optional.of(start), Optional.empty()),
                1,
                data.rowTokens(),
                false);
    }

    private static LoraConfig config(GoldenRun reference) {
        JsonNode lora = reference.facts().get("lora");
        int rank = lora.get("dim").asInt();
        return new LoraConfig(
                rank,
                lora.get("effective_scaling").asDouble() * rank,
                false,
                0,
                List.of(lora.get("target").asText()));
    }

    /** The adapter that the reference began with, in PEFT's format. */
    private Path adapter(GoldenRun reference) throws IOException {
        Map<String, LoraFiles.Pair> pairs = new TreeMap<>();
        try (HostArena memory = new HostArena()) {
            for (String name : reference.expected().tensors().keySet()) {
                if (name.startsWith(INIT) && name.endsWith(RIGHT)) {
                    String module = name.substring(INIT.length(), name.length() - RIGHT.length());
                    Tensor a = transposed(reference.expected().tensor(name), memory);
                    Tensor b = transposed(reference.expected().tensor(INIT + module + LEFT), memory);
                    pairs.put(module, new LoraFiles.Pair(a, b));
                }
            }
            Path adapter = Files.createDirectory(directory.resolve("adapter"));
            LoraFiles.write(adapter, Optional.empty(), config(reference), pairs, true);
            return adapter;
        }
    }

    private static Tensor transposed(Tensor stored, HostArena memory) {
        int rows = (int) stored.rows();
        int columns = (int) stored.columns();
        return memory.allocate(DType.F32, columns, rows)
                .setFloats(GoldenRun.transposed(stored.toFloats(), rows, columns));
    }

    private static void check(GoldenRun reference, LoraFineTuning model, long step) {
        assertEquals(4, model.trained().size(), "nothing else is trained");
        long far = 0;
        long all = 0;
        for (Trained trained : model.trained()) {
            String name = trained.name().replace(".lora_A", RIGHT).replace(".lora_B", LEFT);
            if (step == 1) {
                reference.checkGradient(name, stored(model, trained.gradient()));
            }
            if (step == 1 || step == 3) {
                far += reference.far(step, name, stored(model, trained.value()));
                all += trained.value().shape().elements();
            }
        }
        assertTrue(far <= all / 1000, "%d of %d parameters are off".formatted(far, all));
    }

    private static float[] stored(LoraFineTuning model, Tensor tensor) {
        float[] values = model.backend().memory().toHost(tensor).toFloats();
        return GoldenRun.transposed(values, (int) tensor.rows(), (int) tensor.columns());
    }

    private void checkMerged(GoldenRun reference, Path adapter) throws IOException {
        Path out = Files.createDirectory(directory.resolve("merged"));
        CompanionFiles.copyConfig(reference.golden(), out);
        try (ModelLoader.Checked checked = ModelLoader.check(reference.golden());
                LoraFiles files = LoraFiles.read(adapter);
                WorkerTeam workers = new WorkerTeam(1)) {
            LoraMerge.write(checked, files, adapter, out, 1, workers);
            try (Checkpoint merged = Checkpoint.open(out)) {
                for (String module : files.modules().keySet()) {
                    String name = module + ".weight";
                    float[] values = merged.tensor(name).toFloats();
                    assertTrue(reference.far(3, "merged." + name, values) <= values.length / 1000, name);
                }
            }
        }
    }
}
