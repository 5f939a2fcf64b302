// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.backend.CloseGuard;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.RankException;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.OptimizerMemory;
import io.telechat.train.plan.TrainingPlan;
import io.telechat.train.resume.RunCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run with all that it needs: its data and model, both checked before anything is loaded, and the output directory to itself.
 *
 * {@snippet file="snippets/TrainSnippetsTest.java" region="train"}
 */
public final class TrainRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainRun.class);

    /** What is to be closed, last first. */
    private final Deque<Cleanup> cleanup = new ArrayDeque<>();

    private final CloseGuard guard = CloseGuard.of(this, "a TrainRun");
    private final TrainConfig config;
    private final Parallelism parallelism;
    private final Trainer trainer;

    private interface Cleanup {
        void run() throws IOException;
    }

    private TrainRun(TrainConfig config, Parallelism parallelism, boolean resume) {
        this.config = config;
        this.parallelism = parallelism;
        try {
            if (parallelism.isFirst()) {
                requireFreshOutput(resume);
            }
            TrainingData data = TrainingData.open(config.data());
            cleanup.push(data::close);
            ModelLoader.Checked checked =
                    ModelLoader.check(config.model(), config.method().ofGguf());
            cleanup.push(checked::close);
            CheckedData inputs = CheckedData.of(config, checked.config(), data);
            if (parallelism.isFirst()) {
                takeOutput(); // now, for to load a model takes a while
                requireFreshOutput(resume); // another run may have ended meanwhile
            }
            requireSameInputs(inputs, checked);
            TrainedModel model = model(inputs, checked);
            cleanup.push(model::close);
            double peakFlops = parallelism.isFirst() ? peakFlops(model.backend(), config.method()) : Double.NaN;
            LOG.info(
                    "{}: {} samples of {} tokens, {} of them trained; {}; {}",
                    config.data(),
                    data.samples(),
                    data.rowTokens(),
                    inputs.trainedSamples(),
                    config.method(),
                    model.backend().description());
            this.trainer = new Trainer(inputs, model, peakFlops, parallelism);
            cleanup.push(trainer::close);
            if (resume) {
                trainer.resume();
            }
        } catch (RuntimeException | Error e) {
            closeAfter(e);
            throw e;
        }
    }

    /**
     * A run from the beginning.
     *
     * @throws InvalidRequestException if another run has the output directory, or the backend cannot be used
     * @throws InvalidModelException if that holds checkpoints, or the model cannot be trained
     * @throws io.telechat.core.InvalidInputException if the data cannot be trained
     */
    public static TrainRun open(TrainConfig config) {
        return open(config, Parallelism.alone());
    }

    /** The same as one of several ranks, all of which open it. */
    public static TrainRun open(TrainConfig config, Parallelism parallelism) {
        return new TrainRun(config, parallelism, false);
    }

    /**
     * A run that goes on from the newest checkpoint of its output directory, if there is one.
     *
     * @throws InvalidRequestException likewise
     * @throws InvalidModelException if the model cannot be trained, or the checkpoint is damaged, or of a run with another
     *     recipe or other samples
     * @throws io.telechat.core.InvalidInputException likewise
     */
    public static TrainRun resume(TrainConfig config) {
        return resume(config, Parallelism.alone());
    }

    /** The same as one of several ranks, all of which resume it. */
    public static TrainRun resume(TrainConfig config, Parallelism parallelism) {
        return new TrainRun(config, parallelism, true);
    }

    private void requireFreshOutput(boolean resume) {
        if (!resume && !RunCheckpoint.all(config.output()).isEmpty()) {
            throw new InvalidModelException(
                    "%s: holds checkpoints of another run; go on with --resume, or choose another directory",
                    config.output());
        }
    }

    /** Ranks that were given other data would train something that nobody asked for. */
    private void requireSameInputs(CheckedData inputs, ModelLoader.Checked checked) {
        Communicator ranks = parallelism.ranks();
        if (ranks.size() == 1) {
            return;
        }
        int model = checked.checkpoint().fingerprint().hashCode();
        double[][] all = ranks.gather(inputs.data().fingerprint().hashCode(), model);
        for (int r = 1; r < ranks.size(); r++) {
            if (all[r][0] != all[0][0]) {
                throw new RankException("%s: rank %d has other samples than rank 0", config.data(), r);
            }
            if (all[r][1] != all[0][1]) {
                throw new RankException("%s: rank %d has another model than rank 0", config.model(), r);
            }
        }
    }

    private void takeOutput() {
        Path output = config.output();
        try {
            if (Files.notExists(output)) {
                Files.createDirectories(output);
                cleanup.push(output.toFile()::delete); // which does so to an empty directory only
            }
            RunLock lock = RunLock.take(output);
            cleanup.push(lock::close);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private int samplesAtOnce() {
        Communicator ranks = parallelism.ranks();
        return new Division(ranks.rank(), ranks.size(), config.batch().microBatch())
                .perPass(config.batch().samplesPerStep());
    }

    /** What {@code telechat plan} would have told of this rank. */
    public long plannedBytes() {
        return TrainingPlan.of(config, parallelism.ranks().size(), samplesAtOnce())
                .memory(parallelism.stage().ordinal())
                .total();
    }

    private static double peakFlops(Backend backend, TuningMethod method) {
        return backend.measureFlops(method.dtype()).orElse(Double.NaN);
    }

    private TrainedModel model(CheckedData inputs, ModelLoader.Checked checked) {
        int rows = samplesAtOnce() * inputs.data().rowTokens();
        Communicator ranks = parallelism.ranks();
        Backend backend = Backends.open(config.backend().forRank(ranks.numberHere()));
        try {
            if (!parallelism.isAlone()) {
                backend.connect(ranks);
            }
            return switch (config.method()) {
                case TuningMethod.Full full ->
                    new FullFineTuning(
                            checked,
                            backend,
                            full,
                            config.seed(),
                            rows,
                            config.gradientCheckpointing(),
                            parallelism,
                            new OptimizerMemory(config.optimizer().offload()));
                case TuningMethod.Lora lora ->
                    new LoraFineTuning(
                            checked, backend, lora, config.seed(), rows, config.gradientCheckpointing(), parallelism);
            };
        } catch (RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    /** How many train together. */
    public Parallelism parallelism() {
        return parallelism;
    }

    /** Asks the run to finish its step, save, and end. For any thread. */
    public void stop() {
        trainer.stop();
    }

    /**
     * Trains to the end.
     *
     * @param listener hears of every step while it runs
     * @throws io.telechat.core.DivergedException if the loss is not a number any more
     * @throws InvalidModelException if a checkpoint cannot be written
     */
    public RunEnd run(TrainingListener listener) {
        try {
            return trainer.run(listener);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /**
     * The loss of the samples that {@link TrainConfig.Length#evaluationShare} keeps back, with the parameters as they are; in nats per
     * token, as the listener hears of it while the run goes on. Before or after {@link #run}, on all ranks.
     *
     * @throws InvalidRequestException if no samples are kept back
     */
    public double evaluate() {
        if (config.length().evaluationShare() == 0) {
            throw new InvalidRequestException("there is nothing to evaluate: no share of the samples is kept back");
        }
        return trainer.evaluate();
    }

    private InvalidModelException unwritable(IOException failure) {
        return new InvalidModelException(failure, "%s: cannot be written: %s", config.output(), IoReason.of(failure));
    }

    private void closeAfter(Throwable failure) {
        try {
            close();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        guard.close();
        while (!cleanup.isEmpty()) {
            try {
                cleanup.pop().run();
            } catch (IOException e) {
                throw unwritable(e);
            }
        }
    }
}
