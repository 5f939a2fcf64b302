// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.model.Gradients;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.optimizer.TrainedTensor;
import java.nio.file.Path;
import java.util.List;

/** All parameters of a model with their gradients, wherever they are. */
public interface AllParameters extends AutoCloseable {
    /** What is computed with. */
    ParameterStore values();

    /** Where their gradients go. */
    Gradients gradients();

    /** What this rank's optimizer updates. */
    List<Trained> trained();

    /** All of them, as files have them. */
    List<TrainedTensor> tensors();

    /** The sum over all ranks, of what each knows of its {@link #trained}. */
    double total(double ofTrained);

    void clearGradients();

    /** All gradients of an update have been added: sums those of all ranks. */
    void gathered();

    /** Brings the values up to date with what the optimizer has updated. */
    void update(Rounding rounding, long seed);

    /** Writes a checkpoint of the model. */
    void write(Path directory, DType dtype);

    /** Takes the parameters from another checkpoint of the same model; the values are still to be updated. */
    void read(Checkpoint checkpoint);

    @Override
    void close();
}
