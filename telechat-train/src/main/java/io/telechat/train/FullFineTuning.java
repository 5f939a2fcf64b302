// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CompanionFiles;
import io.telechat.core.model.FullGradients;
import io.telechat.core.model.ModelConfig;
import io.telechat.core.model.ModelLoader;
import io.telechat.core.model.TrainableParameters;
import io.telechat.core.model.TrainingPass;
import io.telechat.core.ops.GradOps;
import io.telechat.core.tensor.DType;
import io.telechat.train.optimizer.Trained;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Every parameter of the model is trained. */
public final class FullFineTuning implements TrainedModel {
    private final ModelConfig config;
    private final Path source;
    private final Backend backend;
    private final TrainableParameters parameters;
    private final FullGradients gradients;
    private final TrainingPass pass;

    /**
     * Takes over the backend, and closes it with itself; the checkpoint is closed at once, for all of it is copied.
     *
     * @param rows tokens of every batch
     */
    public FullFineTuning(ModelLoader.Checked checked, Backend backend, int rows, boolean gradientCheckpointing) {
        this.config = checked.config();
        this.source = checked.checkpoint().directory();
        this.backend = backend;
        GradOps ops = backend.gradOps();
        this.parameters = new TrainableParameters(checked, backend);
        checked.close();
        this.gradients = new FullGradients(ops, parameters);
        this.pass = new TrainingPass(config, parameters, backend, ops, rows, gradientCheckpointing);
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
        return parameters.parameters().stream()
                .map(p -> new Trained(p.name(), p.value(), p.gradient()))
                .toList();
    }

    @Override
    public void clearGradients() {
        parameters.clearGradients();
    }

    @Override
    public double forwardBackward(MicroBatch batch, double weight) {
        return pass.forwardBackward(batch.batch(), batch.objective(weight), gradients);
    }

    @Override
    public double loss(MicroBatch batch, double weight) {
        return pass.loss(batch.batch(), batch.objective(weight));
    }

    @Override
    public double forwardFlopsPerToken() {
        return TrainingPass.forwardFlopsPerToken(config);
    }

    @Override
    public double backwardShare() {
        return 2;
    }

    @Override
    public void save(Path directory) throws IOException {
        parameters.write(directory, DType.F32);
        CompanionFiles.copyConfig(source, directory);
        CompanionFiles.copyTokenizer(source, directory);
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
