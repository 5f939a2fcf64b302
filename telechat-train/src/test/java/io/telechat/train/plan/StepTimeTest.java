// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.lora.LoraConfig;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.MomentType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ranks send and how long that takes, by hand. */
class StepTimeTest {
    private static final double PARAMETERS = 36_768;
    private static final int SECTIONS = 4;

    @TempDir
    static Path directory;

    private static PlannedModel model;

    @BeforeAll
    static void make() throws IOException {
        try (ModelLoader.Checked checked =
                ModelLoader.check(TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1))) {
            model = PlannedModel.of(checked);
        }
    }

    private static TrainingPlan plan(TuningMethod method, int ranks) {
        return TrainingPlan.of(model, new RunSetup(1, 16, false, method, MomentType.F32, ranks, false));
    }

    private static StepTime time(TuningMethod method, int stage, int passes, Cluster cluster) {
        TrainingPlan plan = plan(method, cluster.ranks());
        return plan.stepTime(stage, passes, plan.computedFlops() / cluster.ranks(), 1, cluster); // a second a pass
    }

    private static Cluster cluster(int hosts, int ranks, double link) {
        return new Cluster(hosts, ranks, OptionalDouble.of(link), OptionalDouble.empty(), 0, true);
    }

    private static final TuningMethod.Full BF16 = new TuningMethod.Full(DType.BF16, Rounding.NEAREST);

    @Test
    void eachStageSendsWhatItShares() {
        Cluster cluster = cluster(1, 4, 1);
        double gradients = 4 * PARAMETERS;
        double values = 2 * PARAMETERS;
        double[][] expected = {
            {gradients, gradients}, {values, gradients}, {values, 3 * gradients}, {6 * values, 3 * gradients}
        };
        for (int stage = 0; stage < expected.length; stage++) {
            StepTime time = time(BF16, stage, 3, cluster);
            assertEquals(expected[stage][0], time.gathered(), 1e-6, "gathered in stage " + stage);
            assertEquals(expected[stage][1], time.summed(), 1e-6, "summed in stage " + stage);
            assertEquals(3, time.computing(), 1e-9);
        }
    }

    @Test
    void adaptersSendLittle() {
        TuningMethod.Lora lora = new TuningMethod.Lora(
                new LoraConfig(2, 1, false, 0, LoraConfig.ATTENTION_INPUTS), Optional.empty(), Optional.empty());
        double adapters = 4.0 * plan(lora, 4).trained();
        assertEquals(adapters, time(lora, 2, 1, cluster(1, 4, 1)).gathered(), 1e-6);
        assertEquals(adapters, time(lora, 2, 1, cluster(1, 4, 1)).summed(), 1e-6);
        assertEquals(
                2 * 4 * PARAMETERS + adapters,
                time(lora, 3, 1, cluster(1, 4, 1)).gathered(),
                1e-6);
    }

    @Test
    void whatLeavesAHostIsARingOfWhatIsGatheredAndAllThatIsSummedElsewhere() {
        Cluster cluster = cluster(2, 8, 1e6);
        assertEquals(100 * 7 / 8.0 + 4 * 800 / 2.0, cluster.sentByHost(100, 800), 1e-9);
        assertEquals(900 * 7 / 8.0, cluster.sentByRank(100, 800), 1e-9);
        assertEquals(cluster.sentByHost(100, 800) / 1e6, cluster.seconds(100, 800, 5), 1e-12);
        assertEquals(0, cluster(1, 8, 1).sentByHost(100, 800));
    }

    @Test
    void messagesTakeTheirTime() {
        Cluster slow = new Cluster(1, 4096, OptionalDouble.empty(), OptionalDouble.of(1e9), 1e-3, true);
        assertEquals(12e-3 * 7, slow.seconds(0, 0, 7), 1e-9);
        assertEquals(2.0 * 4095 / 4096, slow.seconds(1e9, 1e9, 0), 1e-9);
    }

    @Test
    void whatGoesBesideComputingTakesNoTime() {
        // Fast enough to be hidden: but for the first layer's parameters, and the last one's gradients.
        StepTime fast = time(BF16, 3, 1, cluster(2, 2, 1e6));
        assertTrue(fast.moving() < 1);
        assertEquals(1 + fast.moving() / SECTIONS, fast.total(), 1e-9);
        StepTime slow = time(BF16, 3, 1, cluster(2, 2, 1e3));
        assertEquals(slow.moving(), slow.total(), 1e-9);
        StepTime serial = time(BF16, 3, 1, new Cluster(2, 2, OptionalDouble.of(1e6), OptionalDouble.empty(), 0, false));
        assertEquals(1 + serial.moving(), serial.total(), 1e-9);
        assertEquals(
                1 + time(BF16, 0, 1, cluster(2, 2, 1e6)).moving(),
                time(BF16, 0, 1, cluster(2, 2, 1e6)).total(),
                1e-9);
    }

    @Test
    void severalHostsNeedALink() {
        assertTrue(cluster(2, 4, 1).isKnown());
        assertFalse(new Cluster(2, 4, OptionalDouble.empty(), OptionalDouble.empty(), 0, true).isKnown());
    }
}
