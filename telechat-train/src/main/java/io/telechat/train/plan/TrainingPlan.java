// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraFiles;
import io.telechat.core.lora.LoraSize;
import io.telechat.core.tensor.DType;
import io.telechat.core.training.TrainingFlops;
import io.telechat.core.training.TrainingPass;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.TrainConfig;
import io.telechat.train.TuningMethod;
import io.telechat.train.data.TrainingData;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * What a run needs: memory by its uses, disk, and operations. Stages are those of ZeRO (Rajbhandari et al. 2020,
 * arXiv:1910.02054): 1 shares the optimizer out among the ranks, 2 the gradients too, 3 the parameters too.
 *
 * @param model that is trained
 * @param parameters of the model
 * @param modelBytes of its parameters
 * @param adapters that are trained instead of them
 */
public record TrainingPlan(
        PlannedModel model, RunSetup setup, long parameters, long modelBytes, Optional<LoraSize> adapters) {
    /** The JVM, the program, and what a backend keeps for itself: measured with tiny models. */
    static final long PROGRAM_BYTES = 120L << 20;

    /**
     * Bytes of one rank.
     *
     * @param scratch gradients of activations, a tensor on its way to or from the disk, and what is gathered from other
     *     ranks for a while
     * @param program all that is there without a model
     */
    public record Memory(
            long parameters,
            long gradients,
            long optimizer,
            long activations,
            long logits,
            long scratch,
            long program) {
        public long total() {
            return parameters + gradients + optimizer + activations + logits + scratch + program;
        }
    }

    /**
     * What a run as it is configured needs, with the model as the cpu backend keeps it; reads the headers of its files only.
     *
     * @throws io.telechat.core.TelechatException if the run is impossible
     */
    public static TrainingPlan of(TrainConfig config) {
        return of(config, 1, config.batch().microBatch());
    }

    /**
     * The same of each of several ranks.
     *
     * @param samples that each computes at once
     */
    public static TrainingPlan of(TrainConfig config, int ranks, int samples) {
        try (TrainingData data = TrainingData.open(config.data());
                ModelLoader.Checked checked =
                        ModelLoader.check(config.model(), config.method().ofGguf())) {
            RunSetup setup = new RunSetup(
                    samples,
                    data.rowTokens(),
                    config.gradientCheckpointing(),
                    config.method(),
                    config.optimizer().state(),
                    ranks,
                    config.optimizer().offload().isPresent());
            return of(PlannedModel.of(checked), setup);
        }
    }

    /** @throws io.telechat.core.TelechatException if the model has no place for the adapters */
    public static TrainingPlan of(PlannedModel model, RunSetup setup) {
        long all = model.parameters();
        return switch (setup.method()) {
            case TuningMethod.Full full ->
                new TrainingPlan(model, setup, all, all * full.dtype().bytes(), Optional.empty());
            case TuningMethod.Lora lora -> {
                LoraConfig numbers = lora.start().map(LoraFiles::config).orElse(lora.fresh());
                yield new TrainingPlan(
                        model,
                        setup,
                        all,
                        model.bytes(lora.quantization()),
                        Optional.of(LoraSize.of(model.config(), numbers)));
            }
        };
    }

    /** The same model and method in another setup. */
    TrainingPlan with(RunSetup other) {
        return new TrainingPlan(model, other, parameters, modelBytes, adapters);
    }

    private ModelConfig config() {
        return model.config();
    }

    /** Parameters that have a gradient. */
    public long trained() {
        return adapters.map(LoraSize::parameters).orElse(parameters);
    }

    /** @param stage of ZeRO, 0 to 3; they differ where there are several ranks */
    public Memory memory(int stage) {
        TrainingPass.Memory pass = TrainingPass.memory(
                config(), setup.rows(), setup.checkpointing(), setup.method().dtype());
        long values = parameterBytes();
        long gradients = 4 * trainedElements();
        return new Memory(
                stage >= 3 ? share(values) : values,
                stage >= 2 && adapters.isEmpty() ? share(gradients) : gradients,
                setup.offload() ? 0 : offloadable(stage),
                pass.activations(),
                pass.logits(),
                pass.gradients() + scratch() + gathered(stage),
                PROGRAM_BYTES);
    }

    /** What the optimizer alone needs, in memory or in files. */
    public long offloadable(int stage) {
        return stage >= 1 && adapters.isEmpty()
                ? share(optimizerBytes())
                : optimizerBytes(); // adapters are whole everywhere
    }

    private long parameterBytes() {
        return modelBytes + (adapters.isPresent() ? 4 * trainedElements() : 0);
    }

    private long optimizerBytes() {
        boolean copied = setup.method() instanceof TuningMethod.Full full && full.dtype() != DType.F32;
        return momentBytes() + (copied ? 4 * parameters : 0);
    }

    private long momentBytes() {
        return trainedTensors().map(setup.moments()::bytes).sum();
    }

    /** The elements of each. */
    private LongStream trainedTensors() {
        return adapters.map(lora -> lora.matrices().stream().mapToLong(Long::longValue))
                .orElseGet(this::tensors);
    }

    /** With adapters, zeros that belong to none are among them. */
    private long trainedElements() {
        return adapters.map(LoraSize::elements).orElse(parameters);
    }

    private LongStream tensors() {
        return model.tensors().stream().mapToLong(Long::longValue);
    }

    /** What is between the formulas of adapters, which are small; or a tensor on its way to or from the disk. */
    private long scratch() {
        return adapters.map(lora -> lora.scratchBytes(setup.rows()))
                .orElseGet(() -> 4 * tensors().max().orElse(0));
    }

    private long share(long bytes) {
        return Math.ceilDiv(bytes, setup.ranks());
    }

    /** Of the layer being computed, whole gradients; in stage 3 whole parameters too, and the next layer's. */
    private long gathered(int stage) {
        if (setup.ranks() == 1 || stage < 2) {
            return 0;
        }
        long table = (long) config().vocabSize() * config().hidden();
        long layers = parameters - table * (config().tiedHead() ? 1 : 2);
        long unit = Math.max(table, layers / config().layers());
        long unitTrained = adapters.isPresent() ? trained() / config().layers() : unit;
        return 4 * unitTrained + (stage >= 3 ? (long) (2.0 * unit * modelBytes / parameters) : 0);
    }

    /** Bytes of a checkpoint: parameters in F32 (with LoRA, the changes only) and the running means. */
    public long checkpointBytes() {
        return 4 * trained() + momentBytes();
    }

    /** Operations of a micro-batch on all ranks; layers computed twice do not count. See {@link TrainingFlops}. */
    public double flops() {
        boolean all = adapters.isEmpty();
        return weightFlops() * (all ? 3 : 2) + 3 * attentionFlops();
    }

    /** Those that are computed, what is computed twice included. */
    public double computedFlops() {
        return flops() + (setup.checkpointing() ? recomputedFlops() : 0);
    }

    private double recomputedFlops() {
        double share = (config().layers() - 1.0) / config().layers();
        double perToken = TrainingFlops.recomputedPerToken(config()) + share * adapterFlops();
        return perToken * setup.rows() * setup.ranks() + share * attentionFlops();
    }

    private double weightFlops() {
        return (TrainingFlops.weightsPerToken(config()) + adapterFlops()) * setup.rows() * setup.ranks();
    }

    /** Of a token forward. */
    private double adapterFlops() {
        return adapters.isPresent() ? 2.0 * trainedElements() : 0;
    }

    private double attentionFlops() {
        return TrainingFlops.attention(config(), setup.tokens()) * setup.batch() * setup.ranks();
    }

    /**
     * @param peak operations per second of a rank
     * @param share of it that is reached
     */
    public double seconds(double peak, double share) {
        return computedFlops() / setup.ranks() / (peak * share);
    }

    /**
     * What an update sends and takes on several ranks.
     *
     * @param stage of ZeRO
     * @param passes of an update
     * @param peak operations per second of a rank
     * @param share of it that is reached
     */
    public StepTime stepTime(int stage, int passes, double peak, double share, Cluster cluster) {
        return StepTime.of(this, stage, passes, seconds(peak, share), cluster);
    }
}
