// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.Backends;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.data.TrainingData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dropout before the adapters: what it does to gradients, and what must not change what is dropped. */
@Tag("slow")
class LoraDropoutTest {
    private static final double RATE = 0.4;

    @TempDir
    static Path directory;

    @BeforeAll
    static void makeModels() throws IOException {
        TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 5);
        TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 6);
    }

    /** How a run is computed, which must not show. */
    private record Way(String backend, int threads, boolean checkpointing) {}

    private static final Way PLAIN = new Way("cpu", 1, false);

    private static LoraFineTuning open(String model, double rate, Way way) {
        LoraConfig config = new LoraConfig(3, 6, false, rate, LoraFineTuningTest.EVERY_LAYER);
        return new LoraFineTuning(
                ModelLoader.check(directory.resolve(model)),
                Backends.byName(way.backend(), way.threads()),
                new TuningMethod.Lora(config, Optional.empty(), Optional.empty()),
                1,
                2 * TinySamples.TOKENS,
                way.checkpointing());
    }

    /** The second matrices start as zeros, behind which the first have no gradient. */
    private static LoraFineTuning randomized(LoraFineTuning model) throws IOException {
        Path adapter = Files.createTempDirectory(directory, "random");
        model.save(adapter);
        LoraFineTuningTest.fillB(adapter, new SplittableRandom(3));
        model.restore(adapter);
        return model;
    }

    private static MicroBatch batch(TrainedModel model) {
        return MicroBatch.of(
                TinySamples.random(2, 9), new TrainConfig.Objective(true, true, true), new RopeTables(model.config()));
    }

    private static double loss(LoraFineTuning model, long number) {
        MicroBatch batch = batch(model);
        model.clearGradients();
        return model.forwardBackward(batch, new double[] {1.0 / batch.counted()}, number);
    }

    private static List<float[]> gradients(LoraFineTuning model) {
        List<float[]> all = new ArrayList<>();
        model.trained()
                .forEach(t ->
                        all.add(model.backend().memory().toHost(t.gradient()).toFloats()));
        return all;
    }

    @ParameterizedTest
    @CsvSource({"52b", "12b"})
    void gradientsAreTheDifferencesOfTheLossWithWhatWasDropped(String name) throws IOException {
        try (LoraFineTuning model = randomized(open(name, RATE, PLAIN))) {
            loss(model, 5);
            List<float[]> gradients = gradients(model);
            for (int t = 0; t < gradients.size(); t++) {
                Tensor value = model.trained().get(t).value();
                int index = gradients.get(t).length / 2;
                float gradient = gradients.get(t)[index];
                if (gradient == 0) {
                    continue; // of another layer than its row
                }
                float before = value.getFloat(index);
                value.setFloat(index, before + 0.003f);
                double above = loss(model, 5);
                value.setFloat(index, before - 0.003f);
                double below = loss(model, 5);
                value.setFloat(index, before);
                double difference = (above - below) / 0.006;
                assertEquals(
                        difference,
                        gradient,
                        1e-3 + 0.02 * Math.abs(difference),
                        model.trained().get(t).name());
            }
        }
    }

    /**
     * PEFT draws a mask for each linear layer, also where they are given the same. Of a single token, the gradient of a first
     * matrix is a column times what the layer was given: it is zero where that was dropped.
     */
    @ParameterizedTest
    @CsvSource({"false", "true"})
    void linearLayersOfOneWeightDropEachItsOwn(boolean checkpointing) throws IOException {
        try (LoraFineTuning model = randomized(open("12b", RATE, new Way("cpu", 2, checkpointing)))) {
            List<TrainingData.Sample> samples = new ArrayList<>();
            for (TrainingData.Sample sample : TinySamples.random(2, 9)) {
                byte[] mask = new byte[TinySamples.TOKENS];
                mask[4] = (byte) (samples.isEmpty() ? 1 : 0);
                samples.add(new TrainingData.Sample(sample.ids(), mask, sample.sequences()));
            }
            MicroBatch batch =
                    MicroBatch.of(samples, new TrainConfig.Objective(true, true, true), new RopeTables(model.config()));
            model.clearGradients();
            model.forwardBackward(batch, new double[] {1}, 0);
            boolean[] gate = droppedColumns(model, "transformer.h.1.mlp.gate_proj.lora_A");
            boolean[] up = droppedColumns(model, "transformer.h.1.mlp.up_proj.lora_A");
            int[] combinations = new int[4];
            for (int i = 0; i < gate.length; i++) {
                combinations[(gate[i] ? 1 : 0) + (up[i] ? 2 : 0)]++;
            }
            for (int count : combinations) {
                assertTrue(
                        count > 0,
                        "of the columns that neither, gate, up, both drop: " + Arrays.toString(combinations));
            }
        }
    }

    private static boolean[] droppedColumns(LoraFineTuning model, String name) {
        Tensor gradient = model.trained().stream()
                .filter(t -> t.name().equals(name))
                .findFirst()
                .orElseThrow()
                .gradient();
        boolean[] dropped = new boolean[(int) gradient.columns()];
        Arrays.fill(dropped, true);
        for (long i = 0; i < gradient.shape().elements(); i++) {
            dropped[(int) (i % dropped.length)] &= gradient.getFloat(i) == 0;
        }
        return dropped;
    }

    @Test
    void onlyTrainingDropsAndOnlyIfAsked() throws IOException {
        try (LoraFineTuning plain = randomized(open("52b", 0, PLAIN));
                LoraFineTuning dropping = randomized(open("52b", RATE, PLAIN))) {
            MicroBatch batch = batch(plain);
            double expected = plain.loss(batch, new double[] {1.0 / batch.counted()});
            assertEquals(expected, loss(plain, 0));
            assertEquals(expected, loss(plain, 1));
            double first = loss(dropping, 0);
            assertNotEquals(expected, first);
            assertEquals(expected, dropping.loss(batch, new double[] {1.0 / batch.counted()}));
            assertNotEquals(first, loss(dropping, 1));
            assertEquals(first, loss(dropping, 0));
        }
    }

    @ParameterizedTest
    @CsvSource({"52b, cpu, 3, false", "52b, cpu, 1, true", "12b, cpu, 2, true"})
    void threadsAndRecomputationDropTheSame(String name, String backend, int threads, boolean checkpointing)
            throws IOException {
        try (LoraFineTuning plain = randomized(open(name, RATE, PLAIN));
                LoraFineTuning other = randomized(open(name, RATE, new Way(backend, threads, checkpointing)))) {
            assertEquals(loss(plain, 2), loss(other, 2));
            List<float[]> expected = gradients(plain);
            List<float[]> found = gradients(other);
            for (int i = 0; i < expected.size(); i++) {
                assertArrayEquals(
                        expected.get(i), found.get(i), plain.trained().get(i).name());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"52b", "12b"})
    void backendsDropTheSame(String name) throws IOException {
        try (LoraFineTuning plain = randomized(open(name, RATE, PLAIN));
                LoraFineTuning other = randomized(open(name, RATE, new Way("nd4j", 1, true)))) {
            assertEquals(loss(plain, 2), loss(other, 2), 1e-5);
            List<float[]> expected = gradients(plain);
            List<float[]> found = gradients(other);
            for (int i = 0; i < expected.size(); i++) {
                assertArrayEquals(
                        expected.get(i),
                        found.get(i),
                        1e-4f,
                        plain.trained().get(i).name());
            }
        }
    }

    private static TinyRun.Result run(TinyRun run, double rate, boolean checkpointing, boolean resume)
            throws IOException {
        try (TrainingData data = TrainingData.open(run.config().data());
                LoraFineTuning model = open("52b", rate, new Way("cpu", 2, checkpointing))) {
            return run.run(resume, model, data);
        }
    }

    private static TinyRun twoMicroBatches() throws IOException {
        return new TinyRun(directory).batch(2, 2);
    }

    private static void assertSameEnd(TinyRun one, TinyRun other) throws IOException {
        for (String file : List.of(LoraFiles.CONFIG, LoraFiles.WEIGHTS, "optimizer.safetensors", "run_state.json")) {
            assertArrayEquals(
                    Files.readAllBytes(one.checkpoint(6).resolve(file)),
                    Files.readAllBytes(other.checkpoint(6).resolve(file)),
                    file);
        }
    }

    @Test
    void aResumedRunIsTheStraightOne() throws IOException {
        TinyRun straight = twoMicroBatches();
        run(straight, RATE, false, false);
        TinyRun stopped = twoMicroBatches().maxSteps(3);
        run(stopped, RATE, true, false);
        TinyRun resumed = twoMicroBatches().output(stopped.output());
        assertEquals(3, run(resumed, RATE, false, true).steps().size());
        assertSameEnd(straight, resumed);
    }

    @Test
    void anotherRateIsRefused() throws IOException {
        TinyRun stopped = twoMicroBatches().maxSteps(3);
        run(stopped, RATE, false, false);
        TinyRun resumed = twoMicroBatches().output(stopped.output());
        String message = assertThrows(InvalidModelException.class, () -> run(resumed, 0.1, false, true))
                .getMessage();
        assertTrue(message.contains("was trained with other options") && message.contains("dropout=0.4"), message);
    }

    @Test
    void isWrittenAndReadBack() throws IOException {
        Path adapter = Files.createTempDirectory(directory, "adapter");
        try (LoraFineTuning model = open("52b", RATE, PLAIN)) {
            model.save(adapter);
        }
        try (LoraFiles files = LoraFiles.read(adapter)) {
            assertEquals(RATE, files.config().dropout());
        }
        Path config = adapter.resolve(LoraFiles.CONFIG);
        Files.writeString(config, Files.readString(config).replace("0.4", "1.0"));
        String message = assertThrows(InvalidModelException.class, () -> LoraFiles.read(adapter))
                .getMessage();
        assertTrue(message.contains("a dropout of 1.0"), message);
    }
}
