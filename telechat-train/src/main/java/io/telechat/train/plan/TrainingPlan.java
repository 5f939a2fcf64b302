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
import io.telechat.train.optimizer.MomentType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * What a run needs: memory by its uses, disk, and operations. Stages are those of ZeRO (Rajbhandari et al. 2020,
 * arXiv:1910.02054): 1 shares the optimizer out among the ranks, 2 the gradients too, 3 the parameters too.
 *
 * @param parameters of the model
 * @param trained parameters that have a gradient
 */
public record TrainingPlan(ModelConfig config, Setup setup, long parameters, long trained) {
    /** The JVM, the program, and what a backend keeps for itself: measured with tiny models. */
    static final long PROGRAM_BYTES = 120L << 20;

    private static final int LARGEST_STAGE = 3;
    private static final int LARGEST_CLUSTER = 4096;
    private static final int LORA_DIM = 8;

    /**
     * What is asked for.
     *
     * @param batch samples that a rank computes at once
     * @param tokens of each
     * @param checkpointing whether layers are computed twice
     * @param dtype of the parameters: F32, or BF16 with a copy in F32 for the optimizer, unless there are adapters
     * @param lora adapters to train instead of everything
     * @param moments how the optimizer keeps its running means
     * @param ranks processes
     */
    public record Setup(
            int batch,
            int tokens,
            boolean checkpointing,
            DType dtype,
            Optional<Lora> lora,
            MomentType moments,
            int ranks) {
        int rows() {
            return Math.multiplyExact(batch, tokens);
        }

        Setup withCheckpointing() {
            return new Setup(batch, tokens, true, dtype, lora, moments, ranks);
        }

        Setup withBatch(int newBatch) {
            return new Setup(newBatch, tokens, checkpointing, dtype, lora, moments, ranks);
        }

        Setup withLora(Lora adapters) {
            return new Setup(batch, tokens, checkpointing, dtype, Optional.of(adapters), moments, ranks);
        }

        Setup withRanks(int newRanks) {
            return new Setup(batch, tokens, checkpointing, dtype, lora, moments, newRanks);
        }

        Setup withMoments(MomentType type) {
            return new Setup(batch, tokens, checkpointing, dtype, lora, type, ranks);
        }
    }

    /**
     * Adapters that are trained.
     *
     * @param modelBytes of the parameters beside them, which stay as they are stored
     */
    public record Lora(LoraSize size, long modelBytes) {
        /** @throws io.telechat.core.TelechatException if the model has no place for them */
        public static Lora of(TuningMethod.Lora method, ModelConfig model, long modelBytes) {
            LoraConfig numbers = method.start().map(LoraFiles::config).orElse(method.fresh());
            return new Lora(LoraSize.of(model, numbers), modelBytes);
        }
    }

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
     * A change that makes the run fit.
     *
     * @param options as on the command line
     * @param bytes that a rank then needs
     */
    public record Change(String options, long bytes) {}

    /**
     * What a run as it is configured needs; reads the headers of its files only.
     *
     * @throws io.telechat.core.TelechatException if the run is impossible
     */
    public static TrainingPlan of(TrainConfig config) {
        try (TrainingData data = TrainingData.open(config.data());
                ModelLoader.Checked checked = ModelLoader.check(config.model())) {
            Optional<Lora> lora = Optional.empty();
            DType dtype = DType.F32;
            switch (config.method()) {
                case TuningMethod.Full full -> dtype = full.dtype();
                case TuningMethod.Lora adapters ->
                    lora = Optional.of(
                            Lora.of(adapters, checked.config(), checked.loadedBytes(adapters.quantization())));
            }
            Setup setup = new Setup(
                    config.batch().microBatch(),
                    data.rowTokens(),
                    config.gradientCheckpointing(),
                    dtype,
                    lora,
                    config.optimizer().state(),
                    1);
            return of(checked.config(), setup);
        }
    }

    public static TrainingPlan of(ModelConfig config, Setup setup) {
        long all = config.parameters();
        return new TrainingPlan(
                config,
                setup,
                all,
                setup.lora().map(lora -> lora.size().parameters()).orElse(all));
    }

    /** @param stage of ZeRO, 0 to 3; they differ where there are several ranks */
    public Memory memory(int stage) {
        TrainingPass.Memory pass = TrainingPass.memory(config, setup.rows(), setup.checkpointing());
        long values = parameterBytes();
        long gradients = 4 * trainedElements();
        return new Memory(
                stage >= 3 ? share(values) : values,
                stage >= 2 ? share(gradients) : gradients,
                stage >= 1 ? share(optimizerBytes()) : optimizerBytes(),
                pass.activations(),
                pass.logits(),
                pass.gradients() + scratch() + gathered(stage),
                PROGRAM_BYTES);
    }

    private long parameterBytes() {
        return modelBytes() + (setup.lora().isPresent() ? 4 * trainedElements() : 0);
    }

    /** Without adapters. */
    private long modelBytes() {
        return setup.lora()
                .map(Lora::modelBytes)
                .orElse(parameters * setup.dtype().bytes());
    }

    private long optimizerBytes() {
        boolean copied = setup.dtype() != DType.F32 && setup.lora().isEmpty();
        return momentBytes() + (copied ? 4 * trained : 0);
    }

    private long momentBytes() {
        return trainedTensors().map(setup.moments()::bytes).sum();
    }

