// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.train.FullFineTuning;
import io.telechat.train.LoraFineTuning;
import io.telechat.train.TrainConfig;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** The options of a run: the reference's names and defaults, and our own. */
final class TrainOptions {
    /** Of ZeRO (Rajbhandari et al. 2020, arXiv:1910.02054). */
    private static final int LARGEST_STAGE = 3;

    /** Whose defaults. */
    enum Recipe {
        /** Answers only, every token weighs the same, dialogs of a sample don't see each other. */
        TELECHAT,
        /** As main.py of TeleChat-52B: everything counts, or what --with-loss-mask says; samples are one sequence. */
        REFERENCE
    }

    @Option(names = "--model-path", required = true, paramLabel = "DIR", description = "checkpoint to start from")
    private Path model;

    @Option(names = "--data-path", required = true, paramLabel = "DIR", description = "samples made by process-data")
    private Path data;

    @Option(names = "--output-dir", required = true, paramLabel = "DIR", description = "for checkpoints and metrics")
    private Path output;

    @Option(
            names = "--recipe",
            paramLabel = "NAME",
            description = "telechat (default): answers only, every token weighs the same, dialogs of a sample are kept"
                    + " apart; reference: as the original trains")
    private Recipe recipe = Recipe.TELECHAT;

    @Option(names = "--data-order", paramLabel = "ORDER", description = "shuffled (default) or sequential")
    private String order = "shuffled";

    @Option(
            names = "--packed-attention",
            paramLabel = "WAY",
            description =
                    "isolated: dialogs of a sample do not see each other; reference: they do (default: by --recipe)")
    private Optional<String> packedAttention = Optional.empty();

