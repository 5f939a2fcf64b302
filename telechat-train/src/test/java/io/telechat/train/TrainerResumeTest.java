// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.data.TrainingData;
import io.telechat.train.resume.RunCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that was stopped goes on as if it had not been; what it cannot go on from is refused. */
class TrainerResumeTest {
    @TempDir
    static Path directory;

    private static TinyRun run() throws IOException {
        return new TinyRun(directory);
    }

    private static void assertSameEnd(TinyRun straight, TinyRun resumed) throws IOException {
        for (String file : List.of("model.safetensors", "optimizer.safetensors", "run_state.json")) {
            assertArrayEquals(
                    Files.readAllBytes(straight.checkpoint(6).resolve(file)),
                    Files.readAllBytes(resumed.checkpoint(6).resolve(file)),
                    file);
        }
    }

    /** What does not depend on the clock. */
    private static List<List<Object>> numbers(List<StepReport> steps) {
        return steps.stream()
                .map(s -> List.<Object>of(s.step(), s.loss(), s.rate(), s.gradientNorm(), s.tokens()))
                .toList();
    }

    static Stream<UnaryOperator<TinyRun>> waysToStop() {
        return Stream.of(
                run -> run.maxSteps(3),
                run -> run.afterStep((trainer, report) -> {
                    if (report.step() == 3) {
                        trainer.stop();
                    }
                }));
    }

    @ParameterizedTest
    @MethodSource("waysToStop")
    void goesOnToTheSameBits(UnaryOperator<TinyRun> stopping) throws IOException {
        TinyRun straight = run();
        TinyRun stopped = stopping.apply(run());
        TinyRun resumed = run().output(stopped.output());
        List<StepReport> all = new ArrayList<>();
        TinyRun.Result whole = straight.run();
        all.addAll(stopped.run().steps());
        assertEquals(3, all.size());
        assertTrue(Files.isDirectory(stopped.checkpoint(3)));
        all.addAll(resumed.resume().steps());
        assertEquals(numbers(whole.steps()), numbers(all));
        assertSameEnd(straight, resumed);
    }

    @Test
    void aStopIsSaid() throws IOException {
        TinyRun run = run().afterStep((trainer, report) -> trainer.stop());
        assertEquals(RunEnd.STOPPED, run.run().end());
        assertTrue(Files.isDirectory(run.checkpoint(1)));
    }

    @Test
    void aCompleteRunHasNothingToDo() throws IOException {
        TinyRun run = run();
        run.run();
        TinyRun.Result again = run.resume();
        assertEquals(RunEnd.COMPLETE, again.end());
        assertEquals(List.of(), again.steps());
        assertEquals(List.of(), again.saved());
    }

    @Test
    void withoutACheckpointBeginsAtTheBeginning() throws IOException {
        assertEquals(6, run().resume().steps().size());
    }

    @Test
    void keepsTheNewestAndClearsWhatWasLeft() throws IOException {
        TinyRun run = run().saves(1, 2);
        Path left = Files.createDirectories(run.output().resolve(".checkpoint-4.tmp/deeper"));
        run.run();
        assertEquals(List.of(run.checkpoint(5), run.checkpoint(6)), RunCheckpoint.all(run.output()));
        assertFalse(Files.exists(left));
    }

    @Test
    void aCheckpointIsAModel() throws IOException {
        TinyRun run = run().maxSteps(1);
        run.run();
        try (ModelLoader.Checked checked = ModelLoader.check(run.checkpoint(1))) {
            assertEquals(2, checked.config().layers());
        }
        assertTrue(Files.exists(run.checkpoint(1).resolve("tokenizer.model")));
    }

    @Test
    void canBeTrainedFurther() throws IOException {
        TinyRun first = run().maxSteps(2);
        first.run();
        assertEquals(6, run().model(first.checkpoint(2)).run().steps().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "optimizer.safetensors", "run_state.json", "config.json"})
    void aDamagedFileIsNamed(String name) throws IOException {
        TinyRun run = run().maxSteps(2);
        run.run();
        Path file = run.checkpoint(2).resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        assertRefused(run, file + ": damaged");
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "optimizer.safetensors", "run_state.json", "manifest.json"})
    void aMissingFileIsNamed(String name) throws IOException {
        TinyRun run = run().maxSteps(2);
        run.run();
        Files.delete(run.checkpoint(2).resolve(name));
        assertRefused(run, run.checkpoint(2).resolve(name).toString());
    }

    private static void assertRefused(TinyRun run, String part) {
        String message = assertThrows(InvalidModelException.class, run::resume).getMessage();
        assertTrue(message.contains(part), message);
    }

    static Stream<UnaryOperator<TinyRun>> otherOptions() {
        return Stream.of(
                run -> run.batch(1, 2),
                TinyRun::sequential,
                run -> run.objective(false, true, true),
                run -> run.peak(0.02),
                run -> run.evaluates(0.25, Optional.empty()));
    }

    @ParameterizedTest
    @MethodSource("otherOptions")
    void otherOptionsAreRefused(UnaryOperator<TinyRun> change) throws IOException {
        TinyRun stopped = run().maxSteps(3);
        stopped.run();
        assertRefused(change.apply(run().output(stopped.output())), "was trained with other options");
    }

    /** The schedule would bend in the middle. */
    @Test
    void anotherLengthOfTheScheduleIsRefused() throws IOException {
        TinyRun stopped = run().scheduleOfRun().maxSteps(3);
        stopped.run();
        assertRefused(run().scheduleOfRun().output(stopped.output()), "was trained with other options");
    }

    @Test
    void otherDataAreRefused() throws IOException {
        TinyRun stopped = run().maxSteps(3);
        stopped.run();
        List<TrainingData.Sample> other = TinySamples.random(7, 2);
        Path data = TinySamples.write(directory.resolve("other"), other);
        assertRefused(run().data(data).output(stopped.output()), "was trained with other options");
    }

    /** As many, as long, with the same tokens but for one. */
    @Test
    void dataThatLookAlikeAreRefused() throws IOException {
        TinyRun stopped = run().maxSteps(3);
        stopped.run();
        List<TrainingData.Sample> other = TinySamples.random(8, 1);
        other.get(5).ids()[4]++;
        Path data = TinySamples.write(directory.resolve("alike"), other);
        assertRefused(
                run().data(data).output(stopped.output()), "was trained with other samples than those of " + data);
    }

    @Test
    void theSameDataMayLieElsewhere() throws IOException {
        TinyRun straight = run();
        straight.run();
        TinyRun stopped = run().maxSteps(3);
        stopped.run();
        Path data = TinySamples.write(directory.resolve("elsewhere"), TinySamples.random(8, 1));
        TinyRun resumed = run().data(data).output(stopped.output());
        assertEquals(3, resumed.resume().steps().size());
        assertSameEnd(straight, resumed);
    }
}
