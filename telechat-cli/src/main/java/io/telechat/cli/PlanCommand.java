// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.Architectures;
import io.telechat.core.architecture.ConfigFile;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.TuningMethod;
import io.telechat.train.plan.TrainingPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code telechat plan}. */
@Command(
        name = "plan",
        description = {
            "What fine-tuning will need: memory by its uses, disk, time per step; and what to change if it does not"
                    + " fit.",
            "Reads config.json only. Times assume 60 % of the peak."
        },
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    /** Of the peak; what a good implementation reaches with large matrices. */
    private static final double REACHED = 0.6;

    private static final int STAGES = 4;
    private static final double GIGA = 1e9;

    /** One of the two. */
    static final class Model {
        @Option(names = "--model-path", paramLabel = "DIR", description = "checkpoint to start from")
        private Optional<Path> directory = Optional.empty();

        @Option(names = "--config", paramLabel = "FILE", description = "a config.json, if there is no checkpoint yet")
        private Optional<Path> config = Optional.empty();

        private Read read(Optional<DType> quantization) {
            if (directory.isPresent()) {
                try (ModelLoader.Checked checked = ModelLoader.check(directory.get())) {
                    return new Read(checked.config(), checked.loadedBytes(quantization));
                }
            }
            ConfigFile file = ConfigFile.read(config.orElseThrow());
            ModelConfig read = Architectures.of(file, Set.of()).readConfig(file, Set.of());
            long bytes = read.architecture().tensors(read).stream()
                    .mapToLong(spec -> spec.loadedBytes(DType.BF16, quantization)) // as the makers store theirs
                    .sum();
            return new Read(read, bytes);
        }
    }

    /** @param bytes of all its parameters, as adapters meet them */
    private record Read(ModelConfig config, long bytes) {}

    @ArgGroup(multiplicity = "1")
    private Model model;

    @Option(
            names = {"--batch", "--per-device-train-batch-size"},
            paramLabel = "N",
            description = "samples computed at once (default: 1)")
    private int batch = 1;

    @Option(names = "--max-seq-len", paramLabel = "N", description = "tokens of a sample (default: 4096)")
    private int tokens = 4096;

    @Option(names = "--gradient-checkpointing", description = "compute layers twice: less memory")
    private boolean checkpointing;

    @Mixin
    private PrecisionOptions precision;

    @Mixin
    private LoraOptions lora;

    @Option(
            names = {"--ranks", "--gpus"},
            paramLabel = "N",
            description = "processes that share the work, one for each GPU (default: 1)")
    private int ranks = 1;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description = "for each rank (default: that of this machine)",
            converter = ByteSize.Converter.class)
    private Optional<ByteSize> memory = Optional.empty();

    @Option(
            names = "--flops",
            paramLabel = "F",
            description = "operations per second of a rank at most, such as 2e12 (default: measured here)")
    private Optional<Double> flops = Optional.empty();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        Positive.check("--batch", batch);
        Positive.check("--max-seq-len", tokens);
        Positive.check("--ranks", ranks);
        if (flops.isPresent() && !(flops.get() > 0 && flops.get() < Double.MAX_VALUE)) {
            throw new InvalidRequestException("--flops %s: must be above 0".formatted(flops.get()));
        }
        if ((long) batch * tokens > Integer.MAX_VALUE) {
            throw new InvalidRequestException("--batch %d: too many tokens at once".formatted(batch));
        }
        Optional<TuningMethod.Lora> adapters = lora.method();
        Read read = model.read(adapters.flatMap(TuningMethod.Lora::quantization));
        TrainingPlan plan = TrainingPlan.of(
                read.config(),
                new TrainingPlan.Setup(
                        batch,
                        tokens,
                        checkpointing,
                        precision.full().dtype(),
                        adapters.map(method -> TrainingPlan.Lora.of(method, read.config(), read.bytes())),
                        precision.moments(),
                        ranks));
        long available = memory.map(ByteSize::bytes).orElseGet(MemoryPlan::machineMemory);
        OptionalDouble peak = flops.map(OptionalDouble::of).orElseGet(PlanCommand::measuredPeak);
        ObjectNode report = report(plan, available, peak);
        if (json) {
            System.out.println(report);
        } else {
            print(plan, available, peak);
        }
        return ExitCode.OK;
    }

    private static OptionalDouble measuredPeak() {
        try (Backend backend = Backends.best(Runtime.getRuntime().availableProcessors())) {
            return backend.measureLimits()
                    .map(MachineLimits::flopsPerSecond)
                    .map(OptionalDouble::of)
                    .orElseGet(OptionalDouble::empty);
        }
    }

    private int stages() {
        return ranks == 1 ? 1 : STAGES;
    }

    private boolean fits(TrainingPlan plan, long available) {
        return IntStream.range(0, stages()).anyMatch(stage -> plan.memory(stage).total() <= available);
    }

    private ObjectNode report(TrainingPlan plan, long available, OptionalDouble peak) {
        ObjectNode report = Json.object();
        report.put("parameters", plan.parameters());
        report.put("trained_parameters", plan.trained());
        ArrayNode all = report.putArray("memory_per_rank");
        for (int stage = 0; stage < stages(); stage++) {
            TrainingPlan.Memory needed = plan.memory(stage);
            ObjectNode one = all.addObject().put("zero_stage", stage);
            one.setAll((ObjectNode) Json.tree(needed));
            one.put("total", needed.total());
            one.put("fits", needed.total() <= available);
        }
        report.put("memory_available", available);
        report.put("checkpoint_bytes", plan.checkpointBytes());
        report.put("flops_per_step", plan.flops());
        report.put("computed_flops_per_step", plan.computedFlops());
        report.put("assumed_share_of_peak", REACHED);
        if (peak.isPresent()) {
            report.put("peak_flops", peak.getAsDouble());
            report.put("seconds_per_step", plan.seconds(peak.getAsDouble(), REACHED));
        }
        ArrayNode changes = report.putArray("changes");
        if (!fits(plan, available)) {
            plan.changes(available)
                    .forEach(
                            c -> changes.addObject().put("options", c.options()).put("bytes", c.bytes()));
        }
        return report;
    }

    private void print(TrainingPlan plan, long available, OptionalDouble peak) {
        System.out.printf("%,d parameters, %,d trained%n", plan.parameters(), plan.trained());
        System.out.printf("%-22s", ranks == 1 ? "memory" : "memory of a rank");
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", ranks == 1 ? "" : "ZeRO " + stage);
        }
        System.out.println();
        row("parameters", plan, TrainingPlan.Memory::parameters);
        row("gradients", plan, TrainingPlan.Memory::gradients);
        row("optimizer", plan, TrainingPlan.Memory::optimizer);
        row("activations", plan, TrainingPlan.Memory::activations);
        row("logits", plan, TrainingPlan.Memory::logits);
        row("scratch", plan, TrainingPlan.Memory::scratch);
        row("program", plan, TrainingPlan.Memory::program);
        row("total", plan, TrainingPlan.Memory::total);
        System.out.printf("%-22s", "fits " + MemoryPlan.gib(available));
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", plan.memory(stage).total() <= available ? "yes" : "no");
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
                    flops.isPresent() ? "" : ", as measured here");
        }
        if (!fits(plan, available)) {
            List<TrainingPlan.Change> changes = plan.changes(available);
            System.out.println(changes.isEmpty() ? "does not fit, whatever is changed" : "does not fit; would fit:");
            changes.forEach(c -> System.out.printf("  %-52s %s%n", c.options(), MemoryPlan.gib(c.bytes())));
        }
    }

    /** One use of memory in a row. */
    private interface Use {
        long of(TrainingPlan.Memory memory);
    }

    private void row(String name, TrainingPlan plan, Use use) {
        System.out.printf("%-22s", "  " + name);
        for (int stage = 0; stage < stages(); stage++) {
            System.out.printf("%12s", MemoryPlan.gib(use.of(plan.memory(stage))));
        }
        System.out.println();
    }
}
