// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tokenizer.TokenizerFiles;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.optimizer.OptimizerMemory;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.optimizer.TrainedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Every parameter of the model is trained. */
public final class FullFineTuning implements TrainedModel {
    private final ModelConfig config;
    private final TuningMethod.Full method;
    private final long seed;
    private final Path source;
    private final boolean first;
    private final Backend backend;
    private final AllParameters parameters;
    private final TrainingPass pass;

    /**
     * Takes over the backend, and closes it with itself; the checkpoint is closed at once, for all of it is copied.
     *
     * @param seed of rounding at random
     * @param rows tokens of every batch
     * @throws InvalidRequestException if the backend cannot compute with them
     */
    public FullFineTuning(
            ModelLoader.Checked checked,
            Backend backend,
            TuningMethod.Full method,
            long seed,
            int rows,
            boolean gradientCheckpointing) {
        this(
                checked,
                backend,
                method,
                seed,
                rows,
                gradientCheckpointing,
                Parallelism.alone(),
                OptimizerMemory.RESIDENT);
    }

    /**
     * The same on several ranks.
     *
     * @param parallelism what they share out
     * @param memory for the F32 originals of what is rounded
     */
    public FullFineTuning(
            ModelLoader.Checked checked,
            Backend backend,
            TuningMethod.Full method,
            long seed,
            int rows,
            boolean gradientCheckpointing,
            Parallelism parallelism,
            OptimizerMemory memory) {
        requireBackend(backend, method.dtype());
        this.method = method;
        this.seed = seed;
        this.config = checked.config();
        this.source = checked.checkpoint().directory();
        this.backend = backend;
        this.first = parallelism.isFirst();
        this.parameters = parallelism.isAlone()
                ? new WholeParameters(checked, backend, method.dtype(), memory)
                : new SharedParameters(checked, backend, method.dtype(), parallelism, memory);
        checked.close();
        this.pass = new TrainingPass(
                config,
                parameters.values(),
                backend,
                backend.trainingOps(method.dtype()),
                backend.gradOps(method.dtype()),
                rows,
                gradientCheckpointing,
                backend.activations(method.dtype()));
    }

    /** @throws InvalidRequestException if the backend does not compute in this type */
    static void requireBackend(Backend backend, DType dtype) {
        if (dtype != DType.F32 && !backend.computesWith(dtype)) {
            throw new InvalidRequestException("--dtype %s: backend %s trains in f32 only", dtype, backend.name());
        }
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public List<Trained> trained() {
        return parameters.trained();
    }

    @Override
    public List<TrainedTensor> tensors() {
        return parameters.tensors();
    }

    @Override
    public double total(double ofTrained) {
        return parameters.total(ofTrained);
    }

    @Override
    public void clearGradients() {
        parameters.clearGradients();
    }

    @Override
    public double forwardBackward(MicroBatch batch, double[] weights, long number) {
        return pass.forwardBackward(batch.batch(), batch.objective(weights), parameters.gradients());
    }

    @Override
    public void gathered() {
        parameters.gathered();
    }

    @Override
    public double loss(MicroBatch batch, double[] weights) {
        return pass.loss(batch.batch(), batch.objective(weights));
    }

    @Override
    public Map<String, Object> recipe() {
        return method.dtype() == DType.F32
                ? Map.of()
                : Map.of(
                        "dtype", method.dtype().toString(),
                        "rounding", method.rounding().toString());
    }

    @Override
    public double weightsBackward() {
        return 2;
    }

    @Override
    public void updated(long step) {
        parameters.update(method.rounding(), SplitMix.seed(seed, step));
    }

    @Override
    public boolean savesExactly() {
        return method.dtype() == DType.F32;
    }

    @Override
    public void save(Path directory) throws IOException {
        parameters.write(directory, method.dtype());
        if (first) {
            CompanionFiles.copyConfig(source, directory);
            TokenizerFiles.copy(source, directory);
        }
    }

    @Override
    public void restore(Path directory) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            parameters.read(checkpoint);
        }
    }

    @Override
    public void close() {
        pass.close();
        parameters.close();
        backend.close();
    }
}
