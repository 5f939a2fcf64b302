// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.Architectures;
import io.telechat.core.architecture.ConfigFile;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.TuningMethod;
import io.telechat.train.plan.Cluster;
import io.telechat.train.plan.FittingSetups;
import io.telechat.train.plan.FittingSetups.Fitting;
import io.telechat.train.plan.PlannedModel;
import io.telechat.train.plan.RunSetup;
import io.telechat.train.plan.TrainingPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
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
            "Reads config.json only. Times assume a share of the peak; of several ranks, what they send to each other"
                    + " is counted, too."
        },
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    /** One of the two. */
    static final class Model {
        @Option(names = "--model-path", paramLabel = "DIR", description = "checkpoint to start from")
        private Optional<Path> directory = Optional.empty();

        @Option(names = "--config", paramLabel = "FILE", description = "a config.json, if there is no checkpoint yet")
        private Optional<Path> config = Optional.empty();

        private PlannedModel read() {
            if (directory.isPresent()) {
                try (ModelLoader.Checked checked = ModelLoader.check(ModelOptions.found(directory.get()))) {
                    return PlannedModel.of(checked);
                }
            }
            ConfigFile file = ConfigFile.read(config.orElseThrow());
            return PlannedModel.of(Architectures.of(file, Set.of()).readConfig(file, Set.of()));
        }

        private String path() {
            return directory.map(Path::toString).orElse("DIR");
        }
    }

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

    @Option(names = "--offload", description = "keep what the optimizer alone needs in files")
    private boolean offload;

    @Mixin
    private LoraOptions lora;

    @Mixin
    private ClusterOptions machines;

    @Option(
            names = "--gradient-accumulation-steps",
            paramLabel = "N",
            description = "passes of a rank for each update (default: 1)")
    private int passes = 1;

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

    @Option(
            names = "--reached",
            paramLabel = "SHARE",
            description = "of that peak, what training reaches (default: 0.6)")
    private double reached = 0.6;

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        Positive.check("--batch", batch);
        Positive.check("--max-seq-len", tokens);
        Positive.check("--gradient-accumulation-steps", passes);
        if (!(reached > 0 && reached <= 1)) {
            throw new InvalidRequestException("--reached %s: must be above 0, and 1 at most", reached);
        }
        Cluster cluster = machines.cluster();
        if (flops.isPresent() && !(flops.get() > 0 && flops.get() < Double.MAX_VALUE)) {
            throw new InvalidRequestException("--flops %s: must be above 0", flops.get());
        }
        if ((long) batch * tokens > Integer.MAX_VALUE) {
            throw new InvalidRequestException("--batch %d: too many tokens at once", batch);
        }
        Optional<TuningMethod.Lora> adapters = lora.method();
        TuningMethod method = adapters.isPresent() ? adapters.get().computedIn(precision.dtype()) : precision.full();
        PlannedModel planned = model.read();
        RunSetup setup =
                new RunSetup(batch, tokens, checkpointing, method, precision.moments(), cluster.ranks(), offload);
        TrainingPlan plan = TrainingPlan.of(planned, setup);
        long available = memory.map(ByteSize::bytes).orElseGet(MemoryPlan::machineMemory);
        OptionalDouble peak = flops.map(OptionalDouble::of).orElseGet(() -> measuredPeak(method.dtype()));
        PlanReport report =
                new PlanReport(plan, available, new PlanReport.Speed(peak, reached, flops.isEmpty()), cluster, passes);
        List<Fitting> others = report.fits() ? List.of() : FittingSetups.of(planned, setup, available);
        if (json) {
            System.out.println(report.json(others, model.path()));
        } else {
            report.print(others, model.path());
        }
        return report.fits() || !others.isEmpty() ? ExitCode.OK : ExitCode.NO_MEMORY;
    }

    private static OptionalDouble measuredPeak(DType parameters) {
        try (Backend backend = Backends.best(Runtime.getRuntime().availableProcessors())) {
            return backend.measureFlops(parameters);
        }
    }
}
