// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.EmulatedGpu;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Training with matrices in bfloat16 beside a float32 master of each, with both ways to round. */
class Bf16TrainingTest {
    @TempDir
    static Path directory;

    private static TinyRun run(DType dtype, Rounding rounding) throws IOException {
        return run("cpu", dtype, rounding);
    }

    private static TinyRun run(String backend, DType dtype, Rounding rounding) throws IOException {
        TinyRun run = new TinyRun(directory).backend(backend, 2).batch(8, 1);
        run.method = new TuningMethod.Full(dtype, rounding);
        return run;
    }

    /** A bfloat16 has 8 bits: weights are off by 0.4 % at most, and the loss moves by a small part of what is learnt. */
    @ParameterizedTest
    @EnumSource
    void learnsAsInFloat32(Rounding rounding) throws IOException {
        List<Double> exact = run(DType.F32, rounding).run().losses();
        List<Double> rounded = run(DType.BF16, rounding).run().losses();
        double fall = exact.getFirst() - exact.getLast();
        assertTrue(rounded.getLast() < rounded.getFirst() - 0.1, rounded.toString());
        for (int i = 0; i < 6; i++) {
            assertEquals(exact.get(i), rounded.get(i), 0.05 * fall, "loss of update " + i);
        }
        assertNotEquals(exact.getLast(), rounded.getLast(), "nothing was rounded");
    }

    /** The model stays as it is stored; what is rounded is what lies between the products. */
    @Test
    void learnsAdaptersAsInFloat32() throws IOException {
        List<Double> exact = lossesWithAdapters(DType.F32);
        List<Double> rounded = lossesWithAdapters(DType.BF16);
        double fall = exact.getFirst() - exact.getLast();
        for (int i = 0; i < 6; i++) {
            assertEquals(exact.get(i), rounded.get(i), 0.05 * fall, "loss of update " + i);
        }
        assertNotEquals(exact.getLast(), rounded.getLast(), "nothing was rounded");
    }

    private static List<Double> lossesWithAdapters(DType dtype) throws IOException {
        TinyRun run = new TinyRun(directory).backend("cpu", 2).batch(8, 1).peak(0.05);
        run.adapters = Optional.of(TuningMethod.Lora.of(4, 8).computedIn(dtype));
        return run.onRanks(1, ZeroStage.NOTHING, false).stream()
                .map(StepReport::loss)
                .toList();
    }

    /** There activations are rounded, too, so that all products run on the tensor cores in one go. */
    @Test
    void learnsOnAGpuAsOnACpu() throws IOException {
        EmulatedGpu.assumeBuiltFor("cuda");
        List<Double> cpu = run("cpu", DType.BF16, Rounding.NEAREST).run().losses();
        List<Double> gpu = run("cuda", DType.BF16, Rounding.NEAREST).run().losses();
        double fall = cpu.getFirst() - cpu.getLast();
        for (int i = 0; i < 6; i++) {
            assertEquals(cpu.get(i), gpu.get(i), 0.05 * fall, "loss of update " + i);
        }
        assertNotEquals(cpu.getLast(), gpu.getLast(), "activations were not rounded");
    }

    @Test
    void theTwoWaysToRoundDiffer() throws IOException {
        assertNotEquals(
                run(DType.BF16, Rounding.NEAREST).run().losses(),
                run(DType.BF16, Rounding.STOCHASTIC).run().losses());
    }

    /** Element by element, what is saved for inference is the bfloat16 nearest to the master that the checkpoint keeps. */
    @ParameterizedTest
    @EnumSource
    void savesParametersInBf16(Rounding rounding) throws IOException {
        TinyRun run = run(DType.BF16, rounding);
        run.run();
        try (Arena arena = Arena.ofConfined();
                ModelLoader.Checked checked = ModelLoader.check(run.checkpoint(6))) {
            SafetensorsFile model = SafetensorsFile.open(run.checkpoint(6).resolve("model.safetensors"), arena);
            SafetensorsFile optimizer = SafetensorsFile.open(run.checkpoint(6).resolve("optimizer.safetensors"), arena);
            List<TensorSpec> specs = checked.config().architecture().tensors(checked.config());
            assertEquals(specs.size(), model.tensors().size());
            for (TensorSpec spec : specs) {
                Tensor saved = model.tensor(spec.name());
                assertEquals(DType.BF16, saved.dtype(), spec.name());
                assertRounded(optimizer.tensor("value." + spec.name()), saved, spec);
            }
        }
    }

    /** Half of the distance between a number's neighbours is 2^−8 of its power of two: at most 2^−9 of twice that. */
    private static void assertRounded(Tensor master, Tensor saved, TensorSpec spec) {
        long columns = saved.columns();
        for (long i = 0; i < saved.shape().elements(); i++) {
            long at = spec.transposed() ? i % columns * saved.rows() + i / columns : i;
            float exact = master.getFloat(at);
            double halfStep = Math.scalb(1.0, Math.getExponent(exact) - 8);
            assertEquals(exact, saved.getFloat(i), halfStep, "%s at %d".formatted(spec.name(), i));
        }
    }

    @ParameterizedTest
    @EnumSource
    void goesOnToTheSameBits(Rounding rounding) throws IOException {
        TinyRun straight = run(DType.BF16, rounding);
        TinyRun stopped = run(DType.BF16, rounding).maxSteps(3);
        straight.run();
        stopped.run();
        TinyRun resumed = run(DType.BF16, rounding).output(stopped.output());
        assertEquals(3, resumed.resume().steps().size());
        for (String name : List.of("model.safetensors", "optimizer.safetensors", "run_state.json")) {
            assertArrayEquals(
                    Files.readAllBytes(straight.checkpoint(6).resolve(name)),
                    Files.readAllBytes(resumed.checkpoint(6).resolve(name)),
                    name);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "BF16, NEAREST, F32, NEAREST",
        "F32, NEAREST, BF16, NEAREST",
        "BF16, NEAREST, BF16, STOCHASTIC",
    })
    void anotherPrecisionIsRefused(DType then, Rounding thenRounded, DType now, Rounding nowRounded)
            throws IOException {
        TinyRun stopped = run(then, thenRounded).maxSteps(3);
        stopped.run();
        TinyRun resumed = run(now, nowRounded).output(stopped.output());
        String message =
                assertThrows(InvalidModelException.class, resumed::resume).getMessage();
        assertTrue(message.startsWith(stopped.output() + ": was trained with other options"), message);
        assertTrue(then == now || message.contains("Then: dtype=" + (then == DType.F32 ? "default" : "bf16")), message);
        assertTrue(thenRounded == nowRounded || message.contains("rounding=stochastic"), message);
        assertFalse(message.contains("learning_rate"), message + " names what is the same");
    }

    /** Where nothing is rounded it does not matter how. */
    @Test
    void roundingIsNoPartOfFloat32() throws IOException {
        TinyRun stopped = run(DType.F32, Rounding.NEAREST).maxSteps(3);
        stopped.run();
        TinyRun resumed = run(DType.F32, Rounding.STOCHASTIC).output(stopped.output());
        assertEquals(3, resumed.resume().steps().size());
    }
}
