// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.train.StepReport;
import io.telechat.train.TrainingListener;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** Notes which step a run is at. */
record StepNote(LongConsumer note) implements TrainingListener {
    @Override
    public void started(long done, long total) {
        note.accept(done + 1);
    }

    @Override
    public void step(StepReport report) {
        note.accept(report.step() + 1);
    }

    @Override
    public void evaluated(long step, double loss) {
        // The step stays.
    }

    @Override
    public void saved(Path checkpoint) {
        // Likewise.
    }
}
