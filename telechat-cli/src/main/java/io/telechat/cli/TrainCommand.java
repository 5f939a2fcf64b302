// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.launch.Mpirun;
import io.telechat.train.Parallelism;
import io.telechat.train.ProcessMemory;
import io.telechat.train.RunEnd;
import io.telechat.train.TrainConfig;
import io.telechat.train.TrainRun;
import io.telechat.train.TrainingListener;
import io.telechat.train.TrainingListeners;
import io.telechat.train.report.TensorBoardFile;
import io.telechat.train.resume.RunCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
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
        customSynopsis = "telechat train --model-path DIR --data-path DIR --output-dir DIR [OPTIONS]",
        footer = {
            "",
            "Example: telechat train --model-path TeleChat-12B --data-path data --output-dir run --lora-dim 8"
                    + " --weights q4 --gradient-checkpointing"
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
    private RankOptions ranks;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        ranks.check();
        TrainConfig config = options.config();
        if (RankProcess.isOne()) {
            return RankProcess.run(
                    Optional.of(config.output()),
                    RankProcess.PATIENCE,
                    rank -> train(config, rank.ranks(), Optional.of(rank)));
        }
        if (ranks.checksHosts()) {
            return new HostCheck(Mpirun.find(), ranks.hosts().sshPort(), config.model(), config.data())
                    .run(ranks.hosts().hosts());
        }
        if (ranks.hosts().startsProcesses()) {
            return new RankLauncher(spec, ranks.hosts(), config.output().resolve("logs/mpirun.log")).run();
        }
        if (ranks.simulated() == 1) {
            return train(config, Parallelism.alone().ranks(), Optional.empty());
        }
        AtomicInteger code = new AtomicInteger();
        TrainConfig shared = config.withThreads(Math.max(1, config.backend().threads() / ranks.simulated()));
        LocalRanks.run(ranks.simulated(), Duration.ofHours(1), rank -> {
            int of = train(shared, rank, Optional.empty());
            if (rank.rank() == 0) {
                code.set(of);
            }
        });
        return code.get();
    }

    /** @param process of its own that this rank is */
    private int train(TrainConfig config, Communicator communicator, Optional<RankProcess> process) {
        Parallelism parallelism = new Parallelism(communicator, options.stage());
        boolean tells = parallelism.isFirst() && !global.quiet;
        if (resume && tells && RunCheckpoint.all(config.output()).isEmpty()) {
            System.err.println(Message.localized("%s holds no checkpoint: starting at the beginning", config.output()));
        }
        if (tells) {
            options.withoutEffect(communicator.size()).forEach(System.err::println);
        }
        try (TrainRun run = resume ? TrainRun.resume(config, parallelism) : TrainRun.open(config, parallelism)) {
            process.ifPresent(p -> p.onStop(Optional.of(run::stop)));
            if (!parallelism.isFirst()) {
                ProcessMemory.resetPeak();
                run.run(doing(process));
                return ExitCode.OK;
            }
            return train(config, run, process);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be written: %s", config.output(), IoReason.of(e));
        }
    }

    private int train(TrainConfig config, TrainRun run, Optional<RankProcess> process) throws IOException {
        try (RunLog log = new RunLog(config.output(), resume, json, global.quiet);
                TensorBoardFile tensorBoard = new TensorBoardFile(config.output());
                Interrupts interrupts = process.isEmpty() ? Interrupts.onFirst(run::stop) : Interrupts.none()) {
            ProcessMemory.resetPeak(); // measuring the machine took memory that the run does not
            RunConfigFile.write(spec, config.output()); // not before: a run that is not gone on with keeps its own
            RunEnd end = run.run(new TrainingListeners(List.of(log, tensorBoard, doing(process))));
            log.finished(end);
            if (run.parallelism().isAlone() || process.isPresent()) {
                log.memory(run.plannedBytes(), ProcessMemory.peakBytes());
            }
            // Of a rank, the launcher knows the signal.
            return end == RunEnd.STOPPED && process.isEmpty() ? interrupts.code() : ExitCode.OK;
        }
    }

    /** Says which step a rank is at, should it fail. */
    private static TrainingListener doing(Optional<RankProcess> process) {
        return new StepNote(step -> process.ifPresent(p -> p.doing("step " + step)));
    }
}
