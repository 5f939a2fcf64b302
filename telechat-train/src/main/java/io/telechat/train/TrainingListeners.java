// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import java.nio.file.Path;
import java.util.List;

/** Tells several, in their order. */
public record TrainingListeners(List<TrainingListener> all) implements TrainingListener {
    public TrainingListeners {
        all = List.copyOf(all);
    }

    @Override
    public void started(long done, long total) {
        all.forEach(l -> l.started(done, total));
    }

    @Override
    public void step(StepReport report) {
        all.forEach(l -> l.step(report));
    }

    @Override
    public void evaluated(long step, double loss) {
        all.forEach(l -> l.evaluated(step, loss));
    }

    @Override
    public void saved(Path checkpoint) {
        all.forEach(l -> l.saved(checkpoint));
    }

    @Override
    public void best(Path checkpoint, double loss) {
        all.forEach(l -> l.best(checkpoint, loss));
    }
}
