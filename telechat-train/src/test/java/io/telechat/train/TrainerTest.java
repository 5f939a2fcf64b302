// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.TelechatException;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.data.TrainingData;
import io.telechat.train.resume.RunCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a run computes does not depend on how it is computed; what cannot be computed is named. */
class TrainerTest {
    @TempDir
    static Path directory;

    private static TinyRun run() throws IOException {
        return new TinyRun(directory);
    }

    private static byte[] weights(TinyRun run) throws IOException {
        return Files.readAllBytes(run.checkpoint(6).resolve("model.safetensors"));
    }

    private static String failure(TinyRun run) {
        return assertThrows(TelechatException.class, run::run).getMessage();
    }

    /** A row like those of {@link TinySamples}, with some tokens of one's own. */
    private static TrainingData.Sample changed(TrainingData.Sample sample, int at, int... ids) {
        int[] all = sample.ids().clone();
        System.arraycopy(ids, 0, all, at, ids.length);
        return new TrainingData.Sample(all, sample.mask(), sample.sequences());
    }

    @Test
    void learns() throws IOException {
        TinyRun.Result result = run().batch(8, 1).run();
        assertEquals(RunEnd.COMPLETE, result.end());
        assertEquals(6, result.steps().size());
        assertTrue(
                result.losses().getLast() < result.losses().get(1) - 0.1,
                result.losses().toString());
    }

    @Test
    void theWarmUpsFirstUpdateChangesNothing() throws IOException {
        TinyRun.Result result = run().batch(8, 1).run();
        assertEquals(result.losses().get(0), result.losses().get(1), 1e-6);
    }

