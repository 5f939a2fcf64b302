// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.comm.Communicator;
import io.telechat.core.model.Gradients;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.optimizer.OptimizerMemory;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.optimizer.TrainedTensor;
import io.telechat.train.zero.ShardedGradients;
import io.telechat.train.zero.ShardedParameters;
import io.telechat.train.zero.ZeroStage;
import java.nio.file.Path;
import java.util.List;

/** All parameters, with what a stage of ZeRO shares out of them among several ranks. */
final class SharedParameters implements AllParameters {
    private final Communicator ranks;
    private final ShardedParameters parameters;
    private final ShardedGradients gradients;

    /**
     * Reads this rank's share of a checked checkpoint, which is still the caller's.
     *
     * @param memory for the F32 originals of what is rounded
     */
    SharedParameters(
            ModelLoader.Checked checked,
            Backend backend,
            DType dtype,
            Parallelism parallelism,
            OptimizerMemory memory) {
        ModelConfig config = checked.config();
        this.ranks = parallelism.ranks();
        this.parameters =
                new ShardedParameters(checked, backend, dtype, parallelism.stage(), ranks, memory.newArena(backend));
        this.gradients = new ShardedGradients(backend.gradOps(dtype), config, parameters);
    }

    @Override
    public ParameterStore values() {
        return parameters;
    }

    @Override
    public Gradients gradients() {
        return gradients;
    }

    @Override
    public List<Trained> trained() {
        return parameters.trained();
    }

    @Override
    public List<TrainedTensor> tensors() {
        return parameters.tensors();
    }

    /** Without a stage, every rank has all. */
    @Override
    public double total(double ofTrained) {
        return parameters.stage() == ZeroStage.NOTHING ? ofTrained : ranks.sum(ofTrained)[0];
    }

    @Override
    public void clearGradients() {
        parameters.clearGradients();
    }

    @Override
    public void gathered() {
        gradients.gathered();
    }

    @Override
    public void update(Rounding rounding, long seed) {
        parameters.update(rounding, seed);
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
        gradients.close();
        parameters.close();
    }
}
