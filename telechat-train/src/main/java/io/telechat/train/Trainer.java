// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.DivergedException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.training.TrainingFlops;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.GradientClipping;
import io.telechat.train.optimizer.MomentType;
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
    private final AtomicBoolean stop = new AtomicBoolean();
    private RunState initial;

    /**
     * Closes neither model nor data.
     *
     * @param peakFlops of the machine, per second, for reports; NaN if unknown
     */
    public Trainer(CheckedData checked, TrainedModel model, double peakFlops) {
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
        initial = RunCheckpoint.restore(config.output(), config.data(), initial, model, optimizer)
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
            listener.step(step(state));
            state = state.next(config.batch().samplesPerStep());
            boolean due = isDue(config.length().evaluationSteps(), state.step()) && trainedSamples < data.samples();
            state = due ? evaluate(state, listener) : state;
            boolean best = due && config.length().patience().isPresent() && state.bestStep() == state.step();
            if (best || isDue(config.length().saveSteps(), state.step())) {
                save(state, listener);
                saved = state.step();
            }
            if (stop.get()) {
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
        List<MicroBatch> batches = new ArrayList<>();
        List<int[]> samples = new ArrayList<>();
        for (int i = 0; i < config.batch().accumulation(); i++) {
            int[] indices = indices(state.samples() + (long) i * config.batch().microBatch());
            samples.add(indices);
            batches.add(batch(indices));
        }
        model.clearGradients();
        double loss = learn(batches, state.step() * config.batch().accumulation());
        if (!Double.isFinite(loss)) {
            throw diverged(state.step() + 1, Message.of("the loss is %s", loss), samples);
        }
        double norm = optimizer.gradientNorm();
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
        long tokens = (long) config.batch().samplesPerStep() * data.rowTokens();
        double flops = batches.stream()
                .mapToDouble(b -> TrainingFlops.of(model.config(), b.batch(), model.weightsBackward()))
                .sum();
        return new StepReport(
                state.step() + 1,
                loss,
                rate,
                norm,
                tokens,
                seconds,
                flops / seconds / peakFlops,
                ProcessMemory.residentBytes());
    }

    /** Learns from the micro-batches of a step, of which the first has the number {@code first} in the run. */
    private double learn(List<MicroBatch> batches, long first) {
        long counted = batches.stream().mapToLong(MicroBatch::counted).sum();
        double loss = 0;
        for (int i = 0; i < batches.size(); i++) {
            loss += model.forwardBackward(batches.get(i), weight(batches.get(i), counted, batches.size()), first + i);
        }
        model.gathered();
        return loss;
    }

    /** All counted tokens weigh the same, or, as in the reference, all micro-batches. */
    private double weight(MicroBatch batch, long counted, long batches) {
        return config.objective().perToken() ? 1.0 / counted : 1.0 / batch.counted() / batches;
    }

    private int[] indices(long before) {
        int[] indices = new int[config.batch().microBatch()];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = order.sample(before + i);
        }
        return indices;
    }

    private MicroBatch batch(int... indices) {
        List<TrainingData.Sample> samples = new ArrayList<>();
        for (int index : indices) {
            samples.add(data.sample(index));
        }
        return MicroBatch.of(samples, config.objective(), ropes);
    }

    private Message firstBadGradient() {
        return optimizer.states().stream()
                .filter(s -> !Double.isFinite(model.backend()
                        .gradOps()
                        .sumOfSquares(List.of(s.parameter().gradient()))))
                .findFirst()
                .map(s -> Message.of(
                        "the gradient of '%s' is not a number", s.parameter().name()))
                .orElseGet(() -> Message.of("the gradients are too large"));
    }

    private DivergedException diverged(long step, Message what, List<int[]> samples) {
        String ids = samples.stream().map(Arrays::toString).toList().toString();
        return new DivergedException(
                "step %d: %s, with samples %s of %s; lower --learning-rate, or look at the samples with telechat"
                        + " inspect-data",
                step, what, ids, config.data());
    }

    /** One micro-batch after the other; the last may be filled up with samples that do not count. */
    private RunState evaluate(RunState state, TrainingListener listener) {
        int micro = config.batch().microBatch();
        long counted = 0;
        for (int i = trainedSamples; i < data.samples(); i++) {
            counted += MicroBatch.counted(data.sample(i), config.objective());
        }
        long batches = Math.ceilDiv(data.samples() - trainedSamples, micro);
        double loss = 0;
        for (int i = trainedSamples; i < data.samples(); i += micro) {
            int[] indices = new int[micro];
            for (int j = 0; j < micro; j++) {
                indices[j] = Math.min(i + j, data.samples() - 1);
            }
            MicroBatch batch = batch(indices).firstOnly(Math.min(micro, data.samples() - i), data.rowTokens());
            loss += batch.counted() == 0 ? 0 : model.loss(batch, weight(batch, counted, batches));
        }
        listener.evaluated(state.step(), loss);
        return state.measured(loss);
    }

    private void save(RunState state, TrainingListener listener) throws IOException {
        Path checkpoint = RunCheckpoint.save(config.output(), model, optimizer, state);
        RunCheckpoint.keepNewest(config.output(), config.length().saveLimit(), state.bestStep());
        listener.saved(checkpoint);
    }

    @Override
    public void close() {
        optimizer.close();
    }
}
