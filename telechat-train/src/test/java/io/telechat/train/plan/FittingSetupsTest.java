// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.plan.FittingSetups.Fitting;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FittingSetupsTest {
    @TempDir
    static Path directory;

    private static PlannedModel model;

    @BeforeAll
    static void make() throws IOException {
        Path made = TinyModels.make(directory, "52b", TinyModels.CONFIG_52B, 1);
        try (ModelLoader.Checked checked = ModelLoader.check(made)) {
            model = PlannedModel.of(checked);
        }
    }

    private static long bytes(RunSetup setup) {
        return TrainingPlan.of(model, setup).memory(0).total();
    }

    private static List<String> options(List<Fitting> fittings) {
        return fittings.stream()
                .map(f -> String.join(" ", f.setup().options())
                        + (f.setup().ranks() > 1 ? " on " + f.setup().ranks() : ""))
                .toList();
    }

    @Test
    void whereLittleIsMissingOneChangeIsEnough() {
        RunSetup asked = new RunSetup(64, 32);
        assertEquals(
                List.of(
                        "--optimizer-state 8bit --per-device-train-batch-size 64",
                        "--per-device-train-batch-size 63",
                        "--gradient-checkpointing --per-device-train-batch-size 64",
                        "--lora-dim 8 --per-device-train-batch-size 64",
                        "--per-device-train-batch-size 64 on 2",
                        "--gradient-checkpointing --per-device-train-batch-size 64 on 2"),
                options(FittingSetups.of(model, asked, bytes(asked) - 1)));
    }

    @Test
    void allThatIsProposedFits() {
        RunSetup asked = new RunSetup(64, 32);
        long needed = bytes(asked);
        for (long available = needed - 1; available > TrainingPlan.PROGRAM_BYTES; available -= needed / 50) {
            for (Fitting fitting : FittingSetups.of(model, asked, available)) {
                long actual = TrainingPlan.of(model, fitting.setup())
                        .memory(fitting.stage())
                        .total();
                assertEquals(fitting.bytes(), actual);
                assertTrue(actual <= available, fitting.toString());
            }
        }
    }

    /** The last resort of a single process; tensors this small have no moments of 8 bits. */
    @Test
    void whatFitsWithEverythingTogetherIsFound() {
        RunSetup asked = new RunSetup(1, 32);
        RunSetup least = FittingSetups.of(model, asked, bytes(asked) - 1).stream()
                .map(Fitting::setup)
                .filter(s -> s.ranks() == 1)
                .reduce((a, b) -> b)
                .orElseThrow();
        long smallest = Long.MAX_VALUE;
        for (long available = bytes(least); available > TrainingPlan.PROGRAM_BYTES; available -= 1024) {
            for (Fitting fitting : FittingSetups.of(model, asked, available)) {
                smallest = fitting.setup().ranks() == 1 ? Math.min(smallest, fitting.bytes()) : smallest;
            }
        }
        Fitting last = FittingSetups.of(model, asked, smallest).getFirst();
        assertEquals(
                "--lora-dim 8 --weights q4 --gradient-checkpointing",
                String.join(" ", last.setup().options()));
        assertTrue(FittingSetups.of(model, asked, smallest - 1).stream()
                .noneMatch(f -> f.setup().ranks() == 1));
    }

    @Test
    void whereNothingHelpsNothingIsProposed() {
        assertEquals(List.of(), FittingSetups.of(model, new RunSetup(2, 16), TrainingPlan.PROGRAM_BYTES));
    }

    @Test
    void whatIsAskedForAnywayIsNoChange() {
        RunSetup asked = new RunSetup(4, 16).withCheckpointing(true).withMoments(MomentType.EIGHT_BIT);
        assertFalse(FittingSetups.of(model, asked, bytes(asked) - 1).stream()
                .anyMatch(f -> !f.setup().checkpointing() || f.setup().moments() != MomentType.EIGHT_BIT));
    }
}
