// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.backend.Backend;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.Pending;
import io.telechat.core.lora.LoraAdapters;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraDropout;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.lora.LoraGradients;
import io.telechat.core.lora.LoraOps;
import io.telechat.core.lora.LoraWeight;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.optimizer.Trained;
import io.telechat.train.zero.FrozenParameters;
import io.telechat.train.zero.ZeroStage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Only low-rank adapters are trained; the model stays as it is stored, or is quantized (QLoRA, arXiv:2305.14314). */
public final class LoraFineTuning implements TrainedModel {
    private final Communicator ranks;
    private final ModelConfig config;
    private final Path source;
    private final DType dtype;
    private final Optional<DType> quantization;
    private final String fingerprint;
    private final Backend backend;
    private final ParameterStore parameters;
    private final LoraAdapters adapters;
    private final LoraDropout dropout;
    private final LoraGradients gradients;
    private final LoraOps forward;
    private final TrainingPass pass;

    /**
     * Takes over the checkpoint and the backend, and closes them with itself.
     *
     * @param seed of the fresh adapters and of dropout
     * @param rows tokens of every batch
     */
    public LoraFineTuning(
            ModelLoader.Checked checked,
            Backend backend,
            TuningMethod.Lora method,
            long seed,
            int rows,
            boolean gradientCheckpointing) {
        this(checked, backend, method, seed, rows, gradientCheckpointing, Parallelism.alone());
    }

    /**
     * The same on several ranks, each of which has all of the adapters.
     *
     * @param parallelism what they share out
     */
    public LoraFineTuning(
            ModelLoader.Checked checked,
            Backend backend,
            TuningMethod.Lora method,
            long seed,
            int rows,
            boolean gradientCheckpointing,
            Parallelism parallelism) {
        FullFineTuning.requireBackend(backend, method.dtype());
        this.ranks = parallelism.ranks();
        this.config = checked.config();
        this.source = checked.checkpoint().directory();
        this.dtype = method.dtype();
        this.quantization = method.quantization();
        this.fingerprint = checked.checkpoint().fingerprint();
        this.backend = backend;
        if (method.start().isPresent()) {
            this.adapters = LoraAdapters.read(method.start().get(), config, backend);
            requireOneScale(method.start().get());
        } else {
            this.adapters = new LoraAdapters(config, method.fresh(), backend);
            adapters.initialize(seed);
        }
        boolean isCut = !parallelism.isAlone() && parallelism.stage().cuts(ZeroStage.PARAMETERS);
        this.parameters = isCut
                ? new FrozenParameters(checked, backend, quantization, ranks)
                : ModelLoader.parameters(checked, backend, quantization, LoadProgress.SILENT);
        Ops ops = backend.trainingOps(method.dtype());
        GradOps gradOps = backend.gradOps(method.dtype());
        this.dropout = new LoraDropout(backend, gradOps, adapters.config().dropout(), seed);
        this.gradients = new LoraGradients(adapters, dropout, config, backend, ops, gradOps);
        this.forward = new LoraOps(ops, adapters, dropout, backend);
        this.pass = new TrainingPass(
                config,
                parameters,
                backend,
                forward,
                gradOps,
                rows,
                gradientCheckpointing,
                backend.activations(method.dtype()));
    }

    /** The optimizer's steps depend on how large {@code b} is, so the factor must stay outside of it. */
    private void requireOneScale(Path adapter) {
        if (!adapters.all().stream().allMatch(LoraWeight::hasOneScale)) {
            adapters.close();
            throw new InvalidModelException(
                    "%s: its alpha_pattern scales layers differently that are computed as one (query and key_value, or"
                            + " gate_proj and up_proj); it can be used and merged, but not trained further",
                    adapter);
        }
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    /** The numbers of the adapters, also where those of a directory are trained further. */
    public LoraConfig adapterConfig() {
        return adapters.config();
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public List<Trained> trained() {
        List<Trained> trained = new ArrayList<>();
        for (LoraWeight adapter : adapters.all()) {
            List<Weight.Block> down = adapter.down().blocks();
            for (int i = 0; i < down.size(); i++) {
                Tensor gradient = gradients.downOf(adapter).blocks().get(i).matrix();
                trained.add(new Trained(adapter.name(i) + ".lora_A", down.get(i).matrix(), gradient));
            }
            trained.add(new Trained(adapter.name(0) + ".lora_B", adapter.up(), gradients.upOf(adapter)));
        }
        return trained;
    }

    @Override
    public void clearGradients() {
        gradients.clear();
    }

    @Override
    public double forwardBackward(MicroBatch batch, double[] weights, long number) {
        dropout.train(number);
        return pass.forwardBackward(batch.batch(), batch.objective(weights), gradients);
    }

    @Override
    public void gathered() {
        gradients.clearForeign();
        if (ranks.size() > 1) {
            List<Pending> pending = new ArrayList<>();
            trained().forEach(t -> pending.add(ranks.allReduce(t.gradient())));
            pending.forEach(Pending::await);
        }
    }

    @Override
    public double loss(MicroBatch batch, double[] weights) {
        dropout.evaluate();
        return pass.loss(batch.batch(), batch.objective(weights));
    }

    @Override
    public Map<String, Object> recipe() {
        Map<String, Object> recipe = new LinkedHashMap<>();
        LoraConfig lora = adapters.config();
        recipe.put("lora_dim", lora.rank());
        recipe.put("lora_alpha", lora.alpha());
        if (!lora.alphaPattern().isEmpty()) {
            recipe.put("lora_alpha_pattern", lora.alphaPattern());
        }
        if (lora.rankStabilized()) {
            recipe.put("lora_rank_stabilized", true);
        }
        recipe.put("lora_dropout", lora.dropout());
        recipe.put("lora_targets", lora.targets().toString());
        recipe.put("base_fingerprint", fingerprint);
        quantization.ifPresent(type -> recipe.put("weights", type.toString()));
        if (dtype != DType.F32) {
            recipe.put("dtype", dtype.toString());
        }
        return recipe;
    }

    @Override
    public double weightsBackward() {
        return 1;
    }

    @Override
    public void updated(long step) {
        // The adapters are computed with as they are.
    }

    @Override
    public boolean savesExactly() {
        return true;
    }

    @Override
    public void save(Path directory) {
        if (ranks.rank() == 0) {
            adapters.write(directory, source);
        }
    }

    @Override
    public void restore(Path directory) {
        try (LoraFiles files = LoraFiles.read(directory)) {
            adapters.set(files, directory);
        }
    }

    @Override
    public void close() {
        pass.close();
        forward.close();
        gradients.close();
        dropout.close();
        adapters.close();
        parameters.close();
        backend.close();
    }
}
