// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.DivergedException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.comm.Communicator;
import io.telechat.core.training.TrainingFlops;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.GradientClipping;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.optimizer.TrainedTensor;
import io.telechat.train.resume.RunCheckpoint;
import io.telechat.train.resume.RunRecipe;
import io.telechat.train.resume.RunState;
import io.telechat.train.schedule.LrSchedule;
import io.telechat.train.schedule.LrSchedules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;

/**
 * The loop: forward and backward over the micro-batches of a step, clip, update, report, and now and then measure and save.
 * What a step does is a function of the configuration, the data and the checkpoint before it, so a run that was killed goes on
 * to the same bits.
 */
public final class Trainer implements AutoCloseable {
    private final TrainConfig config;
    private final TrainedModel model;
    private final TrainingData data;
    private final AdamW optimizer;
    private final RopeTables ropes;
    private final SampleOrder order;
    private final int trainedSamples;
    private final long totalSteps;
    private final long scheduleSteps;
    private final long warmup;
    private final LrSchedule schedule;
    private final double peakFlops;
    private final Communicator ranks;
    private final Division division;
    private final AtomicBoolean stop = new AtomicBoolean();
    private RunState initial;

    /** A run of one process, see the other constructor. */
    public Trainer(CheckedData checked, TrainedModel model, double peakFlops) {
        this(checked, model, peakFlops, Parallelism.alone());
    }

    /**
     * Closes neither model nor data nor ranks.
     *
     * @param peakFlops of the machine, per second, for reports; NaN if unknown
     * @param parallelism how many train together
     */
    public Trainer(CheckedData checked, TrainedModel model, double peakFlops, Parallelism parallelism) {
        this.ranks = parallelism.ranks();
        this.division = new Division(
                ranks.rank(), ranks.size(), checked.config().batch().microBatch());
        this.config = checked.config();
        this.model = model;
        this.data = checked.data();
        this.peakFlops = peakFlops;
        this.trainedSamples = checked.trainedSamples();
        this.ropes = new RopeTables(model.config());
        TrainConfig.Length length = config.length();
        this.order = new SampleOrder(trainedSamples, config.batch().shuffled(), config.seed());
        long perEpoch = Math.ceilDiv(
                Math.ceilDiv(trainedSamples, config.batch().microBatch()),
                config.batch().accumulation());
        long planned = (long) Math.ceil(length.epochs() * perEpoch);
        this.totalSteps = length.maxSteps().orElse(planned);
        TrainConfig.Rate rate = config.rate();
        this.scheduleSteps = rate.scheduleSteps().orElse(totalSteps);
        this.warmup = rate.warmup().orElse((long) (rate.warmupProportion() * scheduleSteps));
        this.schedule = LrSchedules.of(rate.schedule(), rate.peak(), warmup, scheduleSteps);
        this.optimizer = new AdamW(model.backend(), config.optimizer(), model.trained());
        this.initial = new RunState(0, 0, Double.POSITIVE_INFINITY, 0, 0, recipe(), data.fingerprint());
    }

    /** Asks the run to finish its step, save, and end. For any thread. */
    public void stop() {
        stop.set(true);
    }

    /**
     * Lets {@link #run} go on from the newest checkpoint of the output directory, if there is one. Changes nothing there.
     *
     * @throws InvalidModelException if the checkpoint is damaged, or of a run with another recipe or other samples
     */
    public void resume() {
        initial = RunCheckpoint.restore(config.output(), config.data(), initial, model, optimizer, ranks)
                .orElse(initial);
    }

    /**
     * @param listener hears of every step while it runs
     * @throws DivergedException if the loss is not a number any more
     * @throws InvalidModelException if a checkpoint cannot be written
     */
    public RunEnd run(TrainingListener listener) throws IOException {
        RunState state = initial;
        listener.started(state.step(), totalSteps);
        long saved = state.step();
        RunEnd end = RunEnd.COMPLETE;
        while (state.step() < totalSteps) {
            if (isHopeless(state)) {
                end = RunEnd.NO_IMPROVEMENT;
                break;
            }
            StepReport report = step(state);
            listener.step(report);
            state = state.next(config.batch().samplesPerStep());
            boolean due = isDue(config.length().evaluationSteps(), state.step()) && trainedSamples < data.samples();
            state = due ? evaluate(state, listener) : state;
            boolean best = due && config.length().patience().isPresent() && state.bestStep() == state.step();
            if (best || isDue(config.length().saveSteps(), state.step())) {
                save(state, listener);
                saved = state.step();
            }
            if (ranks.sum(stop.get() ? 1 : 0)[0] > 0) {
                end = RunEnd.STOPPED;
                break;
            }
        }
        if (saved != state.step()) {
            save(state, listener);
        }
        Path best = RunCheckpoint.directory(config.output(), state.bestStep());
        if (state.bestStep() > 0 && Files.isDirectory(best)) {
            listener.best(best, state.bestEvaluation());
        }
        return end;
    }

    private boolean isHopeless(RunState state) {
        return config.length().patience().isPresent()
                && state.evaluationsSinceBest() >= config.length().patience().get();
    }

    private static boolean isDue(long every, long step) {
        return every > 0 && step % every == 0;
    }

