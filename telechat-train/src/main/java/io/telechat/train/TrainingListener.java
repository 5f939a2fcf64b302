// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import java.nio.file.Path;

/** Hears of a run's progress. */
@FunctionalInterface
public interface TrainingListener {
    /** A run begins, or goes on behind {@code done} updates of {@code total}. */
    default void started(long done, long total) {}

    void step(StepReport report);

    /** The loss on the samples that are not trained. */
    default void evaluated(long step, double loss) {}

    default void saved(Path checkpoint) {}

    /** The run has ended, and this of its checkpoints is the one with the lowest loss on the samples that are not trained. */
    default void best(Path checkpoint, double loss) {}
}
