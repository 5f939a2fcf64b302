// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.Backends;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.lora.LoraMerge;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.core.workers.WorkerTeam;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.Trained;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters on weights that are one linear layer of the checkpoint, and on those that are made of several. */
class LoraFineTuningTest {
    static final List<String> EVERY_LAYER =
            List.of("c_attn", "c_proj", "c_fc", "query", "key_value", "dense", "gate_proj", "up_proj", "down_proj");

    @TempDir
    static Path directory;

    @BeforeAll
    static void makeModels() throws IOException {
        TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 5);
        TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 6);
        TinyModels.make(directory, "telechat2", TinyModels.CONFIG_TELECHAT2, 7);
    }

    private static LoraFineTuning open(String model, List<String> targets, Optional<DType> quantization) {
        TuningMethod.Lora options =
                new TuningMethod.Lora(new LoraConfig(3, 6, false, 0, targets), Optional.empty(), quantization);
        return new LoraFineTuning(
                ModelLoader.check(directory.resolve(model)),
                Backends.byName("cpu", 2),
                options,
                1,
                2 * TinySamples.TOKENS,
                false);
    }

    /** The second matrices start as zeros, where many a mistake does not show. */
    private static LoraFineTuning randomized(LoraFineTuning model) {
        SplittableRandom random = new SplittableRandom(3);
        for (Trained trained : model.trained()) {
            Tensor value = trained.value();
            for (long i = 0; i < value.shape().elements(); i++) {
                if (value.getFloat(i) == 0
                        && !trained.name().contains("query")
                        && !trained.name().contains("gate")) {
                    value.setFloat(i, (float) random.nextGaussian(0, 0.1));
                }
            }
        }
        return model;
    }

    private static MicroBatch batch(TrainedModel model) {
        return MicroBatch.of(
                TinySamples.random(2, 9), new TrainConfig.Objective(true, true, true), new RopeTables(model.config()));
    }

    @ParameterizedTest
    @CsvSource({"52b, ", "12b, ", "telechat2, ", "12b, Q8"})
    void gradientsAreTheDifferencesOfTheLoss(String name, DType quantization) {
        try (LoraFineTuning model = randomized(open(name, EVERY_LAYER, Optional.ofNullable(quantization)))) {
            MicroBatch batch = batch(model);
            double weight = 1.0 / batch.counted();
            model.clearGradients();
            model.forwardBackward(batch, new double[] {weight}, 0);
            for (Trained trained : model.trained()) {
                Tensor value = trained.value();
                long index = value.shape().elements() / 2;
                double gradient = trained.gradient().getFloat(index);
                if (gradient == 0) {
                    continue; // of another layer than its row
                }
                float before = value.getFloat(index);
                value.setFloat(index, before + 0.01f);
                double above = model.loss(batch, new double[] {weight});
                value.setFloat(index, before - 0.01f);
                double below = model.loss(batch, new double[] {weight});
                value.setFloat(index, before);
                double difference = (above - below) / 0.02;
                assertEquals(difference, gradient, 1e-3 + 0.02 * Math.abs(difference), trained.name());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"52b", "12b", "telechat2"})
    void mergedWeightsHaveTheSameLossAndComeApartAgain(String name) throws IOException {
        Path adapter = Files.createTempDirectory(directory, "adapter");
        double beside;
        try (LoraFineTuning model = open(name, EVERY_LAYER, Optional.empty())) {
            SplittableRandom random = new SplittableRandom(4);
            model.trained().stream().filter(t -> t.name().endsWith("lora_A")).forEach(t -> {
                for (long i = 0; i < t.value().shape().elements(); i++) {
                    t.value().setFloat(i, (float) random.nextGaussian(0, 0.2));
                }
            });
            model.save(adapter);
            fillB(adapter, random);
            model.restore(adapter);
            beside = model.loss(batch(model), new double[] {1});
        }
        Path merged = merge(directory.resolve(name), adapter, 1);
        Path apart = merge(merged, adapter, -1);
        double plain = fullLoss(directory.resolve(name));
        assertEquals(beside, fullLoss(merged), 1e-4 * beside);
        assertEquals(plain, fullLoss(apart), 1e-4 * plain);
        assertTrue(Math.abs(beside - plain) > 1e-3, "the adapter changes nothing");
    }

    /** Random values for all second matrices of an adapter. */
    static void fillB(Path adapter, SplittableRandom random) {
        try (LoraFiles files = LoraFiles.read(adapter)) {
            files.modules().values().forEach(pair -> {
                for (long i = 0; i < pair.b().shape().elements(); i++) {
                    pair.b().setFloat(i, (float) random.nextGaussian(0, 0.2));
                }
            });
            LoraFiles.write(adapter, Optional.empty(), files.config(), files.modules(), true);
        }
    }

    private static Path merge(Path model, Path adapter, int sign) throws IOException {
        Path out = Files.createTempDirectory(directory, "merged");
        try (ModelLoader.Checked checked = ModelLoader.check(model);
                LoraFiles files = LoraFiles.read(adapter);
                WorkerTeam workers = new WorkerTeam(1)) {
            LoraMerge.write(checked, files, adapter, out, sign, workers);
        }
        CompanionFiles.copyConfig(model, out);
        return out;
    }

    private static double fullLoss(Path model) {
        TuningMethod.Full method = new TuningMethod.Full(DType.F32, Rounding.NEAREST);
        try (FullFineTuning full = new FullFineTuning(
                ModelLoader.check(model), Backends.byName("cpu", 1), method, 1, 2 * TinySamples.TOKENS, false)) {
            return full.loss(batch(full), new double[] {1});
        }
    }

    @Test
    void aTargetThatTheModelHasNotIsNamed() {
        InvalidModelException e =
                assertThrows(InvalidModelException.class, () -> open("52b", List.of("q_proj"), Optional.empty()));
        assertTrue(e.getMessage().contains("q_proj") && e.getMessage().contains("c_attn"), e.getMessage());
    }

    private static void run(TinyRun run, String model, Optional<DType> quantization, boolean resume)
            throws IOException {
        try (TrainingData data = TrainingData.open(run.config().data());
                LoraFineTuning tuned = open(model, EVERY_LAYER, quantization)) {
            run.run(resume, tuned, data);
        }
    }

    /** What is said when a run is to go on with a model as it is stored. */
    private static String refusal(TinyRun stopped, String model) throws IOException {
        TinyRun resumed = new TinyRun(directory).output(stopped.output());
        return assertThrows(InvalidModelException.class, () -> run(resumed, model, Optional.empty(), true))
                .getMessage();
    }

    @Test
    void aModelThatIsRoundedOtherwiseIsRefused() throws IOException {
        TinyRun stopped = new TinyRun(directory).maxSteps(3);
        run(stopped, "52b", Optional.of(DType.Q8), false);
        String message = refusal(stopped, "52b");
        assertTrue(message.endsWith("Then: weights=q8. Now: weights=default"), message);
    }

    @Test
    void anotherModelOfTheSameShapeIsRefused() throws IOException {
        TinyModels.make(directory, "52b-other", TinyModels.CONFIG_52B, 8);
        TinyRun stopped = new TinyRun(directory).maxSteps(3);
        run(stopped, "52b", Optional.empty(), false);
        String message = refusal(stopped, "52b-other");
        assertTrue(message.matches(".*Then: base_fingerprint=\\w{16}\\. Now: base_fingerprint=\\w{16}"), message);
    }

    @Test
    void theSameModelMayLieElsewhere() throws IOException {
        TinyModels.make(directory, "52b-copy", TinyModels.CONFIG_52B, 5);
        TinyRun stopped = new TinyRun(directory).maxSteps(3);
        run(stopped, "52b", Optional.empty(), false);
        TinyRun resumed = new TinyRun(directory).output(stopped.output());
        run(resumed, "52b-copy", Optional.empty(), true);
        assertTrue(Files.isDirectory(resumed.checkpoint(6)));
    }
}
