// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.lora.LoraSize;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.CheckedData;
import io.telechat.train.FullFineTuning;
import io.telechat.train.LoraFineTuning;
import io.telechat.train.ProcessMemory;
import io.telechat.train.RunLock;
import io.telechat.train.TrainConfig;
import io.telechat.train.TrainedModel;
import io.telechat.train.Trainer;
import io.telechat.train.TrainingListeners;
import io.telechat.train.data.TrainingData;
import io.telechat.train.plan.TrainingPlan;
import io.telechat.train.report.TensorBoardFile;
import io.telechat.train.resume.RunCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code telechat train}. */
@Command(
        name = "train",
        description = {
            "Fine-tune a model on samples made by process-data.",
            "The first Ctrl-C finishes the step and saves, the second stops at once; --resume goes on from the newest"
                    + " checkpoint."
        },
        mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
    @Mixin
    private TrainOptions options;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML with any of these options; those on the command line win")
    private Optional<Path> configFile = Optional.empty();

    @Option(names = "--resume", description = "go on from the newest checkpoint of --output-dir, if there is one")
    private boolean resume;

    @Option(names = "--json", description = "print the steps as JSON lines on stdout, too")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        TrainConfig config = options.config();
        List<String> inVain = options.withoutEffect();
        requireFreshOutput(config.output());
        try (TrainingData data = TrainingData.open(config.data())) {
            ModelLoader.Checked checked = ModelLoader.check(config.model());
            CheckedData inputs = CheckedData.of(config, checked.config(), data);
            if (!global.quiet) {
                inVain.forEach(System.err::println);
            }
            boolean made = Files.notExists(config.output());
            Files.createDirectories(config.output()); // now, for to load a model takes a while
            try (RunLock _ = RunLock.take(config.output())) {
                requireFreshOutput(config.output()); // another run may have ended meanwhile
                return train(inputs, checked);
            } finally {
                if (made) {
                    config.output().toFile().delete(); // which does so to an empty directory only
                }
            }
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be written: %s".formatted(config.output(), IoReason.of(e)), e);
        }
    }

    private int train(CheckedData inputs, ModelLoader.Checked checked) throws IOException {
        TrainConfig config = inputs.config();
        Backend backend = options.backend();
        double peak = backend.measureLimits().map(MachineLimits::flopsPerSecond).orElse(Double.NaN);
        ProcessMemory.resetPeak(); // measuring takes memory that the run does not
        int rows = config.batch().microBatch() * inputs.data().rowTokens();
        try (TrainedModel model = model(config, checked, backend, rows);
                RunLog log = new RunLog(config.output(), resume, json, global.quiet);
                TensorBoardFile tensorBoard = new TensorBoardFile(config.output());
                Trainer trainer = new Trainer(inputs, model, new TrainingListeners(List.of(log, tensorBoard)), peak);
                Interrupts interrupts = Interrupts.onFirst(trainer::stop)) {
            if (resume) {
                trainer.resume();
            }
            RunConfigFile.write(spec, config.output()); // not before: a run that is not gone on with keeps its own
            Trainer.End end = trainer.run();
            log.finished(end);
            log.memory(plannedBytes(inputs, checked, model), ProcessMemory.peakBytes());
            return end == Trainer.End.STOPPED ? interrupts.code() : ExitCode.OK;
        }
    }

    private TrainedModel model(TrainConfig config, ModelLoader.Checked checked, Backend backend, int rows) {
        Optional<LoraFineTuning.Options> lora = options.lora();
        return lora.isPresent()
                ? new LoraFineTuning(checked, backend, lora.get(), config.seed(), rows, config.gradientCheckpointing())
                : new FullFineTuning(checked, backend, options.precision(), rows, config.gradientCheckpointing());
    }

    private long plannedBytes(CheckedData inputs, ModelLoader.Checked checked, TrainedModel model) {
        TrainConfig config = inputs.config();
        Optional<TrainingPlan.Lora> lora = model instanceof LoraFineTuning adapted
                ? Optional.of(new TrainingPlan.Lora(
                        LoraSize.of(checked.config(), adapted.adapterConfig()),
                        checked.weightBytes(
                                model.backend(), options.lora().orElseThrow().quantization())))
                : Optional.empty();
        TrainingPlan.Setup setup = new TrainingPlan.Setup(
                config.batch().microBatch(),
                inputs.data().rowTokens(),
                config.gradientCheckpointing(),
                options.precision().dtype(),
                lora,
                config.optimizer().state(),
                1);
        return TrainingPlan.of(checked.config(), setup).memory(0).total();
    }

    private void requireFreshOutput(Path output) {
        if (resume) {
            if (RunCheckpoint.all(output).isEmpty()) {
                System.err.printf("%s holds no checkpoint: starting at the beginning%n", output);
            }
        } else if (!RunCheckpoint.all(output).isEmpty()) {
            throw new InvalidModelException(
                    "%s: holds checkpoints of another run; go on with --resume, or choose another directory"
                            .formatted(output));
        }
    }
}
