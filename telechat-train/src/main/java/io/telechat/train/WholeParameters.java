// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.model.Gradients;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.training.ResidentGradients;
import io.telechat.core.training.TrainableParameters;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.optimizer.OptimizerMemory;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.optimizer.TrainedTensor;
import java.nio.file.Path;
import java.util.List;

/** All parameters in one process. */
final class WholeParameters implements AllParameters {
    private final TrainableParameters parameters;
    private final Gradients gradients;

    /**
     * Copies the tensors of a checked checkpoint, which is still the caller's.
     *
     * @param memory for the F32 originals of what is rounded
     */
    WholeParameters(ModelLoader.Checked checked, Backend backend, DType dtype, OptimizerMemory memory) {
        this.parameters = new TrainableParameters(checked, backend, dtype, memory.newArena(backend));
        this.gradients = new ResidentGradients(backend.gradOps(dtype), parameters.gradients());
    }

    @Override
    public ParameterStore values() {
        return parameters.values();
    }

    @Override
    public Gradients gradients() {
        return gradients;
    }

    @Override
    public List<Trained> trained() {
        return parameters.parameters().stream()
                .map(p -> new Trained(p.name(), p.master(), p.gradient()))
                .toList();
    }

    @Override
    public List<TrainedTensor> tensors() {
        return parameters.parameters().stream()
                .map(p -> TrainedTensor.whole(p.name(), p.master().shape()))
                .toList();
    }

    @Override
    public double total(double ofTrained) {
        return ofTrained;
    }

    @Override
    public void clearGradients() {
        parameters.clearGradients();
    }

    @Override
    public void gathered() {
        // There is one rank.
    }

    @Override
    public void update(Rounding rounding, long seed) {
        parameters.round(rounding, seed);
    }

    @Override
    public void write(Path directory, DType dtype) {
        parameters.write(directory, dtype);
    }

    @Override
    public void read(Checkpoint checkpoint) {
        parameters.read(checkpoint);
    }

    @Override
    public void close() {
        parameters.close();
    }
}