    /** What decides on the steps, by its names; a run cannot go on with another. */
    private JsonNode recipe() {
        Map<String, Object> recipe = new LinkedHashMap<>();
        recipe.put("batch", config.batch());
        recipe.put("objective", config.objective());
        recipe.put("beta1", config.optimizer().beta1());
        recipe.put("beta2", config.optimizer().beta2());
        recipe.put("epsilon", config.optimizer().epsilon());
        recipe.put("weight_decay", config.optimizer().weightDecay());
        if (config.optimizer().state() != MomentType.F32) {
            recipe.put("optimizer_state", config.optimizer().state().toString());
        }
        recipe.put("learning_rate", config.rate().peak());
        recipe.put("schedule", config.rate().schedule());
        recipe.put("warmup_steps", warmup);
        recipe.put("schedule_steps", scheduleSteps);
        recipe.put("max_grad_norm", config.rate().clip());
        recipe.put("samples", data.samples());
        recipe.put("trained_samples", trainedSamples);
        recipe.put("row_tokens", data.rowTokens());
        recipe.put("seed", config.seed());
        recipe.putAll(model.recipe());
        return RunRecipe.of(recipe);
    }

    private StepReport step(RunState state) {
        long start = System.nanoTime();
        int[] samples = new int[config.batch().samplesPerStep()];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = order.sample(state.samples() + i);
        }
        List<Division.Pass> passes = division.of(samples, weights(samples), division.perPass(samples.length));
        model.clearGradients();
        double flops = 0;
        double local = 0;
        long first = (state.step() * ranks.size() + ranks.rank()) * passes.size();
        for (int i = 0; i < passes.size(); i++) {
            MicroBatch batch = batch(passes.get(i).samples());
            flops += TrainingFlops.of(model.config(), batch.batch(), model.weightsBackward());
            local += model.forwardBackward(batch, passes.get(i).weights(), first + i);
        }
        model.gathered();
        double loss = ranks.sum(local)[0];
        if (!Double.isFinite(loss)) {
            throw diverged(state.step() + 1, Message.of("the loss is %s", loss), samples);
        }
        double norm = Math.sqrt(model.total(optimizer.sumOfSquares()));
        if (!Double.isFinite(norm)) {
            throw diverged(state.step() + 1, firstBadGradient(), samples);
        }
        double rate = schedule.at(state.step());
        optimizer.step(
                state.step() + 1,
                rate,
                GradientClipping.scale(norm, config.rate().clip()));
        model.updated(state.step() + 1);
        double seconds = (System.nanoTime() - start) / 1e9;
        return new StepReport(
                state.step() + 1,
                loss,
                rate,
                norm,
                (long) samples.length * data.rowTokens(),
                seconds,
                flops / seconds / peakFlops,
                ProcessMemory.residentBytes());
    }

    /**
     * What each sample's counted tokens weigh: all the same, or, as in the reference, so that all micro-batches do. A micro-batch is
     * so many samples in order, whichever rank computes them.
     */
    private double[] weights(int[] samples) {
        long[] counted = new long[samples.length];
        long all = 0;
        for (int i = 0; i < samples.length; i++) {
            counted[i] = MicroBatch.counted(data.sample(samples[i]), config.objective());
            all += counted[i];
        }
        double[] weights = new double[samples.length];
        int micro = config.batch().microBatch();
        long batches = Math.ceilDiv(samples.length, micro);
        for (int from = 0; from < samples.length; from += micro) {
            int to = Math.min(samples.length, from + micro);
            long together = Arrays.stream(counted, from, to).sum();
            double weight = config.objective().perToken() ? 1.0 / all : 1.0 / together / batches;
            Arrays.fill(weights, from, to, weight);
        }
        return weights;
    }

    private MicroBatch batch(int... indices) {
        List<TrainingData.Sample> samples = new ArrayList<>();
        for (int index : indices) {
            samples.add(data.sample(index));
        }
        return MicroBatch.of(samples, config.objective(), ropes);
    }

    /** Of all ranks' gradients. */
    private Message firstBadGradient() {
        List<String> names = model.tensors().stream().map(TrainedTensor::name).toList();
        int first = optimizer.states().stream()
                .filter(s -> !Double.isFinite(model.backend()
                        .gradOps()
                        .sumOfSquares(List.of(s.parameter().gradient()))))
                .mapToInt(s -> names.indexOf(s.parameter().name()))
                .min()
                .orElse(names.size());
        int ofAll = (int) Arrays.stream(ranks.gather(first))
                .mapToDouble(of -> of[0])
                .min()
                .orElse(first);
        return ofAll < names.size()
                ? Message.of("the gradient of '%s' is not a number", names.get(ofAll))
                : Message.of("the gradients are too large");
    }

    private DivergedException diverged(long step, Message what, int[] samples) {
        List<String> batches = new ArrayList<>();
        int micro = config.batch().microBatch();
        for (int from = 0; from < samples.length; from += micro) {
            batches.add(Arrays.toString(Arrays.copyOfRange(samples, from, Math.min(samples.length, from + micro))));
        }
        return new DivergedException(
                "step %d: %s, with samples %s of %s; lower --learning-rate, or look at the samples with telechat"
                        + " inspect-data",
                step, what, batches, config.data());
    }

    /** One micro-batch after the other, as large as those that are trained. */
    private RunState evaluate(RunState state, TrainingListener listener) {
        double loss = evaluate();
        listener.evaluated(state.step(), loss);
        return state.measured(loss);
    }

    /** The loss of the samples that are kept back, with the parameters as they are. */
    double evaluate() {
        int[] samples = IntStream.range(trainedSamples, data.samples()).toArray();
        double local = 0;
        for (Division.Pass pass : division.of(
                samples, weights(samples), division.perPass(config.batch().samplesPerStep()))) {
            local += model.loss(batch(pass.samples()), pass.weights());
        }
        return ranks.sum(local)[0];
    }

    private void save(RunState state, TrainingListener listener) throws IOException {
        Path checkpoint = RunCheckpoint.save(config.output(), model, optimizer, state, ranks);
        if (ranks.rank() == 0) {
            RunCheckpoint.keepNewest(config.output(), config.length().saveLimit(), state.bestStep());
            listener.saved(checkpoint);
        }
    }

    @Override
    public void close() {
        optimizer.close();
    }
}
