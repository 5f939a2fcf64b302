// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.tensor.DType;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs whose optimizer keeps its means in 8 bits; of the tiny model, embedding and head are large enough for that. */
@Tag("slow")
class EightBitOptimizerTest {
    private static final List<String> LARGE = List.of("transformer.wte.weight", "lm_head.weight");

    @TempDir
    static Path directory;

    private static TinyRun run(MomentType moments) throws IOException {
        return new TinyRun(directory)
                .optimizer(AdamW.Settings.reference(0.1).withState(moments))
                .maxSteps(6);
    }

    @Test
    void learnsAsWithFloats() throws IOException {
        List<Double> floats = run(MomentType.F32).batch(8, 1).run().losses();
        List<Double> rounded = run(MomentType.EIGHT_BIT).batch(8, 1).run().losses();
        assertTrue(rounded.getLast() < rounded.getFirst() - 0.1, rounded.toString());
        double fall = floats.getFirst() - floats.getLast();
        for (int i = 0; i < 6; i++) {
            assertEquals(floats.get(i), rounded.get(i), 0.02 * fall, "loss of update " + i);
        }
        assertNotEquals(floats.getLast(), rounded.getLast(), "nothing was rounded");
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void goesOnToTheSameBits(DType dtype) throws IOException {
        TinyRun straight = precise(run(MomentType.EIGHT_BIT), dtype).backend("cpu", 2);
        TinyRun stopped = precise(run(MomentType.EIGHT_BIT), dtype).maxSteps(3);
        straight.run();
        stopped.run();
        TinyRun resumed = precise(run(MomentType.EIGHT_BIT), dtype).output(stopped.output());
        assertEquals(3, resumed.resume().steps().size());
        assertSameEnd(straight, resumed, 6);
    }

    /** Few steps, because this backend is slow. */
    @Test
    void onNd4jLearnsTheSameAndGoesOnToTheSameBits() throws IOException {
        TinyRun straight = run(MomentType.EIGHT_BIT).backend("nd4j", 2).maxSteps(2);
        TinyRun stopped = run(MomentType.EIGHT_BIT).backend("nd4j", 2).maxSteps(1);
        List<Double> losses = straight.run().losses();
        List<Double> onCpu = run(MomentType.EIGHT_BIT).maxSteps(2).run().losses();
        assertEquals(onCpu.getFirst(), losses.getFirst(), 1e-5);
        assertEquals(onCpu.getLast(), losses.getLast(), 1e-5);
        stopped.run();
        TinyRun resumed =
                run(MomentType.EIGHT_BIT).backend("nd4j", 2).maxSteps(2).output(stopped.output());
        assertEquals(1, resumed.resume().steps().size());
        assertSameEnd(straight, resumed, 2);
    }

    private static void assertSameEnd(TinyRun straight, TinyRun resumed, int step) throws IOException {
        for (String name : List.of("model.safetensors", "optimizer.safetensors", "run_state.json")) {
            assertArrayEquals(
                    Files.readAllBytes(straight.checkpoint(step).resolve(name)),
                    Files.readAllBytes(resumed.checkpoint(step).resolve(name)),
                    name);
        }
    }

    private static TinyRun precise(TinyRun run, DType dtype) {
        run.method = new TuningMethod.Full(dtype, run.method.rounding());
        return run;
    }

    @Test
    void aCheckpointHoldsCodesAndScales() throws IOException {
        TinyRun run = run(MomentType.EIGHT_BIT).maxSteps(1);
        run.run();
        Map<String, String> tensors;
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.open(run.checkpoint(1).resolve("optimizer.safetensors"), arena);
            tensors = file.tensors().keySet().stream()
                    .collect(Collectors.toMap(
                            name -> name, name -> file.tensor(name).toString()));
        }
        Set<String> rounded = tensors.keySet().stream()
                .filter(name -> tensors.get(name).startsWith("u8"))
                .collect(Collectors.toSet());
        assertEquals(
                LARGE.stream()
                        .flatMap(name -> List.of("mean." + name, "square." + name).stream())
                        .collect(Collectors.toSet()),
                rounded);
        for (String name : LARGE) {
            assertEquals("u8[300, 32]", tensors.get("mean." + name));
            assertEquals("f32[38]", tensors.get("mean_scale." + name));
            assertEquals("u8[300, 32]", tensors.get("square." + name));
            assertEquals("f32[38]", tensors.get("square_scale." + name));
        }
        assertEquals("f32[32]", tensors.get("mean.transformer.ln_f.weight"));
    }

    private static String name(MomentType kind) {
        return kind == MomentType.F32 ? "default" : "8bit";
    }

    @ParameterizedTest
    @EnumSource
    void doesNotGoOnWithTheOtherKind(MomentType kind) throws IOException {
        MomentType other = kind == MomentType.F32 ? MomentType.EIGHT_BIT : MomentType.F32;
        TinyRun stopped = run(kind).maxSteps(3);
        stopped.run();
        TinyRun resumed = run(other).output(stopped.output());
        String message =
                assertThrows(InvalidModelException.class, resumed::resume).getMessage();
        assertTrue(message.contains(": was trained with other options; resume with the same ones"), message);
        assertTrue(
                message.endsWith(
                        "Then: optimizer_state=%s. Now: optimizer_state=%s".formatted(name(kind), name(other))),
                message);
    }
}
