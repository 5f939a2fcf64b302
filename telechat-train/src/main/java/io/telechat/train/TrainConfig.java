// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.train.optimizer.AdamW;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a run is asked for.
 *
 * @param model checkpoint to start from
 * @param data directory of samples
 * @param output directory of the run
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
        Batching batch,
        Objective objective,
        AdamW.Settings optimizer,
        Rate rate,
        Length length,
        long seed,
        boolean gradientCheckpointing) {

    /**
     * @param microBatch samples that are computed at once
     * @param accumulation micro-batches whose gradients make up an update
     * @param shuffled whether each epoch has an order of its own
     */
    public record Batching(int microBatch, int accumulation, boolean shuffled) {
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
            double clip) {}

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
            Optional<Integer> patience) {}
}
