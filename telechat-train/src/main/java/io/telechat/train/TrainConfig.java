// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.backend.BackendChoice;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.train.optimizer.AdamW;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a run is asked for. Numbers that no run can be made with are refused where they are given, under the names that they
 * have on the command line.
 *
 * @param model checkpoint to start from
 * @param data directory of samples
 * @param output directory of the run
 * @param method what of the model is trained
 * @param backend what computes
 * @param batch how samples become steps
 * @param objective what counts in the loss
 * @param optimizer of the updates
 * @param rate of the updates
 * @param length when the run ends, and when it saves
 * @param seed of every random choice
 * @param gradientCheckpointing whether layers are computed twice to save memory
 */
public record TrainConfig(
        Path model,
        Path data,
        Path output,
        TuningMethod method,
        BackendChoice backend,
        Batching batch,
        Objective objective,
        AdamW.Settings optimizer,
        Rate rate,
        Length length,
        long seed,
        boolean gradientCheckpointing) {
    /** Where none is given. */
    public static final long STANDARD_SEED = 42;

    private static final Message AT_LEAST_0 = Message.of("at least 0");
    private static final Message AT_LEAST_1 = Message.of("at least 1");
    private static final Message ABOVE_0 = Message.of("above 0");

    /**
     * @param microBatch samples that are computed at once
     * @param accumulation micro-batches whose gradients make up an update
     * @param shuffled whether each epoch has an order of its own
     */
    public record Batching(int microBatch, int accumulation, boolean shuffled) {
        /** One sample a step. */
        public static final Batching STANDARD = new Batching(1, 1, true);

        public Batching {
            require(microBatch >= 1, "--per-device-train-batch-size", microBatch, AT_LEAST_1);
            require(accumulation >= 1, "--gradient-accumulation-steps", accumulation, AT_LEAST_1);
        }

        int samplesPerStep() {
            return microBatch * accumulation;
        }
    }

    /**
     * @param masked whether only the tokens of the data's loss mask count, or all
     * @param perToken whether all counted tokens of an update weigh the same; otherwise all micro-batches do, as in the
     *     reference
     * @param isolated whether the dialogs of a sample are kept apart; otherwise a sample is one sequence, padding included,
     *     as in the reference
     */
    public record Objective(boolean masked, boolean perToken, boolean isolated) {
        /** Answers only, every token weighs the same, dialogs of a sample do not see each other. */
        public static final Objective STANDARD = new Objective(true, true, true);

        /** As main.py of TeleChat-52B trains: everything counts, and a sample is one sequence. */
        public static final Objective REFERENCE = new Objective(false, false, false);
    }

    /**
     * @param schedule name of the schedule
     * @param warmup steps, if given; otherwise {@code warmupProportion} of all steps
     * @param scheduleSteps steps for which the schedule is made, if not those of the run
     * @param clip largest norm of the gradients
     */
    public record Rate(
            double peak,
            String schedule,
            OptionalLong warmup,
            double warmupProportion,
            OptionalLong scheduleSteps,
            double clip) {
        /** A cosine from 3e-5, behind a tenth of the steps in which it rises; gradients clipped to 1. */
        public static final Rate STANDARD =
                new Rate(3e-5, "cosine", OptionalLong.empty(), 0.1, OptionalLong.empty(), 1);

        public Rate {
            require(peak >= 0 && peak < Double.MAX_VALUE, "--learning-rate", peak, AT_LEAST_0);
            warmup.ifPresent(n -> require(n >= 0, "--warmup-steps", n, AT_LEAST_0));
            require(
                    warmupProportion >= 0 && warmupProportion <= 1,
                    "--warmup-proportion",
                    warmupProportion,
                    Message.of("from 0 to 1"));
            scheduleSteps.ifPresent(n -> require(n >= 1, "--schedule-steps", n, AT_LEAST_1));
            require(clip > 0, "--max-grad-norm", clip, ABOVE_0);
        }

        public Rate withPeak(double rate) {
            return new Rate(rate, schedule, warmup, warmupProportion, scheduleSteps, clip);
        }

        /** @param name linear, cosine, cosine_with_restarts, polynomial, constant or constant_with_warmup */
        public Rate withSchedule(String name) {
            return new Rate(peak, name, warmup, warmupProportion, scheduleSteps, clip);
        }

        public Rate withWarmup(long steps) {
            return new Rate(peak, schedule, OptionalLong.of(steps), warmupProportion, scheduleSteps, clip);
        }
    }

    /**
     * @param epochs passes over the data
     * @param maxSteps updates at most
     * @param saveSteps updates between checkpoints; 0 saves at the end only
     * @param saveLimit checkpoints that are kept
     * @param evaluationShare of the samples that are never trained but measured
     * @param evaluationSteps updates between measurements
     * @param patience measurements without improvement after which the run ends
     */
    public record Length(
            double epochs,
            OptionalLong maxSteps,
            long saveSteps,
            int saveLimit,
            double evaluationShare,
            long evaluationSteps,
            Optional<Integer> patience) {
        /** Once through the data, saved at the end. */
        public static final Length STANDARD = new Length(1, OptionalLong.empty(), 0, 2, 0, 100, Optional.empty());

        public Length {
            require(epochs > 0 && epochs < Integer.MAX_VALUE, "--num-train-epochs", epochs, ABOVE_0);
            maxSteps.ifPresent(n -> require(n >= 1, "--max-steps", n, AT_LEAST_1));
            require(saveSteps >= 0, "--save-steps", saveSteps, AT_LEAST_0);
            require(saveLimit >= 1, "--save-total-limit", saveLimit, AT_LEAST_1);
            require(
                    evaluationShare >= 0 && evaluationShare < 1,
                    "--eval-split",
                    evaluationShare,
                    Message.of("from 0 to below 1"));
            require(evaluationSteps >= 1, "--eval-steps", evaluationSteps, AT_LEAST_1);
            patience.ifPresent(n -> require(n >= 1, "--early-stop", n, AT_LEAST_1));
            if (patience.isPresent() && evaluationShare == 0) {
                throw new InvalidRequestException("--early-stop: needs samples to measure; add --eval-split");
            }
        }

        public Length withEpochs(double count) {
            return new Length(count, maxSteps, saveSteps, saveLimit, evaluationShare, evaluationSteps, patience);
        }

        public Length withMaxSteps(long steps) {
            return new Length(
                    epochs, OptionalLong.of(steps), saveSteps, saveLimit, evaluationShare, evaluationSteps, patience);
        }

        /** Saves so often, and keeps so many of the latest. */
        public Length withSaving(long steps, int limit) {
            return new Length(epochs, maxSteps, steps, limit, evaluationShare, evaluationSteps, patience);
        }

        /** Keeps a share of the samples back and measures the loss on them so often. */
        public Length withEvaluation(double share, long steps) {
            return new Length(epochs, maxSteps, saveSteps, saveLimit, share, steps, patience);
        }

        /** Ends after so many measurements without improvement. */
        public Length withPatience(int measurements) {
            return new Length(
                    epochs,
                    maxSteps,
                    saveSteps,
                    saveLimit,
                    evaluationShare,
                    evaluationSteps,
                    Optional.of(measurements));
        }
    }

    /**
     * A run with the command line's defaults.
     *
     * {@snippet file="snippets/TrainSnippetsTest.java" region="train"}
     *
     * @param model checkpoint to start from
     * @param data directory of samples
     * @param output directory of the run
     */
    public static TrainConfig of(Path model, Path data, Path output) {
        return new TrainConfig(
                model,
                data,
                output,
                new TuningMethod.Full(DType.F32, Rounding.NEAREST),
                BackendChoice.best(),
                Batching.STANDARD,
                Objective.STANDARD,
                AdamW.Settings.reference(AdamW.Settings.STANDARD_DECAY),
                Rate.STANDARD,
                Length.STANDARD,
                STANDARD_SEED,
                false);
    }

    public TrainConfig withMethod(TuningMethod other) {
        return with(other, batch, objective, optimizer, rate, length, seed, gradientCheckpointing);
    }

    public TrainConfig withBatch(int samplesAtOnce, int accumulated) {
        Batching other = new Batching(samplesAtOnce, accumulated, batch.shuffled());
        return with(method, other, objective, optimizer, rate, length, seed, gradientCheckpointing);
    }

    public TrainConfig withObjective(Objective other) {
        return with(method, batch, other, optimizer, rate, length, seed, gradientCheckpointing);
    }

    public TrainConfig withOptimizer(AdamW.Settings other) {
        return with(method, batch, objective, other, rate, length, seed, gradientCheckpointing);
    }

    public TrainConfig withRate(Rate other) {
        return with(method, batch, objective, optimizer, other, length, seed, gradientCheckpointing);
    }

    public TrainConfig withLength(Length other) {
        return with(method, batch, objective, optimizer, rate, other, seed, gradientCheckpointing);
    }

    public TrainConfig withSeed(long number) {
        return with(method, batch, objective, optimizer, rate, length, number, gradientCheckpointing);
    }

    public TrainConfig withGradientCheckpointing() {
        return with(method, batch, objective, optimizer, rate, length, seed, true);
    }

    private TrainConfig with(
            TuningMethod itsMethod,
            Batching itsBatch,
            Objective itsObjective,
            AdamW.Settings itsOptimizer,
            Rate itsRate,
            Length itsLength,
            long itsSeed,
            boolean checkpointing) {
        return new TrainConfig(
                model,
                data,
                output,
                itsMethod,
                backend,
                itsBatch,
                itsObjective,
                itsOptimizer,
                itsRate,
                itsLength,
                itsSeed,
                checkpointing);
    }

    /** The same with so many threads. */
    public TrainConfig withThreads(int threads) {
        return new TrainConfig(
                model,
                data,
                output,
                method,
                backend.withThreads(threads),
                batch,
                objective,
                optimizer,
                rate,
                length,
                seed,
                gradientCheckpointing);
    }

    private static void require(boolean holds, String name, Object value, Message rule) {
        if (!holds) {
            throw new InvalidRequestException("%s %s: must be %s", name, value, rule);
        }
    }
}