    /** The elements of each. */
    private LongStream trainedTensors() {
        return setup.lora()
                .map(lora -> lora.size().matrices().stream().mapToLong(Long::longValue))
                .orElseGet(this::tensors);
    }

    /** With adapters, zeros that belong to none are among them. */
    private long trainedElements() {
        return setup.lora().map(lora -> lora.size().elements()).orElse(trained);
    }

    private LongStream tensors() {
        return config.architecture().tensors(config).stream()
                .mapToLong(t -> t.shape().elements());
    }

    /** What is between the formulas of adapters, which are small; or a tensor on its way to or from the disk. */
    private long scratch() {
        return setup.lora()
                .map(lora -> lora.size().scratchBytes(setup.rows()))
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
        long table = (long) config.vocabSize() * config.hidden();
        long layers = parameters - table * (config.tiedHead() ? 1 : 2);
        long unit = Math.max(table, layers / config.layers());
        long unitTrained = trained < parameters ? trained / config.layers() : unit;
        return 4 * unitTrained + (stage >= 3 ? (long) (2.0 * unit * modelBytes() / parameters) : 0);
    }

    /** Bytes of a checkpoint: parameters in F32 (with LoRA, the changes only) and the running means. */
    public long checkpointBytes() {
        return 4 * trained + momentBytes();
    }

    /** Operations of a micro-batch on all ranks; layers computed twice do not count. See {@link TrainingFlops}. */
    public double flops() {
        boolean all = setup.lora().isEmpty();
        return weightFlops() * (all ? 3 : 2) + 3 * attentionFlops();
    }

    /** Those that are computed, what is computed twice included. */
    public double computedFlops() {
        return flops() + (setup.checkpointing() ? recomputedFlops() : 0);
    }

    private double recomputedFlops() {
        double share = (config.layers() - 1.0) / config.layers();
        double perToken = TrainingFlops.recomputedPerToken(config) + share * adapterFlops();
        return perToken * setup.rows() * setup.ranks() + share * attentionFlops();
    }

    private double weightFlops() {
        return (TrainingFlops.weightsPerToken(config) + adapterFlops()) * setup.rows() * setup.ranks();
    }

    /** Of a token forward. */
    private double adapterFlops() {
        return setup.lora().isPresent() ? 2.0 * trainedElements() : 0;
    }

    private double attentionFlops() {
        return TrainingFlops.attention(config, setup.tokens()) * setup.batch() * setup.ranks();
    }

    /**
     * @param peak operations per second of a rank
     * @param share of it that is reached
     */
    public double seconds(double peak, double share) {
        return computedFlops() / setup.ranks() / (peak * share);
    }

    /** The smallest changes after which a rank needs at most so many bytes, the cheapest kind first; empty if none helps. */
    public List<Change> changes(long available) {
        List<Change> found = new ArrayList<>();
        add(found, available, setup.withCheckpointing(), 0, "--gradient-checkpointing");
        add(found, available, setup.withMoments(MomentType.EIGHT_BIT), 0, "--optimizer-state " + MomentType.EIGHT_BIT);
        addSmallerBatch(found, available, setup, "");
        if (found.isEmpty()) {
            addSmallerBatch(found, available, setup.withCheckpointing(), " --gradient-checkpointing");
        }
        if (setup.lora().isEmpty()) {
            Setup adapted = setup.withLora(attentionAdapters());
            add(found, available, adapted, 0, "--lora-dim " + LORA_DIM);
            if (!setup.checkpointing()) {
                add(
                        found,
                        available,
                        adapted.withCheckpointing(),
                        0,
                        "--lora-dim %d --gradient-checkpointing".formatted(LORA_DIM));
            }
        }
        if (!addRanks(found, available, setup, "")) {
            addRanks(found, available, setup.withCheckpointing(), "--gradient-checkpointing ");
        }
        return found;
    }

    /** Beside a model of the same type. */
    private Lora attentionAdapters() {
        LoraConfig adapters = new LoraConfig(LORA_DIM, 1, false, 0, LoraConfig.ATTENTION_INPUTS);
        return new Lora(
                LoraSize.of(config, adapters), parameters * setup.dtype().bytes());
    }

    private void add(List<Change> found, long available, Setup changed, int stage, String options) {
        long bytes = of(config, changed).memory(stage).total();
        if (bytes <= available && !changed.equals(setup)) {
            found.add(new Change(options, bytes));
        }
    }

    private void addSmallerBatch(List<Change> found, long available, Setup from, String more) {
        for (int batch = setup.batch() - 1; batch >= 1; batch--) {
            if (of(config, from.withBatch(batch)).memory(0).total() <= available) {
                add(found, available, from.withBatch(batch), 0, "--batch %d%s".formatted(batch, more));
                return;
            }
        }
    }

    private boolean addRanks(List<Change> found, long available, Setup from, String more) {
        int before = found.size();
        for (int stage = 1; stage <= LARGEST_STAGE; stage++) {
            for (int ranks = Math.max(2, from.ranks()); ranks <= LARGEST_CLUSTER; ranks *= 2) {
                long bytes = of(config, from.withRanks(ranks)).memory(stage).total();
                if (bytes <= available) {
                    found.add(new Change("%s--ranks %d and ZeRO stage %d".formatted(more, ranks, stage), bytes));
                    break;
                }
            }
        }
        return found.size() > before;
    }
}
