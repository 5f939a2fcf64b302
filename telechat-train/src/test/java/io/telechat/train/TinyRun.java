// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.backend.BackendChoice;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;

/** A run of a few steps over a model and data made on the spot; each test varies one thing. */
final class TinyRun {
    /** What a run did, as its listener heard it. */
    record Result(RunEnd end, List<StepReport> steps, List<Double> evaluations, List<Path> saved, Optional<Path> best) {
        List<Double> losses() {
            return steps.stream().map(StepReport::loss).toList();
        }
    }

    private static final long SEED = 7;

    private Path model;
    private Path data;
    private Path output;
    private String backend = "cpu";
    private int threads = 1;
    TuningMethod.Full method = new TuningMethod.Full(DType.F32, Rounding.NEAREST);
    /** In place of the method above. */
    Optional<TuningMethod.Lora> adapters = Optional.empty();

    private boolean checkpointing;
    private TrainConfig.Batching batch = new TrainConfig.Batching(2, 1, true);
    private TrainConfig.Objective objective = new TrainConfig.Objective(true, true, true);
    private AdamW.Settings optimizer = AdamW.Settings.reference(0.1);
    private TrainConfig.Rate rate = new TrainConfig.Rate(0.01, "cosine", OptionalLong.of(1), 0, OptionalLong.of(6), 1);
    private OptionalLong maxSteps = OptionalLong.of(6);
    private long saveSteps;
    private int saveLimit = 2;
    private double evaluationShare;
    private Optional<Integer> patience = Optional.empty();
    private BiConsumer<Trainer, StepReport> afterStep = (trainer, report) -> {};

