// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.model.ModelLoader;
import io.telechat.core.model.TensorSpec;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.Goldens;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.Trained;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses, rates, norms, gradients and parameters of three updates, against the makers' Python. */
class GoldenTrainingTest {
    private static final Path COMMITTED = Path.of("src", "test", "resources", "goldens");

    @TempDir
    Path directory;

    @ParameterizedTest(name = "{0} {1} on {2}")
    @CsvSource({
        "full_accum2, masked, cpu",
        "full_accum2, masked, nd4j",
        "full_nowarmup, plain, cpu",
        "full_nowarmup, plain, nd4j",
        "full_nowarmup, masked, cpu",
        "full_nowarmup, masked, nd4j",
        "full_warmup2_batch2, plain, cpu",
        "full_warmup2_batch2, plain, nd4j",
        "full_warmup2_batch2, masked, cpu",
        "full_warmup2_batch2, masked, nd4j",
        "telechat12b_full, masked, cpu",
        "telechat12b_full, masked, nd4j"
    })
    void matchesTheReference(String name, String kind, String backend) throws IOException {
        Path golden = Files.isDirectory(COMMITTED.resolve(name))
                ? COMMITTED.resolve(name)
                : Goldens.shared("training").resolve(name);
        assumeTrue(Files.isDirectory(golden), "%s is not on this machine".formatted(golden));
        JsonNode facts = JsonFiles.readObject(golden.resolve("case.json"));
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile expected = SafetensorsFile.open(golden.resolve("expected.safetensors"), arena);
            new Case(golden, kind, facts, expected).check(new TinyRun(directory).backend(backend, 2));
        }
    }

    /** One kind of loss of one golden. */
    private record Case(Path golden, String kind, JsonNode facts, SafetensorsFile expected) {
        void check(TinyRun run) throws IOException {
            int microBatch = (int) expected.tensor("input_ids").shape().dim(1);
            int accumulation = facts.get("gradient_accumulation_steps").asInt();
            run.model(golden)
                    .data(TinySamples.write(run.output().resolve("data"), samples()))
                    .batch(microBatch, accumulation)
                    .sequential()
                    .objective(kind.equals("masked"), false, false)
                    .optimizer(new AdamW.Settings(
                            facts.at("/betas/0").asDouble(),
                            facts.at("/betas/1").asDouble(),
                            facts.get("eps").asDouble(),
                            facts.get("weight_decay").asDouble()))
                    .rate(new TrainConfig.Rate(
                            facts.get("base_lr").asDouble(),
                            "cosine",
                            OptionalLong.of(facts.get("warmup_steps").asLong()),
                            0,
                            OptionalLong.of(facts.get("total_steps").asLong()),
                            facts.get("clip_norm").asDouble()))
                    .maxSteps(3);
            try (TrainingData data = TrainingData.open(run.config().data());
                    FullFineTuning model = run.open(ModelLoader.check(golden), data.rowTokens())) {
                TinyRun.Result result = run.afterStep((trainer, report) -> checkTensors(model, report.step()))
                        .run(false, model, data);
                checkNumbers(result.steps());
            }
        }

        private List<TrainingData.Sample> samples() {
            int tokens = (int) expected.tensor("input_ids").shape().dim(2);
            int[] ids = ints("input_ids");
            int[] mask = ints("loss_mask");
            List<TrainingData.Sample> samples = new ArrayList<>();
            for (int from = 0; from < ids.length; from += tokens) {
                byte[] rowMask = new byte[tokens];
                for (int i = 0; i < tokens; i++) {
                    rowMask[i] = (byte) mask[from + i];
                }
                int[] one = new int[tokens];
                Arrays.fill(one, 1);
                samples.add(new TrainingData.Sample(Arrays.copyOfRange(ids, from, from + tokens), rowMask, one));
            }
            return samples;
        }

        private int[] ints(String name) {
            Tensor tensor = expected.tensor(name);
            int[] values = new int[(int) tensor.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (int) tensor.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
            }
            return values;
        }

        private void checkNumbers(List<StepReport> steps) {
            JsonNode run = facts.at("/runs/" + kind);
            assertEquals(3, steps.size());
            for (int i = 0; i < 3; i++) {
                double loss = 0;
                for (JsonNode microBatch : run.get("losses").get(i)) {
                    loss += microBatch.asDouble() / run.get("losses").get(i).size();
                }
                double norm = run.get("grad_norms_before_clip").get(i).asDouble();
                assertEquals(loss, steps.get(i).loss(), 1e-5, "loss of update " + i);
                assertEquals(run.get("lrs").get(i).asDouble(), steps.get(i).rate(), 1e-12, "rate of update " + i);
                assertEquals(norm, steps.get(i).gradientNorm(), 1e-4 * norm, "norm of update " + i);
            }
        }

        private void checkTensors(TrainedModel model, long step) {
            Map<String, TensorSpec> specs = model.config().architecture().tensors(model.config()).stream()
                    .collect(Collectors.toMap(TensorSpec::name, Function.identity()));
            long far = 0;
            long all = 0;
            for (Trained trained : model.trained()) {
                TensorSpec spec = specs.get(trained.name());
                if (step == 1) {
                    checkGradient(trained.name(), stored(model, trained.gradient(), spec));
                }
                if (step == 1 || step == 3) {
                    float[] values = stored(model, trained.value(), spec);
                    far += far("%s.step%d.%s".formatted(kind, step, trained.name()), values);
                    all += values.length;
                }
            }
            assertTrue(far <= all / 1000, "%d of %d parameters are off".formatted(far, all));
        }

        private void checkGradient(String name, float[] values) {
            float[] wanted = floats("%s.grad.%s".formatted(kind, name), values.length);
            for (int i = 0; i < values.length; i++) {
                assertEquals(wanted[i], values[i], 1e-5 + 1e-4 * Math.abs(wanted[i]), name + " at " + i);
            }
        }

        /** Where a gradient is nearly 0, AdamW turns its error into lr/eps times as much: hence few may be off, a little. */
        private long far(String key, float[] values) {
            float[] wanted = floats(key, values.length);
            long far = 0;
            for (int i = 0; i < values.length; i++) {
                assertEquals(wanted[i], values[i], 1e-4, key + " at " + i);
                far += Math.abs(wanted[i] - values[i]) > 2e-5 ? 1 : 0;
            }
            return far;
        }

        private float[] floats(String key, int count) {
            float[] values = expected.tensor(key).toFloats();
            assertEquals(count, values.length, key);
            return values;
        }

        /** In the order of the checkpoint. */
        private static float[] stored(TrainedModel model, Tensor tensor, TensorSpec spec) {
            float[] values = model.backend().toHost(tensor).toFloats();
            if (!spec.transposed()) {
                return values;
            }
            int rows = (int) spec.shape().dim(0);
            int columns = (int) spec.shape().dim(1);
            float[] stored = new float[values.length];
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    stored[r * columns + c] = values[c * rows + r];
                }
            }
            return stored;
        }
    }
}
