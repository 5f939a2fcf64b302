// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.model.MemoryPlan;
import io.telechat.train.plan.Cluster;
import io.telechat.train.plan.FittingSetups.Fitting;
import io.telechat.train.plan.StepTime;
import io.telechat.train.plan.TrainingPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * A plan, for people and for programs.
 *
 * @param available bytes of memory for each rank
 * @param speed of a rank
 * @param cluster of the ranks
 * @param passes of a rank for each update
 */
record PlanReport(TrainingPlan plan, long available, Speed speed, Cluster cluster, int passes) {
    /**
     * How fast a rank computes.
     *
     * @param peak operations per second at most, if known
     * @param reached share of it that training reaches
     * @param measured whether the peak was measured on this machine
     */
    record Speed(OptionalDouble peak, double reached, boolean measured) {}

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
            if (hasTimes()) {
                StepTime time = time(stage);
                one.put("sent_by_rank", Math.round(cluster.sentByRank(time.gathered(), time.summed())));
                one.put("sent_by_host", Math.round(cluster.sentByHost(time.gathered(), time.summed())));
                one.put("seconds_computing", time.computing());
                one.put("seconds_moving", time.moving());
                one.put("seconds_per_step", time.total());
                one.put("samples_per_second", samples() / time.total());
            }
        }
        report.put("memory_available", available);
        report.put("fits", fits());
        report.put("checkpoint_bytes", plan.checkpointBytes());
        report.put("flops_per_step", plan.flops());
        report.put("computed_flops_per_step", plan.computedFlops());
        report.put("assumed_share_of_peak", speed.reached());
        if (speed.peak().isPresent()) {
            report.put("peak_flops", speed.peak().getAsDouble());
            report.put("seconds_per_step", passes * computing());
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
        if (hasTimes()) {
            bytes("sent by a rank", time -> cluster.sentByRank(time.gathered(), time.summed()));
            if (cluster.hosts() > 1) {
                bytes("sent by a host", time -> cluster.sentByHost(time.gathered(), time.summed()));
            }
            times("step computing", StepTime::computing);
            times("step sending", StepTime::moving);
            times("step in all", StepTime::total);
            numbers("samples/s", time -> samples() / time.total());
        }
        System.out.printf("%-22s%12s%n", "disk per checkpoint", MemoryPlan.gib(plan.checkpointBytes()));
        System.out.printf("%-22s%,12.0f GFLOP%n", "step", passes * plan.computedFlops() / GIGA);
        if (speed.peak().isPresent()) {
            System.out.printf(
                    "%-22s%,12.1f s, assuming %.0f %% of %,.0f GFLOP/s%s%n",
                    "time of a step",
                    passes * computing(),
                    100 * speed.reached(),
                    speed.peak().getAsDouble() / GIGA,
                    speed.measured() ? ", as measured here" : "");
        }
        if (!cluster.isKnown()) {
            System.out.println("what goes from host to host takes time as well: give --link");
        }
        if (!fits()) {
            printOthers(others, model);
        }
    }

    private double computing() {
        return plan.seconds(speed.peak().orElseThrow(), speed.reached());
    }

    private boolean hasTimes() {
        return ranks() > 1 && speed.peak().isPresent() && cluster.isKnown();
    }

    private StepTime time(int stage) {
        return plan.stepTime(stage, passes, speed.peak().orElseThrow(), speed.reached(), cluster);
    }

    /** Of an update, on all ranks. */
    private double samples() {
        return (double) plan.setup().batch() * ranks() * passes;
    }

    /** A figure of a step. */
    private interface Figure {
        double of(StepTime time);
    }

    private void bytes(String name, Figure figure) {
        figures(name, stage -> MemoryPlan.gib(Math.round(figure.of(time(stage)))));
    }

    private void times(String name, Figure figure) {
        figures(name, stage -> "%,.2f s".formatted(figure.of(time(stage))));
    }

    private void numbers(String name, Figure figure) {
        figures(name, stage -> "%,.2f".formatted(figure.of(time(stage))));
    }

    private void figures(String name, IntFunction<String> ofStage) {
        System.out.printf("%-22s", name);
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", ofStage.apply(stage));
        }
        System.out.println();
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