    /** Over a model of the 52B's architecture and 8 samples, made in this directory if they are not there. */
    TinyRun(Path directory) throws IOException {
        model = directory.resolve("model");
        if (!Files.exists(model)) {
            TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 5);
            TinySamples.write(directory.resolve("data"), TinySamples.random(8, 1));
        }
        data = directory.resolve("data");
        output = Files.createTempDirectory(directory, "run");
    }

    TinyRun model(Path directory) {
        model = directory;
        return this;
    }

    TinyRun data(Path directory) {
        data = directory;
        return this;
    }

    TinyRun output(Path directory) {
        output = directory;
        return this;
    }

    TinyRun backend(String name, int count) {
        backend = name;
        threads = count;
        return this;
    }

    TinyRun checkpointing() {
        checkpointing = true;
        return this;
    }

    TinyRun batch(int microBatch, int accumulation) {
        batch = new TrainConfig.Batching(microBatch, accumulation, batch.shuffled());
        return this;
    }

    TinyRun sequential() {
        batch = new TrainConfig.Batching(batch.microBatch(), batch.accumulation(), false);
        return this;
    }

    TinyRun objective(boolean masked, boolean perToken, boolean isolated) {
        objective = new TrainConfig.Objective(masked, perToken, isolated);
        return this;
    }

    TinyRun optimizer(AdamW.Settings settings) {
        optimizer = settings;
        return this;
    }

    TinyRun rate(TrainConfig.Rate newRate) {
        rate = newRate;
        return this;
    }

    TinyRun peak(double value) {
        return rate(new TrainConfig.Rate(
                value, rate.schedule(), rate.warmup(), rate.warmupProportion(), rate.scheduleSteps(), rate.clip()));
    }

    TinyRun scheduleOfRun() {
        return rate(new TrainConfig.Rate(
                rate.peak(), rate.schedule(), rate.warmup(), rate.warmupProportion(), OptionalLong.empty(), 1));
    }

    TinyRun maxSteps(long steps) {
        maxSteps = OptionalLong.of(steps);
        return this;
    }

    TinyRun saves(long every, int limit) {
        saveSteps = every;
        saveLimit = limit;
        return this;
    }

    TinyRun evaluates(double share, Optional<Integer> newPatience) {
        evaluationShare = share;
        patience = newPatience;
        return this;
    }

    TinyRun afterStep(BiConsumer<Trainer, StepReport> action) {
        afterStep = action;
        return this;
    }

    Path output() {
        return output;
    }

    Path checkpoint(int step) {
        return output.resolve("checkpoint-" + step);
    }

    TrainConfig config() {
        TrainConfig.Length length =
                new TrainConfig.Length(1, maxSteps, saveSteps, saveLimit, evaluationShare, 1, patience);
        TuningMethod chosen = adapters.isPresent() ? adapters.get() : method;
        return new TrainConfig(
                model, data, output, chosen, choice(), batch, objective, optimizer, rate, length, SEED, checkpointing);
    }

    private BackendChoice choice() {
        return new BackendChoice(Optional.of(backend), threads);
    }

    FullFineTuning open(ModelLoader.Checked checked, int rowTokens) {
        return new FullFineTuning(
                checked, Backends.open(choice()), method, SEED, batch.microBatch() * rowTokens, checkpointing);
    }

    Result run() throws IOException {
        return run(false);
    }

    Result resume() throws IOException {
        return run(true);
    }

    private Result run(boolean resume) throws IOException {
        try (TrainingData samples = TrainingData.open(data);
                FullFineTuning tuned = open(ModelLoader.check(model), samples.rowTokens())) {
            return run(resume, tuned, samples);
        }
    }

    /** Likewise, with a model that the caller opened. */
    Result run(boolean resume, TrainedModel tuned, TrainingData samples) throws IOException {
        Recorder recorder = new Recorder();
        try (Trainer trainer = new Trainer(CheckedData.of(config(), tuned.config(), samples), tuned, Double.NaN)) {
            recorder.trainer = trainer;
            if (resume) {
                trainer.resume();
            }
            RunEnd end = trainer.run(recorder);
            return new Result(end, recorder.steps, recorder.evaluations, recorder.saved, recorder.best);
        }
    }

    /** On ranks that are threads; what the first one sees. */
    List<StepReport> onRanks(int ranks, ZeroStage stage, boolean resume) {
        List<StepReport> steps = new ArrayList<>();
        LocalRanks.run(ranks, Duration.ofSeconds(60), communicator -> {
            Parallelism parallelism = new Parallelism(communicator, stage);
            try (TrainRun opened =
                    resume ? TrainRun.resume(config(), parallelism) : TrainRun.open(config(), parallelism)) {
                opened.run(communicator.rank() == 0 ? recorder(steps) : recorder(new ArrayList<>()));
            }
        });
        return steps;
    }

    /** Notes the steps. */
    TrainingListener recorder(List<StepReport> steps) {
        return new TrainingListener() {
            @Override
            public void started(long done, long total) {
                // The steps tell.
            }

            @Override
            public void step(StepReport report) {
                steps.add(report);
            }

            @Override
            public void evaluated(long step, double loss) {
                // Is not looked at.
            }

            @Override
            public void saved(Path checkpoint) {
                // Likewise.
            }

            @Override
            public void best(Path checkpoint, double loss) {
                // Likewise.
            }
        };
    }

    private final class Recorder implements TrainingListener {
        private final List<StepReport> steps = new ArrayList<>();
        private final List<Double> evaluations = new ArrayList<>();
        private final List<Path> saved = new ArrayList<>();
        private Optional<Path> best = Optional.empty();
        private Trainer trainer;

        @Override
        public void best(Path checkpoint, double loss) {
            best = Optional.of(checkpoint);
        }

        @Override
        public void started(long done, long total) {
            // The steps tell.
        }

        @Override
        public void step(StepReport report) {
            steps.add(report);
            afterStep.accept(trainer, report);
        }

        @Override
        public void evaluated(long step, double loss) {
            evaluations.add(loss);
        }

        @Override
        public void saved(Path checkpoint) {
            saved.add(checkpoint);
        }
    }
}