    @Test
    void checkpointingGivesTheSameBits() throws IOException {
        TinyRun plain = run();
        TinyRun checkpointing = run().checkpointing();
        assertEquals(plain.run().losses(), checkpointing.run().losses());
        assertArrayEquals(weights(plain), weights(checkpointing));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void anyNumberOfThreadsGivesTheSameBits(int threads) throws IOException {
        TinyRun one = run();
        TinyRun more = run().backend("cpu", threads);
        assertEquals(one.run().losses(), more.run().losses());
        assertArrayEquals(weights(one), weights(more));
    }

    @Test
    void accumulationAmountsToALargerBatch() throws IOException {
        TinyRun.Result whole = run().batch(2, 1).peak(1e-3).run();
        TinyRun.Result inTurn = run().batch(1, 2).peak(1e-3).run();
        for (int i = 0; i < 6; i++) {
            assertEquals(whole.losses().get(i), inTurn.losses().get(i), 1e-6, "loss of update " + i);
            assertEquals(
                    whole.steps().get(i).gradientNorm(), inTurn.steps().get(i).gradientNorm(), 1e-5, "norm " + i);
        }
    }

    @Test
    void everySampleComesOncePerEpoch() {
        SampleOrder order = new SampleOrder(8, true, 7);
        Set<List<Integer>> orders = new HashSet<>();
        for (int epoch = 0; epoch < 3; epoch++) {
            List<Integer> seen = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                seen.add(order.sample(8L * epoch + i));
            }
            assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), seen.stream().sorted().toList());
            orders.add(seen);
        }
        assertEquals(3, orders.size(), "each epoch has an order of its own");
    }

    @Test
    void isolatedDialogsDoNotSeeTheirNeighbours() throws IOException {
        assertEquals(lossOfSecond(true, 10, 20, 30), lossOfSecond(true, 40, 50, 60));
        assertNotEquals(lossOfSecond(false, 10, 20, 30), lossOfSecond(false, 40, 50, 60));
    }

    /** Of the row's second dialog alone, behind a first one that begins so. */
    private static double lossOfSecond(boolean isolated, int... firstIds) throws IOException {
        TrainingData.Sample row = changed(TinySamples.random(1, 3).getFirst(), 0, firstIds);
        byte[] mask = row.mask().clone();
        mask[3] = 0;
        mask[4] = 0;
        mask[5] = 0;
        TinyRun run = run().batch(1, 1).objective(true, true, isolated);
        ModelLoader.Checked checked = ModelLoader.check(run.config().model());
        try (FullFineTuning model = run.open(checked, TinySamples.TOKENS)) {
            TrainingData.Sample masked = new TrainingData.Sample(row.ids(), mask, row.sequences());
            MicroBatch batch = MicroBatch.of(List.of(masked), run.config().objective(), new RopeTables(model.config()));
            assertEquals(3, batch.counted());
            return model.loss(batch, new double[] {1.0 / batch.counted()});
        }
    }

    @Test
    void allMaskedSamplesAreNamed() throws IOException {
        List<TrainingData.Sample> samples = TinySamples.random(6, 1);
        for (int i : new int[] {2, 4}) {
            TrainingData.Sample sample = samples.get(i);
            samples.set(i, new TrainingData.Sample(sample.ids(), new byte[TinySamples.TOKENS], sample.sequences()));
        }
        Path data = TinySamples.write(directory.resolve("masked"), samples);
        String message = failure(run().data(data));
        assertTrue(message.contains(data + ": 2 samples have no token to train: [2, 4]"), message);
    }

    @ParameterizedTest
    @ValueSource(ints = {300, -1})
    void aTokenBeyondTheVocabularyIsNamed(int token) throws IOException {
        List<TrainingData.Sample> samples = TinySamples.random(4, 1);
        samples.set(3, changed(samples.get(3), 5, token));
        Path data = TinySamples.write(directory.resolve("token" + token), samples);
        String message = failure(run().data(data));
        assertTrue(message.contains("%s: sample 3 holds token %d, the model has 300".formatted(data, token)), message);
    }

    @Test
    void samplesLongerThanTheModelKnowsAreRefused() throws IOException {
        Path model = TinyModels.make(
                directory,
                "short",
                TinyModels.CONFIG_12B.replace("\"training_seqlen\": 256", "\"training_seqlen\": 8"),
                1);
        String message = failure(run().model(model));
        assertTrue(message.contains("samples of 12 tokens; the model is defined up to 8"), message);
    }

    @Test
    void lessThanAMicroBatchIsRefused() throws IOException {
        assertTrue(failure(run().batch(9, 1)).contains("8 samples to train are less than one micro-batch of 9"));
    }

    @Test
    void noSampleToMeasureIsRefused() throws IOException {
        String message = failure(run().evaluates(0.01, Optional.empty()));
        assertTrue(message.contains("is none to measure"), message);
    }

    @Test
    void aLossThatIsNoNumberNamesItsSamples() throws IOException {
        Path model = TinyModels.make(directory, "nan", TinyModels.CONFIG_52B, 5);
        Path file = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        for (int i = bytes.length - 4; i < bytes.length; i++) {
            bytes[i] = (byte) 0xFF; // the last element of the last tensor
        }
        Files.write(file, bytes);
        String message = failure(run().model(model).sequential());
        assertTrue(message.contains("step 1: the loss is NaN, with samples [[0, 1]] of " + directory), message);
    }

    @Test
    void measuresWhatItDoesNotTrain() throws IOException {
        TinyRun run = run().evaluates(0.25, Optional.empty()).maxSteps(3);
        TinyRun.Result result = run.run();
        assertEquals(3, result.evaluations().size());
        TinyRun.Result alone = run().data(TinySamples.write(
                        directory.resolve("held"), TinySamples.random(8, 1).subList(6, 8)))
                .sequential()
                .maxSteps(1)
                .run();
        assertEquals(alone.losses().getFirst(), result.evaluations().getFirst(), 1e-6, "rate 0: the same parameters");
    }

    /** Of 8 samples 3 are measured, in micro-batches of 2. */
    @Test
    void measuresALastBatchThatIsNotFull() throws IOException {
        TinyRun.Result filledUp =
                run().batch(2, 1).evaluates(0.375, Optional.empty()).maxSteps(1).run();
        TinyRun.Result oneByOne =
                run().batch(1, 1).evaluates(0.375, Optional.empty()).maxSteps(1).run();
        assertEquals(
                oneByOne.evaluations().getFirst(),
                filledUp.evaluations().getFirst(),
                1e-6,
                "rate 0: the same parameters");
    }

    @Test
    void stopsWhenNothingGetsBetterAndStaysStopped() throws IOException {
        TinyRun run = run().evaluates(0.25, Optional.of(2)).peak(0);
        TinyRun.Result result = run.run();
        assertEquals(RunEnd.NO_IMPROVEMENT, result.end());
        assertEquals(3, result.steps().size());
        TinyRun.Result resumed = run.resume();
        assertEquals(RunEnd.NO_IMPROVEMENT, resumed.end());
        assertEquals(List.of(), resumed.steps());
    }

    /** At rate 0 no measurement is better than the first. */
    @Test
    void theBestCheckpointOutlivesNewerOnes() throws IOException {
        TinyRun run = run().evaluates(0.25, Optional.of(2)).peak(0).saves(1, 1);
        TinyRun.Result result = run.run();
        assertEquals(RunEnd.NO_IMPROVEMENT, result.end());
        assertEquals(Optional.of(run.checkpoint(1)), result.best());
        assertEquals(List.of(run.checkpoint(1), run.checkpoint(3)), RunCheckpoint.all(run.output()));
        assertEquals(Optional.of(run.checkpoint(1)), run.resume().best());
    }
}