    @Option(
            names = "--with-loss-mask",
            description = "train the tokens of the loss mask only (always so but with --recipe reference)")
    private boolean withLossMask;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "of the parameters: f32 (default) or bf16")
    private String dtype = "f32";

    @Option(
            names = "--rounding",
            paramLabel = "WAY",
            description = "from float32 to bf16 after each update: nearest (default) or stochastic")
    private Rounding rounding = Rounding.NEAREST;

    @Option(
            names = "--optimizer-state",
            paramLabel = "TYPE",
            converter = MomentTypeConverter.class,
            description = "of AdamW's running means: f32 (default), or 8bit, by blocks: a quarter of the memory")
    private MomentType moments = MomentType.F32;

    @Option(
            names = "--per-device-train-batch-size",
            paramLabel = "N",
            description = "samples computed at once (default: 1)")
    private int microBatch = 1;

    @Option(
            names = "--gradient-accumulation-steps",
            paramLabel = "N",
            description = "micro-batches per update (default: 1)")
    private int accumulation = 1;

    @Option(names = "--learning-rate", paramLabel = "RATE", description = "highest rate (default: 3e-5)")
    private double learningRate = 3e-5;

    @Option(names = "--weight-decay", paramLabel = "X", description = "(default: 1e-4)")
    private double weightDecay = 1e-4;

    @Option(
            names = "--max-grad-norm",
            paramLabel = "X",
            description = "gradients are clipped to this norm (default: 1)")
    private double clip = 1;

    @Option(
            names = "--lr-scheduler-type",
            paramLabel = "NAME",
            description = "linear, cosine (default), cosine_with_restarts, polynomial, constant, constant_with_warmup")
    private String schedule = "cosine";

    @Option(names = "--warmup-steps", paramLabel = "N", description = "updates in which the rate rises")
    private Optional<Long> warmupSteps = Optional.empty();

    @Option(
            names = "--warmup-proportion",
            paramLabel = "X",
            description = "share of all updates in which it rises (default: 0.1)")
    private double warmupProportion = 0.1;

    @Option(
            names = "--schedule-steps",
            paramLabel = "N",
            description = "updates the schedule is made for (default: those of the run)")
    private Optional<Long> scheduleSteps = Optional.empty();

    @Option(names = "--num-train-epochs", paramLabel = "X", description = "passes over the data (default: 1)")
    private double epochs = 1;

    @Option(names = "--max-steps", paramLabel = "N", description = "updates at most, whatever the epochs")
    private Optional<Long> maxSteps = Optional.empty();

    @Option(
            names = "--save-steps",
            paramLabel = "N",
            description = "updates between checkpoints (default: 0, at the end only)")
    private long saveSteps;

    @Option(
            names = "--save-total-limit",
            paramLabel = "N",
            description = "newest checkpoints that are kept (default: 2)")
    private int saveLimit = 2;

    @Option(
            names = "--eval-split",
            paramLabel = "X",
            description = "share of the samples that is measured instead of trained (default: 0)")
    private double evaluationShare;

    @Option(names = "--eval-steps", paramLabel = "N", description = "updates between measurements (default: 100)")
    private long evaluationSteps = 100;

    @Option(
            names = "--early-stop",
            paramLabel = "N",
            description = "end after so many measurements without improvement")
    private Optional<Integer> patience = Optional.empty();

    @Option(
            names = "--gradient-checkpointing",
            description = "keep only the layers' inputs and compute them twice: less memory")
    private boolean gradientCheckpointing;

    @Option(names = "--seed", paramLabel = "N", description = "of every random choice (default: 42)")
    private long seed = 42;

    @Option(names = "--backend", paramLabel = "NAME", description = "cpu or nd4j (default: the best that is usable)")
    private Optional<String> backend = Optional.empty();

    @Option(names = "--threads", paramLabel = "N", description = "threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "train this LoRA adapter (PEFT's format) instead of the model")
    private Optional<Path> adapter = Optional.empty();

    @Option(
            names = "--lora-dim",
            paramLabel = "N",
            description = "train fresh LoRA adapters of this rank instead of the model")
    private Optional<Integer> loraDim = Optional.empty();

    @Option(names = "--lora-scaling", paramLabel = "X", description = "their product is scaled by X/rank (default: 1)")
    private double loraScaling = 1;

    @Option(names = "--lora-rank-stabilized", description = "scale by X/√rank instead")
    private boolean rankStabilized;

    @Option(
            names = "--lora-dropout",
            paramLabel = "X",
            description = "share of what they are given that is dropped while they are trained (default: 0)")
    private Optional<Double> loraDropout = Optional.empty();

    @Option(
            names = "--lora-module-name",
            split = ",",
            paramLabel = "NAME",
            description =
                    "linear layers that get one, by the ends of their names (default: those of attention's queries,"
                            + " keys and values)")
    private List<String> loraModules = LoraConfig.ATTENTION_INPUTS;

    @Option(
            names = {"--only-optimize-lora", "--mark-only-lora-as-trainable"},
            description = "as it always is with adapters")
    private boolean onlyLora;

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            description = "with adapters, round the model to q8_0 or q4_0 while it is loaded (QLoRA)")
    private Optional<QuantizedType> weights = Optional.empty();

    @Option(
            names = "--zero-stage",
            paramLabel = "N",
            description = "0 to 3; changes nothing: one process has nothing to share out")
    private int zeroStage;

    @Option(names = "--offload", description = "changes nothing: everything is in main memory already")
    private boolean offload;

    /** What is asked for in vain, a line each. */
    List<String> withoutEffect() {
        List<String> lines = new ArrayList<>();
        if (zeroStage > 0) {
            lines.add("--zero-stage %d changes nothing: one process has nothing to share out".formatted(zeroStage));
        }
        if (offload) {
            lines.add("--offload changes nothing: everything is in main memory already");
        }
        if (lora().isPresent() && precision().dtype() != DType.F32) {
            lines.add("--dtype %s changes nothing: adapters are f32, and the model beside them stays as it is stored"
                    .formatted(dtype));
        }
        return lines;
    }

    /** Adapters to train, if it is not the model itself. */
    Optional<LoraFineTuning.Options> lora() {
        if (adapter.isEmpty() && loraDim.isEmpty()) {
            if (weights.isPresent()) {
                throw weights.get().untrainable();
            }
            return Optional.empty();
        }
        double dropout = loraDropout.orElse(0.0);
        LoraConfig fresh = new LoraConfig(loraDim.orElse(1), loraScaling, rankStabilized, dropout, loraModules);
        return Optional.of(new LoraFineTuning.Options(fresh, adapter, weights.map(QuantizedType::dtype)));
    }

    Backend backend() {
        return backend.map(name -> Backends.byName(name, threads)).orElseGet(() -> Backends.best(threads));
    }

    FullFineTuning.Precision precision() {
        DType type = switch (dtype.toLowerCase(Locale.ROOT)) {
            case "f32" -> DType.F32;
            case "bf16" -> DType.BF16;
            default -> throw new InvalidRequestException("--dtype %s: choose f32 or bf16".formatted(dtype));
        };
        return new FullFineTuning.Precision(type, rounding, seed);
    }

    TrainConfig config() {
        boolean reference = recipe == Recipe.REFERENCE;
        boolean isolated = switch (packedAttention
                .orElse(reference ? "reference" : "isolated")
                .toLowerCase(Locale.ROOT)) {
            case "isolated" -> true;
            case "reference" -> false;
            default -> throw new InvalidRequestException("--packed-attention: choose isolated or reference");
        };
        boolean shuffled = switch (order.toLowerCase(Locale.ROOT)) {
            case "shuffled" -> true;
            case "sequential" -> false;
            default -> throw new InvalidRequestException("--data-order: choose shuffled or sequential");
        };
        checkCounts();
        checkNumbers();
        checkAdapters();
        return new TrainConfig(
                model,
                data,
                output,
                new TrainConfig.Batching(microBatch, accumulation, shuffled),
                new TrainConfig.Objective(withLossMask || !reference, !reference, isolated),
                AdamW.Settings.reference(weightDecay).withState(moments),
                new TrainConfig.Rate(
                        learningRate, schedule, optional(warmupSteps), warmupProportion, optional(scheduleSteps), clip),
                new TrainConfig.Length(
                        epochs, optional(maxSteps), saveSteps, saveLimit, evaluationShare, evaluationSteps, patience),
                seed,
                gradientCheckpointing);
    }

    private void checkCounts() {
        Positive.check("--per-device-train-batch-size", microBatch);
        Positive.check("--gradient-accumulation-steps", accumulation);
        Positive.check("--save-total-limit", saveLimit);
        Positive.check("--threads", threads);
        require(zeroStage >= 0 && zeroStage <= LARGEST_STAGE, "--zero-stage", zeroStage, "from 0 to 3");
        maxSteps.ifPresent(n -> require(n >= 1, "--max-steps", n, "at least 1"));
        scheduleSteps.ifPresent(n -> require(n >= 1, "--schedule-steps", n, "at least 1"));
        warmupSteps.ifPresent(n -> require(n >= 0, "--warmup-steps", n, "at least 0"));
        require(saveSteps >= 0, "--save-steps", saveSteps, "at least 0");
        require(evaluationSteps >= 1, "--eval-steps", evaluationSteps, "at least 1");
        patience.ifPresent(n -> require(n >= 1, "--early-stop", n, "at least 1"));
        if (patience.isPresent() && evaluationShare == 0) {
            throw new InvalidRequestException("--early-stop: needs samples to measure; add --eval-split");
        }
    }

    private void checkNumbers() {
        require(epochs > 0 && epochs < Integer.MAX_VALUE, "--num-train-epochs", epochs, "above 0");
        require(learningRate >= 0 && learningRate < Double.MAX_VALUE, "--learning-rate", learningRate, "at least 0");
        require(weightDecay >= 0 && weightDecay < Double.MAX_VALUE, "--weight-decay", weightDecay, "at least 0");
        require(clip > 0, "--max-grad-norm", clip, "above 0");
        require(warmupProportion >= 0 && warmupProportion <= 1, "--warmup-proportion", warmupProportion, "from 0 to 1");
        require(evaluationShare >= 0 && evaluationShare < 1, "--eval-split", evaluationShare, "from 0 to below 1");
    }

    private void checkAdapters() {
        loraDropout.ifPresent(x -> require(x >= 0 && x < 1, "--lora-dropout", x, "from 0 to below 1"));
        if (adapter.isPresent() && loraDropout.isPresent()) {
            throw new InvalidRequestException(
                    "--lora-dropout: %s has its own; change it in its adapter_config.json".formatted(adapter.get()));
        }
    }

    private static void require(boolean holds, String option, Object value, String rule) {
        if (!holds) {
            throw new InvalidRequestException("%s %s: must be %s".formatted(option, value, rule));
        }
    }

    private static OptionalLong optional(Optional<Long> value) {
        return value.map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }
}
