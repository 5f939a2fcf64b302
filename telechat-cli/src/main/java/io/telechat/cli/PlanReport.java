// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.model.MemoryPlan;
import io.telechat.train.plan.FittingSetups.Fitting;
import io.telechat.train.plan.TrainingPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * A plan, for people and for programs.
 *
 * @param available bytes of memory for each rank
 * @param peak operations per second of a rank at most, if known
 * @param measured whether that was measured on this machine
 */
record PlanReport(TrainingPlan plan, long available, OptionalDouble peak, boolean measured) {
    /** Of the peak; what a good implementation reaches with large matrices. */
    private static final double REACHED = 0.6;

    private static final int STAGES = 4;
    private static final double GIGA = 1e9;

    private int ranks() {
        return plan.setup().ranks();
    }

    private int stages() {
        return ranks() == 1 ? 1 : STAGES;
    }

    boolean fits() {
        return IntStream.range(0, stages()).anyMatch(this::fits);
    }

    private boolean fits(int stage) {
        return plan.memory(stage).total() <= available;
    }

    /** @param others what fits in its place */
    ObjectNode json(List<Fitting> others, String model) {
        ObjectNode report = Json.object();
        report.put("parameters", plan.parameters());
        report.put("trained_parameters", plan.trained());
        ArrayNode all = report.putArray("memory_per_rank");
        for (int stage = 0; stage < stages(); stage++) {
            ObjectNode one = all.addObject().put("zero_stage", stage);
            one.setAll((ObjectNode) Json.tree(plan.memory(stage)));
            one.put("total", plan.memory(stage).total());
            one.put("fits", fits(stage));
        }
        report.put("memory_available", available);
        report.put("fits", fits());
        report.put("checkpoint_bytes", plan.checkpointBytes());
        report.put("flops_per_step", plan.flops());
        report.put("computed_flops_per_step", plan.computedFlops());
        report.put("assumed_share_of_peak", REACHED);
        if (peak.isPresent()) {
            report.put("peak_flops", peak.getAsDouble());
            report.put("seconds_per_step", plan.seconds(peak.getAsDouble(), REACHED));
        }
        ArrayNode changes = report.putArray("changes");
        for (Fitting other : others) {
            ObjectNode change = changes.addObject()
                    .put("bytes", other.bytes())
                    .put("ranks", other.setup().ranks())
                    .put("zero_stage", other.stage())
                    .put("command", command(other, model));
            other.setup().options().forEach(change.putArray("options")::add);
        }
        return report;
    }

    void print(List<Fitting> others, String model) {
        System.out.printf("%,d parameters, %,d trained%n", plan.parameters(), plan.trained());
        System.out.printf("%-22s", ranks() == 1 ? "memory" : "memory of a rank");
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", ranks() == 1 ? "" : "ZeRO " + stage);
        }
        System.out.println();
        row("parameters", TrainingPlan.Memory::parameters);
        row("gradients", TrainingPlan.Memory::gradients);
        row("optimizer", TrainingPlan.Memory::optimizer);
        row("activations", TrainingPlan.Memory::activations);
        row("logits", TrainingPlan.Memory::logits);
        row("scratch", TrainingPlan.Memory::scratch);
        row("program", TrainingPlan.Memory::program);
        row("total", TrainingPlan.Memory::total);
        System.out.printf("%-22s", "fits " + MemoryPlan.gib(available));
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", fits(stage) ? "yes" : "no");
        }
        System.out.println();
        System.out.printf("%-22s%12s%n", "disk per checkpoint", MemoryPlan.gib(plan.checkpointBytes()));
        System.out.printf("%-22s%,12.0f GFLOP%n", "step", plan.computedFlops() / GIGA);
        if (peak.isPresent()) {
            System.out.printf(
                    "%-22s%,12.1f s, assuming %.0f %% of %,.0f GFLOP/s%s%n",
                    "time of a step",
                    plan.seconds(peak.getAsDouble(), REACHED),
                    100 * REACHED,
                    peak.getAsDouble() / GIGA,
                    measured ? ", as measured here" : "");
        }
        if (!fits()) {
            printOthers(others, model);
        }
    }

    private static void printOthers(List<Fitting> others, String model) {
        System.out.println(others.isEmpty() ? "does not fit, whatever is changed" : "does not fit; would fit:");
        for (Fitting other : others) {
            int ranks = other.setup().ranks();
            System.out.printf(
                    "%n  %s%s%n  %s%n",
                    MemoryPlan.gib(other.bytes()),
                    ranks == 1 ? "" : " each on %,d ranks".formatted(ranks),
                    command(other, model));
        }
    }

    /** What to type; DATA and RUN are to be named. */
    private static String command(Fitting fitting, String model) {
        List<String> words = new ArrayList<>(List.of("telechat", "train", "--model-path", model));
        words.addAll(List.of("--data-path", "DATA", "--output-dir", "RUN"));
        words.addAll(fitting.setup().options());
        if (fitting.setup().ranks() > 1) {
            words.addAll(List.of("--zero-stage", Integer.toString(fitting.stage())));
        }
        return String.join(" ", words);
    }

    /** One use of memory in a row. */
    private interface Use {
        long of(TrainingPlan.Memory memory);
    }

    private void row(String name, Use use) {
        System.out.printf("%-22s", "  " + name);
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", MemoryPlan.gib(use.of(plan.memory(stage))));
        }
        System.out.println();
    }
}
