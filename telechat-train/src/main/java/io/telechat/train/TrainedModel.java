// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.optimizer.TrainedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A model of which all or some parameters are trained. */
public interface TrainedModel extends AutoCloseable {
    ModelConfig config();

    Backend backend();

    /** What this rank's optimizer updates. */
    List<Trained> trained();

    /** All tensors that are trained, in the order of files; the same on every rank. */
    default List<TrainedTensor> tensors() {
        return trained().stream()
                .map(t -> TrainedTensor.whole(t.name(), t.value().shape()))
                .toList();
    }

    /** The sum over all ranks, of what each knows of its {@link #trained}; the number itself where every rank has them all. */
    default double total(double ofTrained) {
        return ofTrained;
    }

    /** Sets all gradients to zero. */
    void clearGradients();

    /**
     * Adds the gradients of a weighted sum of losses; returns the sum.
     *
     * @param weights of each sample's rows
     * @param number of the micro-batch in the run, from 0; what is random in this pass is a function of it
     */
    double forwardBackward(MicroBatch batch, double[] weights, long number);

    /** All gradients of an update have been added; sums those of all ranks. */
    void gathered();

    /** The weighted sum alone, with nothing random. */
    double loss(MicroBatch batch, double[] weights);

    /** What of it decides on the steps, by its names; a run cannot go on with another. */
    Map<String, Object> recipe();

    /** What the backward pass costs in forward passes, of products with weights: 2 where all weights have gradients. */
    double weightsBackward();

    /** The optimizer has updated the parameters for the {@code step}th time, or they were restored from after that. */
    void updated(long step);

    /** Whether {@link #save} keeps every bit of what is trained; otherwise a checkpoint of the run holds the rest. */
    boolean savesExactly();

    /** Writes what inference needs into an existing directory; the first rank does, with the help of the others. */
    void save(Path directory) throws IOException;

    /** Takes the parameters back from such a directory. */
    void restore(Path directory);

    @Override
    void close();
}
