// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.backend.BackendChoice;
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
    private static final Message AT_LEAST_0 = Message.of("at least 0");
    private static final Message AT_LEAST_1 = Message.of("at least 1");
    private static final Message ABOVE_0 = Message.of("above 0");

    /**
     * @param microBatch samples that are computed at once
     * @param accumulation micro-batches whose gradients make up an update
     * @param shuffled whether each epoch has an order of its own
     */
    public record Batching(int microBatch, int accumulation, boolean shuffled) {
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
    public record Objective(boolean masked, boolean perToken, boolean isolated) {}

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
    }

    /** The same with so many threads. */
    public TrainConfig withThreads(int threads) {
        return new TrainConfig(
                model,
                data,
                output,
                method,
                new BackendChoice(backend.name(), threads),
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
